//! What an attacker can do: open connections with invented places, and read what comes over them.
//!
//! The same program runs against the hub itself and against a server over sockets: both are an [`Air`].

use std::time::Duration;

use tenfour_core::Time;
use tenfour_protocol::control::Resume;
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, GeoCell, Place, Ranges, ServerMessage};

use crate::geo::Spot;

/// Everybody is on this channel.
pub const CHANNEL: &str = "19";
/// The target's handle; no attacker has it.
pub const TARGET: &str = "Target";

/// One of the attacker's keys, and its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agent(pub usize);

/// A message that an agent got.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Counts the messages to all agents, in the order in which they were served.
    pub order: u64,
    /// When.
    pub at: Time,
    /// What.
    pub message: ServerMessage,
}

/// What the target does by itself, and the attacker waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Presses the button, unless it is pressed.
    Talk,
    /// Releases it.
    Hush,
    /// Leaves and comes again, with a new session.
    Renew,
}

/// A server with somebody on it, seen by the attacker.
pub trait Air {
    /// The time.
    fn now(&self) -> Time;

    /// Lets time pass.
    fn wait(&mut self, time: Duration);

    /// Waits for the target to do something.
    fn target(&mut self, act: Act);

    /// A connection with a new key. Nothing is said on it yet.
    fn open(&mut self) -> Agent;

    /// The link drops and a new connection of the same key comes up. Nothing is said on it yet.
    fn reopen(&mut self, agent: Agent);

    /// Says good-bye.
    fn leave(&mut self, agent: Agent);

    /// Sends any text.
    fn say_text(&mut self, agent: Agent, text: &str);

    /// Takes all messages that came, in their order, up to the answers to what was said before.
    fn heard(&mut self, agent: Agent) -> Vec<Heard>;

    /// The cell that a client makes of a position.
    fn cell(&self, at: Spot) -> GeoCell {
        let cell = tenfour_core::reach::snap(at.lat(), at.lon()).expect("a position");
        tenfour_core::mutant!(let cell = cell.with_raw(at.lat(), at.lon()));
        cell
    }

    /// Sends a message.
    fn say(&mut self, agent: Agent, message: ClientMessage) {
        self.say_text(agent, &serde_json::to_string(&message).expect("plain data"));
    }

    /// Says hello from somewhere and tunes in.
    fn enter(&mut self, agent: Agent, at: Option<Spot>, ranges: Ranges, resume: Option<Resume>) {
        let fresh = resume.is_none();
        let place = at.map(|at| Place { cell: self.cell(at), stamp: None });
        let client = "league 1".to_owned();
        let range = place.is_some().then_some(ranges);
        self.say(
            agent,
            ClientMessage::Hello {
                client,
                resume,
                economy: false,
                hear_self: false,
                place,
                range,
                device: None,
            },
        );
        if fresh {
            self.say(agent, ClientMessage::Tune { channel: channel(), catch_up: false });
        }
    }

    /// A new key that is somewhere and tuned in.
    fn join(&mut self, at: Spot, ranges: Ranges) -> Agent {
        let agent = self.open();
        self.enter(agent, Some(at), ranges, None);
        agent
    }

    /// Drops the link and resumes the session from elsewhere, as if bursts after `newest` were new.
    fn resume(&mut self, agent: Agent, token: String, at: Spot, ranges: Ranges, newest: Option<BurstNo>) {
        self.reopen(agent);
        self.enter(agent, Some(at), ranges, Some(Resume { token, newest, have: Vec::new() }));
    }
}

/// The channel.
pub fn channel() -> ChannelId {
    CHANNEL.parse().expect("a channel")
}
