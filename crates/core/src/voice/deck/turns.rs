//! Calling those whose turn it is.

use super::listener::State;
use super::ready::{Call, Ready};
use super::{Deck, Item};
use crate::{ConnId, Time};

/// About as much as a frame has: what is sent for nobody ahead of a large channel.
const FRAME_BYTES: usize = 100;

/// What a shell does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Writes to a listener of a small channel, before it asks for the next.
    Small(ConnId),
    /// Writes to a listener of a large channel, maybe together with those who come next.
    Large(ConnId),
    /// Does as much work for nobody, before it asks for the next: what follows must not show whether
    /// somebody was written to.
    Nobody {
        /// Who would have got it; in a large channel nobody in particular.
        conn: Option<ConnId>,
        /// Bytes of frames that they would have got.
        bytes: usize,
        /// Messages that they would have got.
        messages: usize,
    },
}

impl Turn {
    /// Who has something to write now.
    pub fn listener(self) -> Option<ConnId> {
        match self {
            Self::Small(conn) | Self::Large(conn) => Some(conn),
            Self::Nobody { .. } => None,
        }
    }
}

impl<A: Clone> Deck<A> {
    /// Whose turn it is. `now` is read from the clock each time.
    pub fn due(&mut self, now: Time) -> Option<Turn> {
        self.next_of(Ready::pop, now).or_else(|| {
            // A send that follows another is faster than one after a pause: before each there is another.
            self.ready.is_ahead().then_some(Turn::Nobody { conn: None, bytes: FRAME_BYTES, messages: 0 })
        })
    }

    /// The same, when it is somebody in a small channel: those are served at once.
    pub fn due_in_small(&mut self, now: Time) -> Option<Turn> {
        self.next_of(Ready::pop_small, now)
    }

    /// Whether [`Deck::due`] may have somebody, now or within [`TURNS`](tenfour_protocol::limits::TURNS) turns:
    /// a shell asks until it is so no more.
    pub fn has_due(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When [`Deck::due`] has somebody next, for a shell whose clock leaps.
    pub fn next_due(&mut self) -> Option<Time> {
        self.ready.next()
    }

    fn next_of(&mut self, pop: fn(&mut Ready, Time) -> Option<Call>, now: Time) -> Option<Turn> {
        loop {
            let call = pop(&mut self.ready, now)?;
            if let Some(turn) = self.turn(call) {
                return Some(turn);
            }
        }
    }

    /// None for somebody who has gone, or needs nothing in a large channel.
    fn turn(&mut self, call: Call) -> Option<Turn> {
        let listener = self.listeners.get_mut(call.index)?;
        let mut entries = listener.entries.iter_mut();
        let entry = entries.find(|entry| entry.burst == call.burst && entry.called)?;
        entry.called = false;
        if !entry.hears {
            return Some(self.unheard(call));
        }
        let burst = &self.bursts[call.burst];
        let waits = |listener: &super::Listener| {
            listener.entries.iter().any(|entry| entry.waits(&self.bursts[entry.burst]))
        };
        if listener.state == State::Idle && waits(listener) {
            listener.state = State::InHand;
            let conn = listener.conn;
            self.named.add(conn, call.index);
            return Some(if burst.small { Turn::Small(conn) } else { Turn::Large(conn) });
        }
        // It has had all with something else, or its socket is full: its turn passes as any other.
        let (conn, bytes) = (Some(listener.conn), burst.log.newest_bytes());
        burst.small.then_some(Turn::Nobody { conn, bytes, messages: 0 })
    }

    /// The turn of somebody who does not hear: takes what they would have got.
    fn unheard(&mut self, call: Call) -> Turn {
        let listener = &mut self.listeners[call.index];
        let burst = &self.bursts[call.burst];
        let (conn, mut bytes, mut messages) = (Some(listener.conn), 0, 0);
        if let Some(entry) = listener.entries.iter_mut().find(|entry| entry.burst == call.burst) {
            let mut items = Vec::new();
            entry.gather(burst, usize::MAX, &mut items);
            for item in items {
                match item {
                    Item::Voice(packet) => bytes += packet.bytes().len(),
                    Item::Started(_) | Item::Gap { .. } | Item::Ended(_) => messages += 1,
                }
            }
            entry.advance(burst, usize::MAX);
        }
        if let Some(entry) = listener.take_over(call.burst) {
            self.free(call.index);
            self.leave_members(call.burst, entry.member);
        }
        Turn::Nobody { conn, bytes, messages }
    }
}
