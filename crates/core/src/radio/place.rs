//! What the radio tells the server about its person's place, and when.
//!
//! If a radio sent a new cell at once, the time would tell where the person crossed the border of the cell. So it
//! sends the first cell at once, and each later one only [`EPOCH_LEAD`] before a boundary that is the same for
//! everybody. Until then each new connection repeats the cell that was sent. Boundaries are counted from `welcome` on
//! the shell's monotonic clock, so setting the time of day does not move them.

use std::collections::VecDeque;
use std::time::Duration;

use tenfour_protocol::limits::{EPOCH, EPOCH_LEAD};
use tenfour_protocol::{ClientMessage, Code, GeoCell, Place, Ranges, Refusal};

use super::button::Way;
use super::limits::LOCATE_RETRY;
use super::ranging::Ranging;
use super::{Config, Event, Output};
use crate::mutants::Mutants;
use crate::{Time, mutant};

pub(super) struct Whereabouts {
    phase: Phase,
    /// The cell that the person is in.
    wanted: Option<GeoCell>,
    /// Whether the shell is looking for it.
    looking: bool,
    /// The cell that was sent, which is repeated on each connection.
    published: Option<Published>,
    /// When a cell was last sent or taken back, if another one has to wait for the next boundary.
    spent: Option<Time>,
    asked: Option<Asked>,
    epoch: Option<Epoch>,
    /// Whether the server has a cell of this connection.
    known: bool,
    /// Why the server took none.
    refused: Option<Code>,
    ranging: Ranging,
    /// When to send again what was refused because it came too fast.
    again: Option<Time>,
    mutants: Mutants,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Down,
    Greeting,
    Up,
}

struct Published {
    cell: GeoCell,
    /// The server's stamp, which shows that this cell is no move.
    stamp: Option<String>,
}

/// What was asked of the server and is not settled yet.
enum Asked {
    /// The published cell, new on this connection.
    First,
    /// Another cell, which takes effect at the boundary.
    Move { cell: GeoCell, boundary: Time },
    /// To forget the cell.
    Nothing,
}

/// The next time for a new cell.
#[derive(Clone, Copy)]
struct Epoch {
    due: Time,
    boundary: Time,
}

impl Whereabouts {
    pub(super) fn new(config: Config) -> Self {
        Self {
            phase: Phase::Down,
            wanted: config.place,
            looking: false,
            published: None,
            spent: None,
            asked: None,
            epoch: None,
            known: false,
            refused: None,
            ranging: Ranging::new(config.ranges),
            again: None,
            mutants: config.mutants,
        }
    }

    /// What `hello` says.
    pub(super) fn hello(&mut self, now: Time) -> (Option<Place>, Option<Ranges>) {
        self.phase = Phase::Greeting;
        // A move whose boundary is over has taken place.
        if let Some(Asked::Move { cell, .. }) = self.asked.take_if(|asked| asked.is_over(now)) {
            self.published = Some(Published { cell, stamp: None });
        }
        if self.published.is_none() && self.spent.is_none() {
            self.publish(now);
        }
        self.asked = self.published.as_ref().map(|_| Asked::First);
        (self.known, self.refused) = (false, None);
        let said =
            |published: &Published| Place { cell: published.cell.clone(), stamp: published.stamp.clone() };
        (self.published.as_ref().map(said), self.ranging.hello(self.published.is_some()))
    }

    pub(super) fn welcomed(&mut self, epoch_in: Duration, now: Time, out: &mut VecDeque<Output>) {
        self.phase = Phase::Up;
        let epoch_in = epoch_in.min(EPOCH);
        let (due, boundary) = (now + epoch_in.saturating_sub(EPOCH_LEAD), now + epoch_in);
        self.epoch = Some(Epoch { due, boundary });
        match self.asked {
            // It was taken back between `hello` and `welcome`.
            Some(Asked::Nothing) => self.send(out),
            Some(Asked::First | Asked::Move { .. }) => {}
            None => self.say_first(now, out),
        }
        self.move_on(now, out);
    }

    pub(super) fn closed(&mut self) {
        self.phase = Phase::Down;
        self.again = None;
        (self.known, self.refused) = (false, None);
        self.asked.take_if(|asked| !matches!(asked, Asked::Move { .. }));
        self.ranging.lost();
    }

    /// The shell is looking for the cell.
    pub(super) fn look(&mut self) {
        self.looking = true;
    }

    /// The person is in another cell, or shares none.
    pub(super) fn locate(&mut self, cell: Option<GeoCell>, now: Time, out: &mut VecDeque<Output>) {
        self.looking = false;
        self.wanted = cell;
        if self.wanted.is_some() {
            return self.say_first(now, out);
        }
        let said = self.published.take().is_some() || matches!(self.asked, Some(Asked::Move { .. }));
        (self.known, self.refused) = (false, None);
        // The server makes both ranges unlimited by itself. The choice stays here, so that nobody reaches further
        // because a cell is gone.
        self.ranging.lost();
        if said {
            self.spent = Some(now);
            self.asked = Some(Asked::Nothing).filter(|_| self.phase != Phase::Down);
            self.send(out);
        }
    }

    pub(super) fn range(&mut self, ranges: Ranges, out: &mut VecDeque<Output>) {
        if !ranges.are_unlimited() {
            let missing = self.wanted.is_none() && !self.looking;
            let refused = if missing { Some(Code::LocationNeeded) } else { self.refused };
            if let Some(code) = refused {
                out.push_back(Output::Event(Event::Refused { refusal: code.into() }));
            }
        }
        self.ranging.wish(ranges);
        self.sync(out);
    }

    /// The server told what it knows. `moves` if that will change at the boundary.
    pub(super) fn located(
        &mut self,
        shared: bool,
        stamp: Option<String>,
        moves: bool,
        now: Time,
        out: &mut VecDeque<Output>,
    ) {
        match self.asked.take() {
            // The server sent this before it read that the cell is taken back.
            Some(Asked::Nothing) if shared || moves => return self.asked = Some(Asked::Nothing),
            // The server sent this before it read the move, or the move is not in force yet.
            Some(asked @ Asked::Move { .. }) if moves || !shared || self.again.is_some() => {
                self.asked = Some(asked);
            }
            Some(Asked::Move { cell, .. }) => self.published = Some(Published { cell, stamp }),
            Some(Asked::First | Asked::Nothing) | None => {
                if let Some(published) = self.published.as_mut().filter(|_| stamp.is_some()) {
                    published.stamp = stamp;
                }
            }
        }
        if !moves {
            self.known = shared;
        }
        self.refused = None;
        self.sync(out);
        self.move_on(now, out);
    }

    pub(super) fn ranged(&mut self, ranges: Ranges, out: &mut VecDeque<Output>) {
        if self.ranging.ranged(ranges) {
            self.sync(out);
        }
    }

    /// An `error` came.
    pub(super) fn refused(&mut self, refusal: &Refusal, now: Time, out: &mut VecDeque<Output>) {
        match refusal.code {
            code @ (Code::CellRefused | Code::TooManyMoves) => {
                match self.asked.take() {
                    // The earlier cell stays in force; the radio tries again at the next boundary.
                    Some(Asked::Move { .. }) => return,
                    Some(Asked::Nothing) => self.asked = Some(Asked::Nothing),
                    Some(Asked::First) | None => self.refused = Some(code),
                }
                self.known = false;
                self.move_on(now, out);
            }
            Code::LocationNeeded => self.ranging.lost(),
            Code::TooManyMessages if refusal.channel.is_none() => {
                let wait = refusal.retry_after_ms.map_or(LOCATE_RETRY, |ms| Duration::from_millis(ms.into()));
                let unanswered = self.asked.is_some() || self.ranging.is_asked();
                self.again = self.again.or(Some(now + wait).filter(|_| unanswered));
            }
            _ => {}
        }
    }

    /// Whether a press would reach exactly as far as was chosen.
    pub(super) fn way(&self) -> Way {
        mutant!(self.mutants, TalkWithoutPlace => return Way::Open);
        match self.ranging.way(self.known, self.refused) {
            Way::Closed(_) if self.looking => Way::Wait,
            way => way,
        }
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        let epoch = self.epoch.filter(|_| self.may_move_on()).map(|epoch| epoch.due);
        epoch.into_iter().chain(self.again).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut VecDeque<Output>) {
        if self.again.take_if(|at| now >= *at).is_some() {
            // A move that was not taken in time waits for the next.
            if self.asked.as_ref().is_none_or(|asked| !asked.is_over(now)) {
                self.send(out);
            }
            self.ranging.send(out);
        }
        self.move_on(now, out);
    }

    /// Sends the first cell of all, or the first since a boundary: there is no earlier one to compare it with.
    fn say_first(&mut self, now: Time, out: &mut VecDeque<Output>) {
        let new = self.published.is_none() && self.spent.is_none() && self.wanted.is_some();
        if new && self.phase == Phase::Up {
            self.publish(now);
            self.asked = Some(Asked::First);
            self.send(out);
            self.sync(out);
        }
    }

    fn publish(&mut self, now: Time) {
        self.published = self.wanted.clone().map(|cell| Published { cell, stamp: None });
        self.spent = self.published.as_ref().map(|_| now);
    }

    /// It is time to send the cell, if it is a new one.
    fn move_on(&mut self, now: Time, out: &mut VecDeque<Output>) {
        let Some(epoch) = self.epoch.filter(|epoch| now >= epoch.due && self.may_move_on()) else { return };
        self.epoch = Some(epoch.after(now));
        self.spent.take_if(|at| self.published.is_none() && *at < epoch.due);
        let Some(wanted) = self.wanted.as_ref().filter(|_| now < epoch.boundary) else { return };
        let said = self.published.as_ref().map(|published| &published.cell);
        // While the last message is unanswered, we do not know which cell the server has.
        let moves = said != Some(wanted) || self.asked.is_some();
        if self.refused.is_some() {
            self.publish(now);
            self.asked = Some(Asked::First);
        } else if moves {
            self.asked = Some(Asked::Move { cell: wanted.clone(), boundary: epoch.boundary });
            self.spent = Some(now);
        } else {
            return;
        }
        self.send(out);
        self.sync(out);
    }

    /// Whether no message is on its way that must be answered first.
    fn may_move_on(&self) -> bool {
        self.phase != Phase::Greeting && !matches!(self.asked, Some(Asked::First | Asked::Nothing))
    }

    fn send(&self, out: &mut VecDeque<Output>) {
        if self.phase != Phase::Up {
            return;
        }
        let cell = match &self.asked {
            Some(Asked::First) => self.published.as_ref().map(|published| published.cell.clone()),
            Some(Asked::Move { cell, .. }) => Some(cell.clone()),
            Some(Asked::Nothing) => None,
            None => return,
        };
        out.push_back(Output::Send(ClientMessage::locate(cell)));
    }

    fn sync(&mut self, out: &mut VecDeque<Output>) {
        if self.phase == Phase::Up {
            self.ranging.sync(self.known || matches!(self.asked, Some(Asked::First)), out);
        }
    }
}

impl Asked {
    /// A move whose boundary is over.
    fn is_over(&self, now: Time) -> bool {
        matches!(self, Self::Move { boundary, .. } if now >= *boundary)
    }
}

impl Epoch {
    /// The first one that is not over at `now`.
    fn after(self, now: Time) -> Self {
        let mut boundary = self.boundary;
        while boundary <= now || boundary == self.boundary {
            boundary += EPOCH;
        }
        Self { due: self.due + boundary.since(self.boundary), boundary }
    }
}
