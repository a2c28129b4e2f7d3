//! What the hub wants from its shell: outputs that the shell has not taken yet, and timers.

use std::collections::{BTreeSet, VecDeque};

use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Refusal, ServerMessage};

use super::{Output, Recipients};
use crate::{ConnId, Time};

/// Something that is due at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A connection has not said hello in time.
    Hello(ConnId),
    /// The oldest press of a connection has waited too long for the connection's earlier burst to end.
    Press(ConnId),
    /// A burst has lasted as long as it may.
    TalkLimit(BurstNo),
    /// An ended burst is forgotten.
    Forget(BurstNo),
    /// A dropped session is forgotten.
    Suspended(ParticipantNo),
    /// Participants of a channel are told who joined and left.
    Presence(ChannelId),
    /// A boundary of epochs: sessions move.
    Epoch,
    /// A stopping hub closes its connections, even if a burst has not ended.
    Stop,
    /// This node tells the others that it is alive.
    Beat,
    /// This node tells the others how many people it has.
    Counts,
    /// Subscriptions that nobody needs any more end.
    Linger,
    /// Another node has not answered with a page of its participants.
    Page(u32),
    /// A burst of another node ended so long ago that nothing late can come: its number is forgotten.
    Ended(NodeId, BurstNo),
}

/// Outputs and timers. The code that sets a timer remembers its time, which it needs to cancel it.
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

    /// The number of the input that the hub handles now. It orders events whose times may be equal.
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
