//! What decks say, carried out.

use tenfour_core::voice::{Item, Turn};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{ServerMessage, VoiceFrame};

use super::{Got, World};

/// A turn: whose it was cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) worker: usize,
    pub(crate) at: Time,
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
}

impl World {
    /// Gives everybody their turn. That this takes a millisecond shows in `turns` only.
    pub(super) fn drain_decks(&mut self) {
        for worker in 0..self.decks.len() {
            let mut now = self.now;
            loop {
                while let Some(turn) = self.decks[worker].due(now) {
                    let (bytes, messages) = match turn {
                        Turn::Nobody { bytes, messages, .. } => (bytes, messages),
                        Turn::Small(conn) | Turn::Large(conn) if self.clients[&conn].stalled => (0, 0),
                        Turn::Small(conn) | Turn::Large(conn) => self.write(conn),
                    };
                    self.turns.push(Given { worker, at: now, bytes, messages });
                }
                let Some(next) = self.decks[worker].next_due() else { break };
                now = next;
            }
        }
    }

    /// Writes, three items at a time as a full socket would take them: how many bytes of frames, how many
    /// messages.
    pub(super) fn write(&mut self, conn: ConnId) -> (usize, usize) {
        let client = self.clients.get_mut(&conn).expect("only clients are named");
        let deck = &mut self.decks[client.worker];
        let mut items = Vec::new();
        let (mut bytes, mut messages) = (0, 0);
        loop {
            items.clear();
            deck.gather(conn, 3, &mut items);
            if items.is_empty() {
                return (bytes, messages);
            }
            deck.advance(conn, items.len());
            let now = self.now;
            client.got.extend(items.drain(..).map(|item| match item {
                Item::Started(message) | Item::Ended(message) => {
                    messages += 1;
                    Got::Control(message)
                }
                Item::Gap { burst, from, to } => {
                    messages += 1;
                    Got::Control(ServerMessage::BurstGap { burst, from, to })
                }
                Item::Voice(packet) => {
                    bytes += packet.bytes().len();
                    let frame = VoiceFrame::parse(packet.message()).expect("relayed whole");
                    Got::Voice { burst: frame.burst.0, seq: frame.seq, at: now }
                }
            }));
        }
    }
}
