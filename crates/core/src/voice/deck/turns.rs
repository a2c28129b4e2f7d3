//! Whose turn it is.

use super::listener::State;
use super::ready::{Call, Ready};
use super::{Deck, Item};
use crate::{ConnId, Time};

/// About the size of a frame: the work that is done for nobody before a large channel's turn.
const FRAME_BYTES: usize = 100;

/// What a shell does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Writes to a listener of a small channel, before it asks for the next.
    Small(ConnId),
    /// Writes to a listener of a large channel, maybe together with those who come next.
    Large(ConnId),
    /// Does equal work for nobody, before it asks for the next turn: the time of what follows must not show whether
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
            // A send right after another is faster than one after a pause. So we make sure that there is always one
            // before.
            self.ready.is_ahead().then_some(Turn::Nobody { conn: None, bytes: FRAME_BYTES, messages: 0 })
        })
    }

    /// The same, when it is somebody in a small channel: those are served at once.
    pub fn due_in_small(&mut self, now: Time) -> Option<Turn> {
        self.next_of(Ready::pop_small, now)
    }

    /// Whether [`Deck::due`] may return somebody, now or within [`TURNS`](tenfour_protocol::limits::TURNS) turns. A
    /// shell asks until this is false.
    pub fn has_due(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When [`Deck::due`] will return somebody, for a shell that runs in virtual time.
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
        // It got everything in another turn, or its socket is full. Its turn takes as long as any other.
        let (conn, bytes) = (Some(listener.conn), burst.log.newest_bytes());
        burst.small.then_some(Turn::Nobody { conn, bytes, messages: 0 })
    }

    /// The turn of somebody who does not hear: skips what they would have got.
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
