//! What the hub asks of its shell: the outputs that it has not taken yet, and the timers that run.

use std::collections::{BTreeSet, VecDeque};

use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Refusal, ServerMessage};

use super::{Output, Recipients};
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

/// What is to be done now, and what later. The code that sets a timer keeps its time, to be able to cancel it.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    outputs: VecDeque<Output>,
    timers: BTreeSet<(Time, Timer)>,
    /// How many inputs came.
    input_seq: u64,
}

impl Agenda {
    /// An input came, or a timer is due.
    pub(super) fn begin_input(&mut self) {
        self.input_seq += 1;
    }

    /// The number of the input that the hub handles now: it says what came before what, where two times may be
    /// equal.
    pub(super) fn input_seq(&self) -> u64 {
        self.input_seq
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.push(Output::Send { to: Recipients::One(conn), message });
    }

    pub(super) fn error(&mut self, conn: ConnId, refusal: impl Into<Refusal>) {
        self.send(conn, ServerMessage::Error { refusal: refusal.into() });
    }

    /// The next output.
    pub(super) fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn set(&mut self, at: Time, timer: Timer) {
        self.timers.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, at: Time, timer: Timer) {
        self.timers.remove(&(at, timer));
    }

    /// When the next timer is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// The next timer that is due.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Timer> {
        (self.due()? <= now).then(|| self.timers.pop_first()).flatten().map(|(_, timer)| timer)
    }

    /// How many timers run.
    pub(super) fn timers(&self) -> usize {
        self.timers.len()
    }
}

impl Extend<Output> for Agenda {
    fn extend<T: IntoIterator<Item = Output>>(&mut self, outputs: T) {
        self.outputs.extend(outputs);
    }
}
