//! One listener: what it hears, and how far it is.

use smallvec::SmallVec;
use tenfour_protocol::SignalGrade;
use tenfour_protocol::limits::BUNDLE_FRAMES;

use super::ready::{Call, Ready};
use super::{Burst, Item};
use crate::ConnId;
use crate::Time;
use crate::voice::{Cursor, Packet};

/// A connection that hears bursts. Or somebody who is tuned but does not hear a certain burst: then this has one
/// entry, for that burst.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) conn: ConnId,
    pub(super) bundle: u8,
    /// Spreads listeners over the frames of a bundle, so that they are not all served at once.
    pub(super) phase: u32,
    pub(super) state: State,
    /// In the order of their announcement. There is nearly always one, and it is stored inline: thousands of
    /// listeners are written to in a row, so each cache line counts.
    pub(super) entries: SmallVec<[Entry; 1]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Has taken everything, or will be called for what waits.
    Idle,
    /// The shell has it.
    InHand,
}

/// A burst that a listener hears, or follows without hearing it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) burst: usize,
    /// Index among the burst's members.
    pub(super) member: usize,
    /// Which turn of a frame is its own.
    pub(super) turn: u8,
    /// False for somebody who is only tuned.
    pub(super) hears: bool,
    /// Is called, now or later.
    pub(super) called: bool,
    pub(super) over: bool,
    announced: bool,
    grade: Option<SignalGrade>,
    cursor: Cursor,
}

impl Listener {
    pub(super) fn new(conn: ConnId) -> Self {
        // Six is a multiple of both two and three, the sizes of bundles. The phase follows from the connection's
        // number: the index here would tell whether others heard something before.
        let phase = (conn.0 % (2 * u64::from(BUNDLE_FRAMES))) as u32;
        Self { conn, bundle: 1, phase, state: State::Idle, entries: SmallVec::new() }
    }

    /// Calls the listener for a burst, unless it is called already. A listener in the shell's hand needs no call, but
    /// in a small channel it still gets its turn.
    pub(super) fn wake(&mut self, call: Call, small: bool, ready: &mut Ready, now: Time) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.burst == call.burst) else { return };
        if !entry.called && (small || self.state == State::Idle) {
            entry.called = true;
            ready.push(call, small, entry.turn, now);
        }
    }

    /// The same, when something waits.
    pub(super) fn wake_if<A>(
        &mut self,
        index: usize,
        slot: usize,
        burst: &Burst<A>,
        ready: &mut Ready,
        now: Time,
    ) {
        if self.entries.iter().any(|entry| entry.burst == slot && entry.waits(burst)) {
            self.wake(Call { index, burst: slot }, burst.small, ready, now);
        }
    }

    pub(super) fn take_entry(&mut self, burst: usize) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.burst == burst)?;
        Some(self.entries.remove(at))
    }

    /// The same, when it is over.
    pub(super) fn take_over(&mut self, burst: usize) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.burst == burst && entry.over)?;
        Some(self.entries.remove(at))
    }

    pub(super) fn move_member(&mut self, burst: usize, member: usize) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.burst == burst) {
            entry.member = member;
        }
    }
}

impl Entry {
    /// An entry of somebody who does not hear; see [`Entry::heard`].
    pub(super) fn new(burst: usize, member: usize, turn: u8, cursor: Cursor) -> Self {
        let (called, over, announced) = (false, false, false);
        Self { burst, member, turn, hears: false, called, over, announced, grade: None, cursor }
    }

    /// The same, for somebody who hears.
    pub(super) fn heard(self, grade: Option<SignalGrade>) -> Self {
        Self { hears: true, grade, ..self }
    }

    /// The same, for somebody who hears no more: it goes on where it is.
    pub(super) fn unheard(self) -> Self {
        Self { hears: false, ..self }
    }

    /// The same as another member, who has to be called anew.
    pub(super) fn moved(self, member: usize) -> Self {
        Self { member, called: false, ..self }
    }

    /// Whether there is something to write.
    pub(super) fn waits<A>(&self, burst: &Burst<A>) -> bool {
        !self.announced
            || burst.ended.is_some()
            || burst.log.waiting(self.cursor) > 0
            || burst.log.gap(self.cursor).is_some()
    }

    /// The frames that wait, when they are all that does.
    pub(super) fn frames<'a, A>(
        &self,
        burst: &'a Burst<A>,
    ) -> Option<impl ExactSizeIterator<Item = &'a Packet> + use<'a, A>> {
        let other = !self.announced || burst.ended.is_some() || burst.log.gap(self.cursor).is_some();
        let frames = burst.log.frames(self.cursor);
        (!other && frames.len() > 0).then_some(frames)
    }

    /// Appends what is to be written, until `out` has `full` items.
    pub(super) fn gather<A: Clone>(&self, burst: &Burst<A>, full: usize, out: &mut Vec<Item<A>>) {
        if !self.announced && out.len() < full {
            out.push(Item::Started(burst.started.of(self.grade).clone()));
        }
        if let Some((from, to)) = burst.log.gap(self.cursor)
            && out.len() < full
        {
            out.push(Item::Gap { burst: burst.number, from, to });
        }
        let room = full - out.len();
        out.extend(burst.log.frames(self.cursor).take(room).cloned().map(Item::Voice));
        if let Some(ended) = &burst.ended
            && out.len() < full
        {
            out.push(Item::Ended(ended.clone()));
        }
    }

    /// Takes up to `items`, in the order of `gather`, and says how many.
    pub(super) fn advance<A>(&mut self, burst: &Burst<A>, items: usize) -> usize {
        let mut left = items;
        if !self.announced && left > 0 {
            self.announced = true;
            left -= 1;
        }
        if burst.log.gap(self.cursor).is_some() && left > 0 {
            self.cursor = burst.log.skip_gap(self.cursor);
            left -= 1;
        }
        let frames = burst.log.waiting(self.cursor).min(left);
        self.cursor = burst.log.skip(self.cursor, frames);
        left -= frames;
        if burst.ended.is_some() && left > 0 {
            self.over = true;
            left -= 1;
        }
        items - left
    }
}
