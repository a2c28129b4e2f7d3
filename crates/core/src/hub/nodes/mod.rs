//! Other nodes of the cluster: a hub that has no [`ClusterConfig`](super::ClusterConfig) does nothing
//! of this.
//!
//! * `interests` - what this node subscribes to, by what its own listeners could hear
//! * `bursts` - bursts of others that are heard here, and own ones that others are told of
//! * `presence` - who is there, and how many people each has on a channel
//! * `people` - participants of others: their numbers here, and pages of them
//! * `sessions` - sessions that go on here and began elsewhere

mod bursts;
mod interests;
mod origin;
mod people;
mod presence;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};

use tenfour_protocol::limits::{NODE_BEAT, NODE_SILENT};
use tenfour_protocol::node::{Envelope, NodeId, NodeMessage, Subject};
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, ServerMessage};

use self::interests::{Change, Interests};
use self::people::Ask;
use self::presence::Other;
use super::{ClusterConfig, Hub, NodeInput, NodeOutput, Output, Recipients, Timer};
use crate::{ConnId, Time};

pub(super) use self::origin::Origin;

/// What a hub knows of other nodes.
#[derive(Debug)]
pub(super) struct Nodes {
    config: ClusterConfig,
    /// Whether the bus is connected.
    up: bool,
    /// Whether this node has subscribed to the subjects that every node takes.
    introduced: bool,
    /// The last beat.
    beat: Option<Time>,
    others: BTreeMap<NodeId, Other>,
    interests: Interests,
    /// Bursts of others, with this node's number. None if a burst is over: its key is kept so that a late message
    /// does not begin it again.
    bursts: BTreeMap<(NodeId, BurstNo), Option<BurstNo>>,
    /// Participants of others, by this node's number, and back.
    numbers: BTreeMap<(NodeId, ParticipantNo), ParticipantNo>,
    origins: BTreeMap<ParticipantNo, (NodeId, ParticipantNo)>,
    /// Channels whose count the others do not know yet, and the number of the last message that told them.
    changed: BTreeSet<ChannelId>,
    counts: u64,
    /// People on other nodes.
    elsewhere: BTreeMap<ChannelId, u32>,
    asks: BTreeMap<u32, Ask>,
    newest_ask: u32,
    /// Sessions that this node listens for.
    interested: BTreeSet<ParticipantNo>,
    /// Sessions that came from another node hear nothing that was on the air before they came, until the time given.
    live_until: BTreeMap<ParticipantNo, Time>,
    /// Sessions that were claimed from another node, by their token.
    claims: BTreeMap<String, ParticipantNo>,
}

impl Nodes {
    pub(super) fn new(config: ClusterConfig) -> Self {
        Self {
            config,
            up: false,
            introduced: false,
            beat: None,
            others: BTreeMap::new(),
            interests: Interests::default(),
            bursts: BTreeMap::new(),
            numbers: BTreeMap::new(),
            origins: BTreeMap::new(),
            changed: BTreeSet::new(),
            counts: 0,
            elsewhere: BTreeMap::new(),
            asks: BTreeMap::new(),
            newest_ask: 0,
            interested: BTreeSet::new(),
            live_until: BTreeMap::new(),
            claims: BTreeMap::new(),
        }
    }

    pub(super) fn is_alone(&self) -> bool {
        !self.up
    }

    pub(super) fn met(&self) -> usize {
        self.others.len()
    }

    pub(super) fn subscriptions(&self) -> usize {
        self.interests.subscribed()
    }
}

impl Hub {
    pub(super) fn node(&mut self, input: NodeInput, now: Time) {
        if self.nodes.is_none() {
            return;
        }
        match input {
            NodeInput::Up => self.bus_up(now),
            NodeInput::Down => self.bus_down(now),
            NodeInput::Message(envelope) => self.node_says(envelope, now),
            NodeInput::Unannounced { node, burst } => {
                self.publish(Subject::Node(node), NodeMessage::BurstAsk { burst });
            }
        }
    }

    fn bus_up(&mut self, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        if std::mem::replace(&mut nodes.up, true) {
            return;
        }
        let me = nodes.config.node;
        let first = !std::mem::replace(&mut nodes.introduced, true);
        if first {
            for subject in [Subject::Nodes, Subject::Node(me)] {
                self.agenda.push(Output::Node(NodeOutput::Subscribe(subject)));
            }
        }
        self.tell_island(false);
        if first {
            self.beat(now);
        } else {
            self.say_beat();
            self.announce_all();
        }
    }

    /// Each node goes on for its own people.
    fn bus_down(&mut self, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        if !std::mem::replace(&mut nodes.up, false) {
            return;
        }
        for node in nodes.others.keys().copied().collect::<Vec<_>>() {
            self.lose_node(node, now);
        }
        // A burst may be the first thing that this node hears of another.
        self.end_bursts_elsewhere(|_| true, now);
        self.tell_island(true);
    }

    fn node_says(&mut self, Envelope { from, message }: Envelope, now: Time) {
        let Some(nodes) = &self.nodes else { return };
        if from == nodes.config.node || !nodes.up {
            return;
        }
        if !self.sign_of(from, now) {
            return;
        }
        match message {
            NodeMessage::BurstStart { .. } => self.burst_starts_elsewhere(from, message, now),
            NodeMessage::BurstEnd { burst, frames, reason } => {
                self.burst_ends_elsewhere((from, burst), frames, reason, now);
            }
            NodeMessage::BurstAsk { burst } => self.announce_to(from, burst),
            NodeMessage::Beat { name, counts } => self.node_beats(from, name, counts, now),
            NodeMessage::Counts { number, whole, counts } => {
                self.node_counts(from, number, whole, counts, now);
            }
            NodeMessage::CountsAsk => self.say_all_counts(from),
            NodeMessage::PageAsk { ask, channel, page } => self.say_page(from, ask, &channel, page),
            NodeMessage::Page { ask, participants } => self.page_came(from, ask, participants),
            NodeMessage::SessionClaim { token, user } => self.hand_over(from, token, user, now),
            NodeMessage::SessionHanded { token, muted } => self.handed(&token, &muted),
        }
    }

    /// Each second: tells the others that this node is alive and what is on the air, and looks for nodes that are
    /// silent.
    pub(super) fn beat(&mut self, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        let slept = nodes.beat.replace(now).is_some_and(|before| now.since(before) >= NODE_SILENT);
        self.agenda.set(now + NODE_BEAT, Timer::Beat);
        self.say_beat();
        self.announce_all();
        if slept {
            // A node that slept must not declare others dead: it has not read yet what they said.
            return self.trust_all(now);
        }
        self.drop_silent(now);
    }

    /// Ends subscriptions that nobody has wanted for a while.
    pub(super) fn linger_over(&mut self, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        let mut changes = Vec::new();
        nodes.interests.expire(now, &mut changes);
        self.subscribe(changes);
    }

    /// This node listens for a session from now on.
    pub(super) fn interest_on(&mut self, participant: ParticipantNo) {
        let Some(nodes) = &mut self.nodes else { return };
        if !nodes.interested.insert(participant) {
            return;
        }
        for channel in self.roster.tuned(participant).cloned().collect::<Vec<_>>() {
            self.interest_in(participant, &channel);
        }
    }

    /// This node does not listen for a session any more. True if it did.
    pub(super) fn interest_off(&mut self, participant: ParticipantNo, now: Time) -> bool {
        if !self.nodes.as_ref().is_some_and(|nodes| nodes.interested.contains(&participant)) {
            return false;
        }
        for channel in self.roster.tuned(participant).cloned().collect::<Vec<_>>() {
            self.no_interest_in(participant, &channel, now);
        }
        if let Some(nodes) = &mut self.nodes {
            nodes.interested.remove(&participant);
        }
        true
    }

    /// Does `change`, which may change what the session listens to, and tells the bus.
    pub(super) fn change_interest(
        &mut self,
        participant: ParticipantNo,
        now: Time,
        change: impl FnOnce(&mut Self),
    ) {
        let interested = self.interest_off(participant, now);
        change(self);
        if interested {
            self.interest_on(participant);
        }
    }

    /// The session has tuned in.
    pub(super) fn interest_in(&mut self, participant: ParticipantNo, channel: &ChannelId) {
        let Some(nodes) = &mut self.nodes else { return };
        if !nodes.interested.contains(&participant) {
            return;
        }
        let Some(slot) = self.places.slot(participant) else { return };
        let mut changes = Vec::new();
        for (range, region) in self.places.spots().interest(slot) {
            nodes.interests.add(channel, range, region, &mut changes);
        }
        self.subscribe(changes);
    }

    /// The session has left a channel, or goes.
    pub(super) fn no_interest_in(&mut self, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        if !nodes.interested.contains(&participant) {
            return;
        }
        let Some(slot) = self.places.slot(participant) else { return };
        for (range, region) in self.places.spots().interest(slot) {
            if let Some(until) = nodes.interests.remove(channel, range, region, now) {
                self.agenda.set(until, Timer::Linger);
            }
        }
    }

    fn subscribe(&mut self, changes: Vec<Change>) {
        self.agenda.extend(changes.into_iter().map(|change| {
            Output::Node(match change {
                Change::Subscribe(subject) => NodeOutput::Subscribe(subject),
                Change::Unsubscribe(subject) => NodeOutput::Unsubscribe(subject),
            })
        }));
    }

    fn publish(&mut self, subject: Subject, message: NodeMessage) {
        if self.nodes.as_ref().is_some_and(|nodes| nodes.up) {
            let message = Box::new(message);
            self.agenda.push(Output::Node(NodeOutput::Publish { subject, message }));
        }
    }

    fn tell_island(&mut self, alone: bool) {
        let to: Vec<ConnId> = self.sessions.greeted().collect();
        if !to.is_empty() {
            let message = ServerMessage::Island { alone };
            self.agenda.push(Output::Send { to: Recipients::Many(to.into()), message });
        }
    }
}
