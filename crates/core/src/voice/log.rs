//! The frames of one burst, kept once.

use std::collections::VecDeque;
use std::time::Duration;

use super::Packet;
use crate::Time;
use crate::hub::StartAt;

/// Frames of one burst in their order, each until its hold is over.
///
/// A frame has an index, its position in the log, and a sequence number, given by the talker. Both grow. Only the
/// sequence number may have holes, where the uplink dropped a frame.
#[derive(Debug)]
pub struct BurstLog {
    hold: Duration,
    frames: VecDeque<Packet>,
    /// Bytes of the held frames.
    bytes: usize,
    /// Index of the first held frame.
    first: u32,
    /// Sequence numbers below are wiped.
    wiped: u16,
    /// The sequence number after the newest.
    next: u16,
}

/// A listener's position in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    index: u32,
    seq: u16,
}

impl BurstLog {
    /// An empty log that keeps each frame for `hold` after it arrived.
    pub fn new(hold: Duration) -> Self {
        Self { hold, frames: VecDeque::new(), bytes: 0, first: 0, wiped: 0, next: 0 }
    }

    /// Adds the next frame. Does nothing and returns false if its number is not larger.
    pub fn append(&mut self, packet: Packet) -> bool {
        let grows = packet.seq() >= self.next && packet.seq() < u16::MAX;
        if grows {
            self.next = packet.seq() + 1;
            self.bytes += packet.bytes().len();
            self.frames.push_back(packet);
        }
        grows
    }

    /// Index of the next frame to come.
    pub fn next_index(&self) -> u32 {
        self.first + self.frames.len() as u32
    }

    /// Frames that are held.
    pub fn held(&self) -> usize {
        self.frames.len()
    }

    /// When the oldest held frame arrived.
    pub fn oldest(&self) -> Option<Time> {
        self.frames.front().map(Packet::arrived)
    }

    /// When the oldest held frame has to go.
    pub fn expiry(&self) -> Option<Time> {
        self.oldest().map(|arrived| arrived + self.hold)
    }

    /// Bytes of the held frames.
    pub fn held_bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the newest held frame.
    pub(super) fn newest_bytes(&self) -> usize {
        self.frames.back().map_or(0, |packet| packet.bytes().len())
    }

    /// Wipes each frame whose hold is over, and says how many.
    pub fn expire(&mut self, now: Time) -> usize {
        let mut wiped = 0;
        while let Some(front) = self.frames.front()
            && front.arrived() + self.hold <= now
        {
            self.wiped = front.seq() + 1;
            self.bytes -= front.bytes().len();
            self.frames.pop_front();
            wiped += 1;
        }
        self.first += wiped as u32;
        wiped
    }

    /// A cursor that begins at `from`.
    pub fn cursor(&self, from: StartAt) -> Cursor {
        match from {
            StartAt::Live => Cursor { index: self.next_index(), seq: self.next },
            StartAt::Oldest => Cursor { index: self.first, seq: self.wiped },
            StartAt::Seq(seq) => {
                let before = self.frames.partition_point(|packet| packet.seq() < seq);
                Cursor { index: self.first + before as u32, seq }
            }
        }
    }

    /// The frames that the cursor's listener has missed for good: the first number, and the one after the last.
    pub fn gap(&self, cursor: Cursor) -> Option<(u16, u16)> {
        (cursor.seq < self.wiped).then_some((cursor.seq, self.wiped))
    }

    /// The cursor after its gap.
    pub fn skip_gap(&self, cursor: Cursor) -> Cursor {
        Cursor { index: cursor.index.max(self.first), seq: cursor.seq.max(self.wiped) }
    }

    /// The held frames from the cursor on.
    pub fn frames(&self, cursor: Cursor) -> impl ExactSizeIterator<Item = &Packet> {
        self.frames.range(self.position(cursor)..)
    }

    /// How many frames [`BurstLog::frames`] has.
    pub fn waiting(&self, cursor: Cursor) -> usize {
        self.frames.len() - self.position(cursor)
    }

    /// The cursor after `count` of its frames, or after all when there are fewer.
    pub fn skip(&self, cursor: Cursor, count: usize) -> Cursor {
        let position = (self.position(cursor) + count).min(self.frames.len());
        let seq = match position.checked_sub(1) {
            Some(last) if count > 0 => cursor.seq.max(self.frames[last].seq() + 1),
            _ => cursor.seq,
        };
        Cursor { index: self.first + position as u32, seq }
    }

    /// Position of the cursor among the held frames.
    fn position(&self, cursor: Cursor) -> usize {
        (cursor.index.saturating_sub(self.first) as usize).min(self.frames.len())
    }
}
