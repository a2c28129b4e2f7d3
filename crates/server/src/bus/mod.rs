//! What goes from node to node.
//!
//! There are two lanes, so that voice that piles up delays nothing else. A message reaches every node that has
//! subscribed to its subject by then, except its sender; each lane keeps the order of each sender. What anybody
//! sends while a lane is down is lost: [`Event::Up`] after [`Event::Down`] is a gap, always.

mod name;
mod nats;

use std::fmt;

use thiserror::Error;

use crate::nats::NatsError;

pub use nats::OverNats;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What nodes tell each other: rare, small.
    Control,
    /// Frames: frequent, and late ones are of no use.
    Voice,
}

/// What happens on a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// It works from now on, and has all subscriptions.
    Up,
    /// It does not work.
    Down,
    /// Somebody sent this.
    Message {
        /// To which subject.
        subject: &'a str,
        /// What it says.
        payload: &'a [u8],
    },
    /// Some time has passed; comes at least once a second.
    Tick,
}

/// Called for each event of a lane, in order. It must not block.
pub type Hearer = Box<dyn FnMut(Event<'_>) + Send>;

/// A way to the other nodes.
pub trait Bus: fmt::Debug + Send + Sync {
    /// Sends the parts, as one message. False when it is lost for certain.
    fn publish(&self, lane: Lane, subject: &str, parts: &[&[u8]]) -> bool;
    /// Subscribes to a subject. `*` as its last word stands for any word. A message that fits two subscriptions is
    /// heard once.
    fn subscribe(&self, lane: Lane, subject: &str);
    /// Unsubscribes. What was sent before may still come.
    fn unsubscribe(&self, lane: Lane, subject: &str);
    /// Messages that went out on a lane, and messages that were lost here.
    fn counts(&self, lane: Lane) -> (u64, u64);
    /// Ends it. Nothing is heard when this returns.
    fn close(&self);
}

/// Why there is no way to the others.
#[derive(Debug, Error)]
pub enum BusError {
    /// NATS does not do what it is asked.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Two nodes have the same name.
    #[error(
        "a node named {0} is on this NATS already: stop it, or give this one another name with --node NAME (two clusters on one NATS have two prefixes: --nats-prefix WORD)"
    )]
    NameTaken(String),
}
