//! What was sent, what came, and how late.

use std::cell::RefCell;
use std::rc::Rc;

use hdrhistogram::Histogram;
use tokio::time::Instant;

/// Shared by all virtual users; everything runs on one thread.
#[derive(Clone)]
pub(crate) struct Score(Rc<RefCell<Inner>>);

pub(crate) struct Inner {
    pub(crate) latency: Histogram<u64>,
    /// Frames that listeners got.
    pub(crate) delivered: u64,
    /// Frames that listeners should have got.
    pub(crate) expected: u64,
    /// Frames sent by talkers.
    pub(crate) sent: u64,
    /// Frames told as lost by the server.
    pub(crate) gaps: u64,
    /// Frames that came twice or out of order.
    pub(crate) disorder: u64,
    /// Frames of no talker of this process.
    pub(crate) foreign: u64,
    /// Sockets that ended too soon.
    pub(crate) dropped: u32,
    /// Bursts that were not aired to their end.
    pub(crate) refused: u32,
    /// Of each talker: its participant number, and when each of its frames was due.
    talkers: Vec<(u32, Vec<Instant>)>,
    /// Moment of the last delivery.
    pub(crate) last: Instant,
}

impl Score {
    pub(crate) fn new(talkers: u32) -> Self {
        let latency = Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are in order");
        let talkers = vec![(0, Vec::new()); talkers as usize];
        Self(Rc::new(RefCell::new(Inner {
            latency,
            delivered: 0,
            expected: 0,
            sent: 0,
            gaps: 0,
            disorder: 0,
            foreign: 0,
            dropped: 0,
            refused: 0,
            talkers,
            last: Instant::now(),
        })))
    }

    /// The counts. Not to be held over an `await`.
    pub(crate) fn counts(&self) -> std::cell::RefMut<'_, Inner> {
        self.0.borrow_mut()
    }
}

impl Inner {
    pub(crate) fn talker_is(&mut self, talker: usize, participant: u32) {
        self.talkers[talker].0 = participant;
    }

    /// The talker with this participant number.
    pub(crate) fn talker(&self, participant: u32) -> Option<usize> {
        self.talkers.iter().position(|talker| talker.0 == participant)
    }

    /// A frame was sent to `listeners` listeners. Returns its number among the talker's frames.
    pub(crate) fn sent(&mut self, talker: usize, due: Instant, listeners: u64) {
        self.sent += 1;
        self.expected += listeners;
        self.talkers[talker].1.push(due);
    }

    /// A listener got the frame with this number among the talker's.
    pub(crate) fn delivered(&mut self, talker: usize, frame: usize, now: Instant) {
        let Some(due) = self.talkers[talker].1.get(frame) else {
            self.foreign += 1;
            return;
        };
        let micros = u64::try_from(now.duration_since(*due).as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros.max(1));
        self.delivered += 1;
        self.last = now;
    }
}
