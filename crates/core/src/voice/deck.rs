//! What one worker's listeners hear.

mod burst;
mod by_grade;
mod figures;
mod listener;
mod ready;
mod seats;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slab::Slab;
use tenfour_protocol::BurstNo;
use tenfour_protocol::limits::BUNDLE_FRAMES;

use self::burst::{Burst, largest_bundle};
use self::listener::{Listener, State};
use self::ready::{Call, Named, Ready};
use super::{BurstLog, Packet};
use crate::hub::{StartAt, Tuned};
use crate::mutants::Mutants;
use crate::{ConnId, Time, mutant};

pub use self::by_grade::ByGrade;
pub use self::figures::DeckFigures;
pub use self::ready::NAMED;
pub use self::turns::Turn;

/// A bundle that is not full is sent when no frame came for this long: the talker pauses.
const BUNDLE_WAIT: Duration = Duration::from_millis(40);
/// A burst is kept this much longer than its last frame, so that a listener whom the hub has just sent here still
/// learns how it ended.
pub const LINGER: Duration = Duration::from_secs(1);

/// Something to write to a listener. `A` is an announcement, encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<A> {
    /// A burst begins, or is entered.
    Started(A),
    /// The next frame.
    Voice(Packet),
    /// Frames that this listener has missed.
    Gap {
        /// Which burst.
        burst: BurstNo,
        /// First sequence number missed.
        from: u16,
        /// The one after the last missed.
        to: u16,
    },
    /// A burst is over.
    Ended(A),
}

/// The logs of the bursts that this worker's listeners hear, and their cursors.
///
/// The shell names only connections of its own worker, and calls [`Deck::remove`] when one ends. After each call it
/// asks [`Deck::due`] until that returns nobody. For each listener it gathers, writes, and advances by what was
/// written. `due` does not name a listener again until it was advanced to its end, or [`Deck::gather`] had nothing
/// for it. Until then the listener is in the shell's hand, and the shell goes on when the socket takes more.
///
/// The time at which a frame leaves says nothing about who else hears it (docs/adr/0021). Each member of a burst has
/// a turn, [`TURN`](tenfour_protocol::limits::TURN) after the one before. In a small channel everybody who is tuned
/// is a member; the turn of somebody who does not hear is a [`Turn::Nobody`]. In a large channel only those who hear
/// are members, and each gets one of as many turns at random.
#[derive(Debug)]
pub struct Deck<A> {
    hold: Duration,
    bursts: Slab<Burst<A>>,
    numbers: BTreeMap<BurstNo, usize>,
    listeners: Slab<Listener>,
    connections: BTreeMap<ConnId, usize>,
    ready: Ready,
    named: Named,
    /// One for each burst that has a deadline.
    deadlines: BTreeSet<(Time, usize)>,
    mutants: Mutants,
}

impl<A: Clone> Deck<A> {
    /// An empty deck that keeps each frame for `hold`.
    pub fn new(hold: Duration) -> Self {
        Self {
            hold,
            bursts: Slab::new(),
            numbers: BTreeMap::new(),
            listeners: Slab::new(),
            connections: BTreeMap::new(),
            ready: Ready::new(),
            named: Named::new(),
            deadlines: BTreeSet::new(),
            mutants: Mutants::default(),
        }
    }

    /// The same, with these mutants.
    pub fn broken(self, mutants: Mutants) -> Self {
        Self { mutants, ..self }
    }

    /// A burst begins. `started` is the announcement for each grade; `bundle` frames are sent at once. A number that
    /// is known is ignored. In a `small` channel `tuned` is everybody who is tuned, and their turns are in that
    /// order.
    pub fn open(
        &mut self,
        number: BurstNo,
        started: ByGrade<A>,
        bundle: u8,
        small: bool,
        tuned: impl IntoIterator<Item = Tuned>,
        now: Time,
    ) {
        if self.numbers.contains_key(&number) {
            return;
        }
        let log = BurstLog::new(self.hold);
        let burst = self.bursts.insert(Burst::new(number, started, bundle, small, log));
        self.numbers.insert(number, burst);
        for who in tuned {
            self.enter(burst, who, StartAt::Live, None);
        }
        self.wake_members(burst, now);
        self.schedule(burst, now);
    }

    /// A frame of a burst. One of a burst that is unknown or over is dropped.
    pub fn append(&mut self, number: BurstNo, packet: Packet, now: Time) {
        let Some(&slot) = self.numbers.get(&number) else { return };
        let burst = &mut self.bursts[slot];
        if burst.ended.is_some() {
            return;
        }
        if burst.log.next_index() == 0 {
            burst.bundle = largest_bundle(&packet);
        }
        if !burst.log.append(packet) {
            return;
        }
        let frames = burst.log.next_index();
        let mut bundled = false;
        for &index in &burst.members {
            let listener = &mut self.listeners[index];
            let bundle = listener.bundle.max(burst.crowd).min(burst.bundle);
            bundled |= bundle > 1;
            if bundle <= 1 || (frames + listener.phase).is_multiple_of(u32::from(bundle)) {
                listener.wake(Call { index, burst: slot }, burst.small, &mut self.ready, now);
            }
        }
        burst.flush = bundled.then(|| now + BUNDLE_WAIT);
        self.schedule(slot, now);
    }

    /// A burst is over. `ended` is for each listener.
    pub fn close(&mut self, number: BurstNo, ended: A, now: Time) {
        let Some(&slot) = self.numbers.get(&number) else { return };
        let burst = &mut self.bursts[slot];
        if burst.ended.is_some() {
            return;
        }
        burst.ended = Some(ended);
        burst.flush = None;
        burst.forget = Some(now + self.hold + LINGER);
        self.wake_members(slot, now);
        self.schedule(slot, now);
    }

    /// How many frames must wait before `conn` is due: 1 to [`BUNDLE_FRAMES`]. Announcements, gaps and the end of a
    /// burst do not wait.
    pub fn set_bundle(&mut self, conn: ConnId, frames: u8) {
        let index = self.index_of(conn);
        self.listeners[index].bundle = frames.clamp(1, BUNDLE_FRAMES);
    }

    /// The frames that `conn` should get next, if nothing but frames waits for it, which is nearly always so. They
    /// are borrowed, so that no reference count changes for each listener. Like [`Deck::gather`] it takes nothing
    /// away. If it returns none, ask [`Deck::gather`].
    pub fn frames(&self, conn: ConnId) -> Option<impl ExactSizeIterator<Item = &Packet>> {
        match &self.listeners[self.find(conn)?].entries[..] {
            [entry] => entry.frames(&self.bursts[entry.burst]),
            _ => None,
        }
    }

    /// Appends to `out` what `conn` should get next, at most `max_items`. It takes nothing away: after writing,
    /// [`Deck::advance`] does. Call nothing in between.
    pub fn gather(&mut self, conn: ConnId, max_items: usize, out: &mut Vec<Item<A>>) {
        let Some(index) = self.find(conn) else { return };
        let listener = &mut self.listeners[index];
        let full = out.len() + max_items;
        for entry in &listener.entries {
            entry.gather(&self.bursts[entry.burst], full, out);
            if out.len() == full {
                return;
            }
        }
        if out.len() + max_items == full && listener.state == State::InHand {
            listener.state = State::Idle;
        }
    }

    /// The first `items` of what was gathered for `conn` are written.
    pub fn advance(&mut self, conn: ConnId, items: usize) {
        let Some(index) = self.find(conn) else { return };
        let listener = &mut self.listeners[index];
        let (mut left, mut over, mut done) = (items, 0, true);
        for entry in &mut listener.entries {
            let burst = &self.bursts[entry.burst];
            left -= entry.advance(burst, left);
            over += usize::from(entry.over);
            done &= entry.over || !entry.waits(burst);
        }
        debug_assert_eq!(left, 0, "advanced by more than was gathered");
        if done && listener.state == State::InHand {
            listener.state = State::Idle;
        }
        if over > 0 {
            self.drop_over(index, over);
        }
    }

    /// When [`Deck::handle_timeout`] is due: a frame has to be wiped, or a pause ends a bundle.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|&(at, _)| at)
    }

    /// Wipes frames whose hold is over, and forgets bursts that ended and that every listener has taken.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&(at, slot)) = self.deadlines.first()
            && at <= now
        {
            self.deadlines.pop_first();
            self.bursts[slot].deadline = None;
            self.expire(slot, now);
        }
    }

    fn expire(&mut self, slot: usize, now: Time) {
        mutant!(self.mutants, ForgetOneLog => super::mutants::leak(&self.bursts[slot].log));
        let burst = &mut self.bursts[slot];
        // Nobody has to be woken for a gap: a listener that far behind is in the shell's hand, since even a bundle
        // does not wait as long as a hold.
        burst.log.expire(now);
        if burst.flush.take_if(|flush| *flush <= now).is_some() {
            self.wake_members(slot, now);
        }
        if !self.forget_if_over(slot, now) {
            self.schedule(slot, now);
        }
    }

    /// Takes out the entries of bursts that this listener has heard to the end.
    fn drop_over(&mut self, index: usize, over: usize) {
        for _ in 0..over {
            let entries = &mut self.listeners[index].entries;
            let Some(at) = entries.iter().position(|entry| entry.over) else { return };
            let entry = entries.remove(at);
            self.leave_members(entry.burst, entry.member);
        }
    }

    fn wake_members(&mut self, slot: usize, now: Time) {
        for &index in &self.bursts[slot].members {
            self.listeners[index].wake_if(index, slot, &self.bursts[slot], &mut self.ready, now);
        }
    }

    fn forget_if_over(&mut self, slot: usize, now: Time) -> bool {
        let burst = &self.bursts[slot];
        let over = burst.members.is_empty() && burst.forget.is_some_and(|at| at <= now);
        if over {
            self.forget(slot);
        }
        over
    }

    fn forget(&mut self, slot: usize) {
        let burst = self.bursts.remove(slot);
        self.numbers.remove(&burst.number);
    }

    /// Updates the burst's deadline.
    fn schedule(&mut self, slot: usize, now: Time) {
        let burst = &mut self.bursts[slot];
        let forget = burst.forget.filter(|&at| at > now);
        let deadline = sooner(sooner(burst.log.expiry(), burst.flush), forget);
        let old = std::mem::replace(&mut burst.deadline, deadline);
        if deadline != old {
            if let Some(old) = old {
                self.deadlines.remove(&(old, slot));
            }
            if let Some(new) = deadline {
                self.deadlines.insert((new, slot));
            }
        }
    }
}

/// The earlier of two times, if there are any. Runs for each frame.
fn sooner(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
