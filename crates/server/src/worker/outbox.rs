//! What waits for one socket: control messages, and the rest of what was begun.

use std::collections::VecDeque;

use tenfour_core::Time;
use tenfour_core::voice::Packet;
use tenfour_protocol::limits::CONTROL_QUEUE_BYTES;

use crate::orders::Framed;

/// Bytes that go out whole: whoever has begun a message has to finish it.
#[derive(Debug, Clone)]
pub(super) enum Chunk {
    Control(Framed),
    Voice(Packet),
}

impl Chunk {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Control(bytes) => bytes,
            Self::Voice(packet) => packet.bytes(),
        }
    }

    /// When it arrived, if it is voice.
    pub(super) fn voice(&self) -> Option<Time> {
        match self {
            Self::Control(_) => None,
            Self::Voice(packet) => Some(packet.arrived()),
        }
    }
}

/// The queue of one connection. Voice is not in it, but for a packet that was begun.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    begun: Option<(Chunk, usize)>,
    control: VecDeque<Framed>,
    control_bytes: usize,
}

/// The client does not take its control messages.
#[derive(Debug)]
pub(super) struct Overflow;

impl Outbox {
    /// Adds a control message.
    pub(super) fn push(&mut self, message: Framed) -> Result<(), Overflow> {
        if self.control_bytes + message.len() > CONTROL_QUEUE_BYTES {
            return Err(Overflow);
        }
        self.control_bytes += message.len();
        self.control.push_back(message);
        Ok(())
    }

    /// Forgets what was not begun: nobody will read it.
    pub(super) fn clear(&mut self) {
        self.control.clear();
        self.control_bytes = 0;
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_none() && self.control.is_empty()
    }

    /// What waits, in the order in which it has to go.
    pub(super) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let begun = self.begun.iter().map(|(chunk, at)| &chunk.bytes()[*at..]);
        begun.chain(self.control.iter().map(|message| &**message))
    }

    /// So many bytes of what waits are written; returns how many were not of it.
    pub(super) fn wrote(&mut self, mut bytes: usize) -> usize {
        while bytes > 0 {
            let Some((chunk, at)) = self.begun.take().or_else(|| self.next()) else { break };
            let left = chunk.bytes().len() - at;
            if bytes < left {
                self.begun = Some((chunk, at + bytes));
                return 0;
            }
            bytes -= left;
        }
        bytes
    }

    /// The rest of `chunk`, of which `at` bytes are written, goes first from now on.
    pub(super) fn begin(&mut self, chunk: Chunk, at: usize) {
        debug_assert!(self.begun.is_none(), "one message is begun at a time");
        self.begun = Some((chunk, at));
    }

    /// When the voice that was begun arrived.
    pub(super) fn begun_voice(&self) -> Option<Time> {
        self.begun.as_ref().and_then(|(chunk, _)| chunk.voice())
    }

    fn next(&mut self) -> Option<(Chunk, usize)> {
        let message = self.control.pop_front()?;
        self.control_bytes -= message.len();
        Some((Chunk::Control(message), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(outbox: &Outbox) -> Vec<u8> {
        outbox.slices().flatten().copied().collect()
    }

    #[test]
    fn what_was_begun_is_finished_first() {
        let mut outbox = Outbox::default();
        outbox.push(b"abc"[..].into()).unwrap();
        outbox.push(b"def"[..].into()).unwrap();
        assert_eq!(outbox.wrote(2), 0);
        assert_eq!(waits(&outbox), b"cdef");
        outbox.clear();
        assert_eq!(waits(&outbox), b"c");
        assert_eq!(outbox.wrote(5), 4, "four bytes were of something else");
        assert_eq!(waits(&outbox), b"");
        outbox.begin(Chunk::Control(b"xyz"[..].into()), 1);
        assert_eq!(waits(&outbox), b"yz");
    }

    #[test]
    fn control_messages_have_a_most() {
        let mut outbox = Outbox::default();
        let half: Framed = vec![0; CONTROL_QUEUE_BYTES / 2].into();
        outbox.push(half.clone()).unwrap();
        outbox.push(half.clone()).unwrap();
        outbox.push(half.clone()).unwrap_err();
        outbox.wrote(half.len());
        outbox.push(half).unwrap();
    }
}
