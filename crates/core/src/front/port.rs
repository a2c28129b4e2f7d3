//! One connection: takes what its client says and makes hub inputs and frames of it.

use tenfour_protocol::json::Fault;
use tenfour_protocol::{BurstNo, ClientMessage, Code, Refusal, ServerMessage, json};

use super::PortOrder;
use crate::hub::Input;
use crate::mutants::Mutants;
use crate::voice::{Framing, Packet, Uplink, UplinkOutput};
use crate::{ConnId, Time};

/// What the shell does for a port.
#[derive(Debug, Clone)]
pub enum PortOutput {
    /// Appends a frame to the deck of every worker, and publishes it where an [`Order::Relay`](super::Order::Relay)
    /// of this burst said.
    Frame {
        /// The server's number of the burst.
        burst: BurstNo,
        /// The frame.
        packet: Packet,
    },
    /// Tells the hub.
    Hub(Input),
    /// Tells the client.
    Send(ServerMessage),
    /// Asks the client's end of the connection for a sign of life, to be told with [`Port::alive`].
    Ping,
}

/// A connection, from [`Input::Connected`] on. The shell makes that input itself, since it knows who connects.
///
/// The shell gives it what the client says and what the hub orders, and drains [`Port::poll`] after each call.
#[derive(Debug)]
pub struct Port {
    conn: ConnId,
    uplink: Uplink,
    /// The connection ended, and the hub was not told yet.
    ended: bool,
}

impl Port {
    /// For a connection to a server whose transport frames messages with `framing`.
    pub fn new(conn: ConnId, framing: Framing, now: Time) -> Self {
        Self { conn, uplink: Uplink::new(framing, now), ended: false }
    }

    /// The same, with these mutants.
    pub fn broken(self, mutants: Mutants) -> Self {
        Self { uplink: self.uplink.broken(mutants), ..self }
    }

    /// A control message. Returns what the hub has to be told; a release concerns the uplink alone.
    #[must_use]
    pub fn message(&mut self, message: ClientMessage, now: Time) -> Option<Input> {
        self.uplink.alive(now);
        match message {
            ClientMessage::BurstEnd { burst, .. } => {
                self.uplink.release(burst, now);
                return None;
            }
            // The uplink must know of the burst before the hub does: its frames may come at once.
            ClientMessage::BurstStart { burst, frame_ms, .. } => self.uplink.start(burst, frame_ms, now),
            _ => {}
        }
        Some(Input::Message { conn: self.conn, message })
    }

    /// A text that is no control message. Returns what the hub has to be told, since it counts as a message.
    #[must_use]
    pub fn malformed(&mut self, text: &str, fault: &Fault, now: Time) -> Input {
        self.uplink.alive(now);
        let sentence = format!("The message is not one of this protocol: {fault}.");
        let refusal = Refusal::because(Code::MalformedMessage, sentence);
        Input::Malformed { conn: self.conn, refusal, press: json::press_of(text) }
    }

    /// A binary message.
    pub fn frame(&mut self, bytes: &[u8], now: Time) {
        self.uplink.frame(bytes, now);
    }

    /// A sign of life that is neither message nor frame: the answer to a ping.
    pub fn alive(&mut self, now: Time) {
        self.uplink.alive(now);
    }

    /// Carries out an order of the hub.
    pub fn obey(&mut self, order: PortOrder, now: Time) {
        match order {
            PortOrder::Admit { local, burst } => self.uplink.admit(local, burst, now),
            PortOrder::Refuse { local } => self.uplink.refuse(local),
            PortOrder::End { local, reason } => self.uplink.end(local, reason, now),
        }
    }

    /// The connection ended. The hub is told when everything that the client said before has gone out.
    pub fn end(&mut self, now: Time) {
        self.uplink.disconnect(now);
        self.ended = true;
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<PortOutput> {
        let conn = self.conn;
        let Some(output) = self.uplink.poll() else {
            return std::mem::take(&mut self.ended).then_some(PortOutput::Hub(Input::Disconnected { conn }));
        };
        Some(match output {
            UplinkOutput::Frame { burst, packet } => PortOutput::Frame { burst, packet },
            UplinkOutput::Closed { local, frames, dropped, reason } => {
                PortOutput::Hub(Input::BurstClosed { conn, local, frames, dropped, reason })
            }
            UplinkOutput::Refused(refusal) => PortOutput::Send(ServerMessage::Error { refusal }),
            UplinkOutput::Ask => PortOutput::Ping,
        })
    }

    /// When [`Port::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.uplink.poll_timeout()
    }

    /// Ends bursts that have been silent for too long.
    pub fn handle_timeout(&mut self, now: Time) {
        self.uplink.handle_timeout(now);
    }
}
