//! What will be due, in order.

use std::collections::BTreeSet;

use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo};

use crate::{ConnId, Time};

/// Something that is due at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The first message of a connection.
    Hello(ConnId),
    /// The oldest press that waits for an earlier burst of its connection to be over.
    Press(ConnId),
    /// The longest a burst may last.
    TalkLimit(BurstNo),
    /// An ended burst is forgotten.
    Forget(BurstNo),
    /// A dropped session is forgotten.
    Suspended(ParticipantNo),
    /// Joins and leaves of a channel are told.
    Presence(ChannelId),
    /// A boundary: places change.
    Epoch,
    /// Connections are closed though a burst was not.
    Stop,
    /// Other nodes hear that this one is here.
    Beat,
    /// Other nodes hear how many people are here.
    Counts,
    /// Subscriptions that nobody wants are let go.
    Linger,
    /// A page of another node's people.
    Page(u32),
    /// A burst of another node is over, and what came late has come.
    Ended(NodeId, BurstNo),
}

/// Timers that run. Whoever sets one keeps the time, to be able to cancel it.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Time, Timer)>);

impl Timers {
    pub(super) fn set(&mut self, at: Time, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, at: Time, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.0.first().map(|&(at, _)| at)
    }

    pub(super) fn take_due(&mut self, now: Time) -> Option<Timer> {
        (self.next()? <= now).then(|| self.0.pop_first()).flatten().map(|(_, timer)| timer)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
