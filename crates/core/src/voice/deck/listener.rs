//! One listener: what it hears, and how far it is.

use smallvec::SmallVec;
use tenfour_protocol::SignalGrade;
use tenfour_protocol::limits::BUNDLE_FRAMES;

use super::ready::Ready;
use super::{Burst, Item};
use crate::ConnId;
use crate::voice::{Cursor, Packet};

/// A connection that hears bursts.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) conn: ConnId,
    pub(super) bundle: u8,
    /// Spreads the listeners over the ticks of a bundle.
    pub(super) phase: u32,
    pub(super) state: State,
    /// In the order of their announcement. Nearly always one, which lies here: each line of memory
    /// that is touched for a write counts, since thousands are written to in a row.
    pub(super) entries: SmallVec<[Entry; 1]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Has taken what there was.
    Idle,
    /// Waits in the queue of those who may be due.
    Queued,
    /// The shell has it.
    InHand,
}

/// A burst that a listener hears.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) burst: usize,
    /// Index among the burst's listeners.
    pub(super) member: usize,
    pub(super) over: bool,
    announced: bool,
    grade: Option<SignalGrade>,
    cursor: Cursor,
}

impl Listener {
    pub(super) fn new(conn: ConnId) -> Self {
        // Six ticks fit both bundles of two and of three. Taken from the connection's number: its
        // place here would tell whether others have heard something before.
        let phase = (conn.0 % (2 * u64::from(BUNDLE_FRAMES))) as u32;
        Self { conn, bundle: 1, phase, state: State::Idle, entries: SmallVec::new() }
    }

    /// Queues it for a burst with so many listeners, unless it is known to have something.
    pub(super) fn wake(&mut self, place: usize, listeners: usize, ready: &mut Ready) {
        if self.state == State::Idle {
            self.state = State::Queued;
            ready.push(place, listeners);
        }
    }

    pub(super) fn take_entry(&mut self, burst: usize) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.burst == burst)?;
        Some(self.entries.remove(at))
    }

    pub(super) fn move_member(&mut self, burst: usize, member: usize) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.burst == burst) {
            entry.member = member;
        }
    }
}

impl Entry {
    pub(super) fn new(burst: usize, member: usize, grade: Option<SignalGrade>, cursor: Cursor) -> Self {
        Self { burst, member, over: false, announced: false, grade, cursor }
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
