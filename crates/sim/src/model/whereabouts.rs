//! Where the server must believe everybody to be: docs/protocol.md 2.2, from what clients say
//! and what the server answers.

use std::collections::BTreeMap;
use std::time::Duration;

use h3o::CellIndex;
use tenfour_core::hub::HubFigures;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::limits::{EPOCH, FIRST_CELLS_PER_HOUR, MOVES_PER_HOUR};
use tenfour_protocol::{
    ClientMessage, Code, Country, GeoCell, Participant, ParticipantNo, Ranges, ServerMessage,
};

use crate::place::{Heard, Position, cell_of, heard};

/// How every cell of resolution 6 ends as text, and nothing else that the server sends.
const END_OF_A_CELL: &str = "ffffff";

/// One session.
#[derive(Default)]
struct Place {
    cell: Option<CellIndex>,
    /// From the next boundary on.
    next: Option<CellIndex>,
    /// A cell was taken on this connection.
    settled: bool,
    ranges: Ranges,
    country: Option<Country>,
}

/// What a connection said with its last message, as far as it was not answered.
struct Asked {
    conn: ConnId,
    cell: Option<Cell>,
    stamp: Option<String>,
    ranges: Option<Ranges>,
}

/// The newest stamp of a client.
struct Stamped {
    text: String,
    cell: CellIndex,
    /// When that cell was in force last.
    at: Time,
}

#[derive(Clone, Copy)]
enum Cell {
    Good(CellIndex),
    Bad,
    TakenBack,
}

/// Budgets of moves.
#[derive(Default)]
struct Spent {
    firsts: usize,
    moves: usize,
}

/// Where everybody is.
#[derive(Default)]
pub(super) struct Whereabouts {
    unix_at_zero: Duration,
    places: BTreeMap<ParticipantNo, Place>,
    spent: BTreeMap<usize, Spent>,
    stamps: BTreeMap<usize, Stamped>,
    asked: Option<Asked>,
    /// Cells as decimal digits, which nobody may be told.
    cells: Vec<String>,
}

/// A broken rule, in words.
type Judged = Result<(), String>;

fn must(holds: bool, what: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(what()) }
}

impl Whereabouts {
    pub(super) fn new(unix_at_zero: Duration) -> Self {
        Self { unix_at_zero, ..Self::default() }
    }

    /// Whether `listener` hears a burst that `talker` began with the transmit range `tx`.
    pub(super) fn heard(
        &self,
        talker: ParticipantNo,
        tx: tenfour_protocol::Range,
        listener: ParticipantNo,
    ) -> Heard {
        let place = |who| self.places.get(&who).and_then(|place| place.cell);
        let rx = self.places.get(&listener).map(|place| place.ranges.rx).unwrap_or_default();
        heard(place(talker), tx, place(listener), rx)
    }

    pub(super) fn ranges(&self, who: ParticipantNo) -> Ranges {
        self.places.get(&who).map(|place| place.ranges).unwrap_or_default()
    }

    /// How often somebody was in another cell after a boundary.
    pub(super) fn moves(&self) -> usize {
        self.spent.values().map(|spent| spent.moves).sum()
    }

    /// A message reaches the hub.
    pub(super) fn says(&mut self, conn: ConnId, message: &ClientMessage) {
        let (cell, stamp, ranges) = match message {
            ClientMessage::Hello { place: Some(place), range, .. } => {
                (Some(Some(&place.cell)), place.stamp.clone(), *range)
            }
            ClientMessage::Hello { place: None, range, .. } => (None, None, *range),
            ClientMessage::Locate { cell, stamp } => (Some(cell.as_ref()), stamp.clone(), None),
            ClientMessage::Range { tx, rx } => (None, None, Some(Ranges { tx: *tx, rx: *rx })),
            _ => (None, None, None),
        };
        let cell = cell.map(|cell| cell.map_or(Cell::TakenBack, |cell| self.read(cell)));
        self.asked = Some(Asked { conn, cell, stamp, ranges });
    }

    fn read(&mut self, said: &GeoCell) -> Cell {
        let Some(cell) = cell_of(said) else { return Cell::Bad };
        let digits = u64::from(cell).to_string();
        if !self.cells.contains(&digits) {
            self.cells.push(digits);
        }
        Cell::Good(cell)
    }

    /// The hub has done all that follows from the message.
    pub(super) fn answered(&mut self) {
        self.asked = None;
    }

    /// A connection has this session now, and nothing is known but what its `hello` says.
    pub(super) fn arrives(&mut self, (client, conn, who): (usize, ConnId, ParticipantNo), now: Time) {
        self.drops(client, who, now);
        let place = self.places.entry(who).or_default();
        let comes = self.asked.as_ref().is_some_and(|asked| asked.conn == conn && asked.cell.is_some());
        // Others see the country they saw until the server has judged the new cell.
        let country = place.country.filter(|_| comes);
        *place = Place { country, ..Place::default() };
    }

    /// A session lost its connection. Its country stays to be seen until it is back.
    pub(super) fn drops(&mut self, client: usize, who: ParticipantNo, now: Time) {
        let place = self.places.entry(who).or_default();
        if let Some(stamped) = self.stamps.get_mut(&client).filter(|_| place.cell.is_some()) {
            stamped.at = now;
        }
        *place = Place { country: place.country, ..Place::default() };
    }

    /// The server tells one connection something.
    pub(super) fn told(
        &mut self,
        (client, conn, who): (usize, ConnId, ParticipantNo),
        message: &ServerMessage,
        now: Time,
    ) -> Judged {
        let asked = self.asked.as_mut().filter(|asked| asked.conn == conn);
        match message {
            ServerMessage::Located { shared, country, stamp, effective_in_ms } => {
                let (cell, shown) =
                    asked.map(|asked| (asked.cell.take(), asked.stamp.take())).unwrap_or_default();
                let told = (*shared, stamp.is_some(), *effective_in_ms);
                self.located(client, who, (cell, shown), told, now)?;
                if let (Some(text), Some(cell)) = (stamp.clone(), self.places[&who].cell) {
                    self.stamps.insert(client, Stamped { text, cell, at: now });
                }
                let known = self.places[&who].country;
                must(*country == known, || format!("client {client} is told {country:?}, not {known:?}"))
            }
            ServerMessage::Ranged { tx, rx } => {
                let ranges = asked.and_then(|asked| asked.ranges.take()).unwrap_or_default();
                let place = self.places.entry(who).or_default();
                place.ranges = ranges;
                let limited = !ranges.are_unlimited();
                must(!limited || place.cell.is_some(), || format!("client {client} has {ranges:?} nowhere"))?;
                must(ranges == Ranges { tx: *tx, rx: *rx }, || format!("client {client} has {tx} and {rx}"))
            }
            ServerMessage::Error { refusal } => {
                let asked = asked.map(|asked| (asked.cell, asked.ranges));
                self.refused(client, who, asked, refusal.code)
            }
            _ => Ok(()),
        }
    }

    fn located(
        &mut self,
        client: usize,
        who: ParticipantNo,
        (asked, shown): (Option<Cell>, Option<String>),
        (shared, stamp, effective_in): (bool, bool, Option<u32>),
        now: Time,
    ) -> Judged {
        let to_boundary = self.to_boundary(now);
        let into_epoch = EPOCH - to_boundary;
        let stamped = self.stamps.get(&client).filter(|stamped| Some(&stamped.text) == shown.as_ref());
        let moves_from = stamped.filter(|stamped| now.since(stamped.at) <= into_epoch).map(|it| it.cell);
        let place = self.places.entry(who).or_default();
        let expected = match asked {
            Some(Cell::TakenBack) => {
                let settled = place.settled;
                *place = Place { settled, ..Place::default() };
                (false, false, None)
            }
            Some(Cell::Good(cell)) if !place.settled && moves_from.is_some_and(|from| from != cell) => {
                self.spent.entry(client).or_default().firsts += 1;
                *place = Place { next: Some(cell), settled: true, ranges: place.ranges, ..Place::default() };
                (false, false, Some(to_boundary.as_millis() as u32))
            }
            Some(Cell::Good(cell)) if !place.settled => {
                place.put(cell);
                self.spent.entry(client).or_default().firsts += 1;
                (true, true, None)
            }
            Some(Cell::Good(cell)) if place.cell == Some(cell) => {
                place.next = None;
                (true, false, None)
            }
            Some(Cell::Good(cell)) => {
                place.next = Some(cell);
                (place.cell.is_some(), false, Some(to_boundary.as_millis() as u32))
            }
            Some(Cell::Bad) => return Err(format!("client {client} is somewhere that is no cell")),
            None => {
                let Some(cell) = place.next.take() else {
                    return Err(format!("client {client} is told of a move it never made"));
                };
                place.put(cell);
                let spent = self.spent.entry(client).or_default();
                spent.moves += 1;
                must(spent.moves <= MOVES_PER_HOUR, || format!("client {client} moves too often"))?;
                must(to_boundary == EPOCH, || {
                    format!("client {client} moves {to_boundary:?} before a boundary")
                })?;
                (true, true, None)
            }
        };
        let told = (shared, stamp, effective_in);
        must(told == expected, || format!("client {client} is located as {told:?}, not {expected:?}"))
    }

    fn refused(
        &mut self,
        client: usize,
        who: ParticipantNo,
        asked: Option<(Option<Cell>, Option<Ranges>)>,
        code: Code,
    ) -> Judged {
        let (cell, ranges) = asked.unwrap_or_default();
        let place = self.places.entry(who).or_default();
        if matches!(code, Code::CellRefused | Code::TooManyMoves) && !place.settled {
            place.country = None;
        }
        let spent = self.spent.entry(client).or_default();
        let right = match code {
            Code::CellRefused => matches!(cell, Some(Cell::Bad)),
            Code::LocationNeeded => {
                place.cell.is_none() && ranges.is_some_and(|ranges| !ranges.are_unlimited())
            }
            Code::TooManyMoves => spent.firsts >= FIRST_CELLS_PER_HOUR || spent.moves >= MOVES_PER_HOUR,
            _ => true,
        };
        must(right, || format!("client {client} is refused with {code:?}"))
    }

    /// No message may carry a cell, and all must name the same country of somebody.
    pub(super) fn tells_no_place(&self, message: &ServerMessage) -> Judged {
        let text = serde_json::to_string(message).expect("messages are JSON");
        let found = text.contains(END_OF_A_CELL) || self.cells.iter().any(|digits| text.contains(digits));
        must(!found, || format!("somebody is told a cell: {text}"))?;
        match message {
            ServerMessage::Tuned { participants, .. } | ServerMessage::Participants { participants, .. } => {
                self.countries(participants)
            }
            ServerMessage::Presence { joined, changed, .. } => {
                self.countries(joined)?;
                self.countries(changed)
            }
            ServerMessage::BurstStarted { talker, .. } => self.countries(std::slice::from_ref(talker)),
            _ => Ok(()),
        }
    }

    fn countries(&self, participants: &[Participant]) -> Judged {
        participants.iter().try_for_each(|participant| {
            let known = self.places.get(&participant.id).and_then(|place| place.country);
            let told = participant.person.country;
            must(told == known, || format!("{:?} is said to be in {told:?}, not {known:?}", participant.id))
        })
    }

    /// The server knows the places and moves that it must, and no others.
    pub(super) fn agrees(&self, figures: HubFigures) -> Judged {
        let located = self.places.values().filter(|place| place.cell.is_some()).count();
        let moving = self.places.values().filter(|place| place.next.is_some()).count();
        must((figures.located, figures.moving) == (located, moving), || {
            format!(
                "the hub knows {} places and {} moves, not {located} and {moving}",
                figures.located, figures.moving
            )
        })
    }

    fn to_boundary(&self, now: Time) -> Duration {
        let unix = (self.unix_at_zero + (now - Time::ZERO)).as_micros();
        EPOCH - Duration::from_micros((unix % EPOCH.as_micros()) as u64)
    }
}

impl Place {
    fn put(&mut self, cell: CellIndex) {
        *self = Self {
            cell: Some(cell),
            next: None,
            settled: true,
            country: Position::centre(cell).country(),
            ranges: self.ranges,
        };
    }
}
