//! Who is there, and how many people each node has on a channel.

use std::collections::BTreeMap;
use std::time::Duration;

use tenfour_protocol::ChannelId;
use tenfour_protocol::limits::{NODE_BEAT_LEAST, NODE_CHANNELS, NODE_COUNTS_TICK, NODE_SILENT, NODES};
use tenfour_protocol::node::{NodeId, NodeMessage, NodeName, Subject};

use super::super::roster::Channel;
use super::super::{Hub, NodeNews, NodeOutput, Output, Timer};
use crate::Time;

/// All counts are asked for at most once in this time.
const COUNTS_ASK_INTERVAL: Duration = Duration::from_millis(500);

/// Another node.
#[derive(Debug)]
pub(super) struct Other {
    /// When this node first and last heard of it.
    met: Time,
    seen: Time,
    /// None if it has not told its name yet.
    name: Option<NodeName>,
    /// The operator was told that another node has the same name.
    told_twin: bool,
    /// The number of its newest counts; none if they have not come yet.
    number: Option<u64>,
    pub(super) counts: BTreeMap<ChannelId, u32>,
    asked: Option<Time>,
    /// Its last beat that was handled.
    beat: Option<Time>,
}

impl Hub {
    /// Everybody on a channel, wherever they are.
    pub(in super::super) fn total(&self, channel: &ChannelId) -> u32 {
        self.roster
            .get(channel)
            .map_or_else(|| self.elsewhere(channel), |known| self.total_of(channel, known))
    }

    /// The same for a channel that was looked up.
    pub(in super::super) fn total_of(&self, channel: &ChannelId, known: &Channel) -> u32 {
        known.count().saturating_add(self.elsewhere(channel))
    }

    /// Those of them on other nodes.
    pub(in super::super) fn elsewhere(&self, channel: &ChannelId) -> u32 {
        self.nodes.as_ref().and_then(|nodes| nodes.elsewhere.get(channel)).copied().unwrap_or(0)
    }

    /// Channels that have people on other nodes.
    pub(in super::super) fn channels_elsewhere(&self) -> impl Iterator<Item = &ChannelId> {
        self.nodes.iter().flat_map(|nodes| nodes.elsewhere.keys())
    }

    /// Somebody tuned in to a channel of this node or left it: other nodes are told soon.
    pub(in super::super) fn count_changed(&mut self, channel: &ChannelId, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        if nodes.changed.is_empty() {
            self.agenda.set(now + NODE_COUNTS_TICK, Timer::Counts);
        }
        nodes.changed.insert(channel.clone());
    }

    pub(in super::super) fn say_counts(&mut self) {
        let Some(nodes) = &mut self.nodes else { return };
        let changed = std::mem::take(&mut nodes.changed);
        nodes.counts += 1;
        let number = nodes.counts;
        let count = |channel: &ChannelId| self.roster.get(channel).map_or(0, Channel::count);
        let counts = changed.into_iter().map(|channel| (channel.clone(), count(&channel))).collect();
        self.publish(Subject::Nodes, NodeMessage::Counts { number, whole: false, counts });
    }

    /// Tells all counts to a node that has just come or has missed some.
    pub(super) fn say_all_counts(&mut self, to: NodeId) {
        let Some(nodes) = &self.nodes else { return };
        let number = nodes.counts;
        let counts =
            self.roster.channels().map(|(channel, known)| (channel.clone(), known.count())).collect();
        self.publish(Subject::Node(to), NodeMessage::Counts { number, whole: true, counts });
    }

    pub(super) fn say_beat(&mut self) {
        let Some(nodes) = &self.nodes else { return };
        let beat = NodeMessage::Beat { name: nodes.config.name.clone(), counts: nodes.counts };
        self.publish(Subject::Nodes, beat);
    }

    /// Something came from a node. Returns false if the node is new and there are too many already.
    pub(super) fn sign_of(&mut self, node: NodeId, now: Time) -> bool {
        let Some(nodes) = &mut self.nodes else { return false };
        if nodes.others.len() >= NODES && !nodes.others.contains_key(&node) {
            return false;
        }
        let other = nodes.others.entry(node).or_insert_with(|| Other {
            met: now,
            seen: now,
            name: None,
            told_twin: false,
            number: None,
            counts: BTreeMap::new(),
            asked: None,
            beat: None,
        });
        other.seen = now;
        true
    }

    pub(super) fn node_beats(&mut self, from: NodeId, name: NodeName, counts: u64, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        let Some(other) = nodes.others.get_mut(&from) else { return };
        if other.beat.is_some_and(|beat| now.since(beat) < NODE_BEAT_LEAST) {
            return;
        }
        other.beat = Some(now);
        // A node that was restarted looks like its own twin until the silence of its earlier run is noticed.
        let met = nodes.others.get(&from).map_or(now, |other| other.met);
        let twin = name == nodes.config.name
            || nodes.others.iter().any(|(node, other)| {
                *node != from && other.name.as_ref() == Some(&name) && other.seen > met + NODE_SILENT
            });
        let Some(other) = nodes.others.get_mut(&from) else { return };
        let missed = other.number.is_none_or(|known| known < counts);
        if other.name.is_none() {
            let news = NodeNews::Met { node: from, name: name.clone() };
            self.agenda.push(Output::Node(NodeOutput::News(news)));
        }
        if twin && !std::mem::replace(&mut other.told_twin, true) {
            let news = NodeNews::SameName { node: from, name: name.clone() };
            self.agenda.push(Output::Node(NodeOutput::News(news)));
        }
        other.name = Some(name);
        if missed {
            self.ask_counts(from, now);
        }
    }

    pub(super) fn node_counts(
        &mut self,
        from: NodeId,
        number: u64,
        whole: bool,
        counts: Vec<(ChannelId, u32)>,
        now: Time,
    ) {
        let Some(other) = self.nodes.as_mut().and_then(|nodes| nodes.others.get_mut(&from)) else { return };
        let next = match other.number {
            Some(known) if whole => number >= known,
            None if whole => true,
            Some(known) if number <= known => return,
            Some(known) => number == known + 1,
            None => false,
        };
        if !next {
            if !whole {
                self.ask_counts(from, now);
            }
            return;
        }
        other.number = Some(number);
        let mut gone = if whole { std::mem::take(&mut other.counts) } else { BTreeMap::new() };
        let mut changed = Vec::new();
        for (channel, count) in counts {
            let before = gone.remove(&channel).or_else(|| other.counts.get(&channel).copied());
            let has_room = other.counts.len() < NODE_CHANNELS || other.counts.contains_key(&channel);
            let count = if has_room { count } else { 0 };
            if count > 0 {
                other.counts.insert(channel.clone(), count);
            } else {
                other.counts.remove(&channel);
            }
            changed.push((channel, before.unwrap_or(0), count));
        }
        changed.extend(gone.into_iter().map(|(channel, before)| (channel, before, 0)));
        self.counted(changed, now);
    }

    /// Counts have changed: people on this node are told.
    fn counted(&mut self, changed: Vec<(ChannelId, u32, u32)>, now: Time) {
        for (channel, before, after) in changed.into_iter().filter(|(_, before, after)| before != after) {
            let Some(nodes) = &mut self.nodes else { return };
            let sum = nodes.elsewhere.entry(channel.clone()).or_default();
            *sum = (*sum + after).saturating_sub(before);
            if *sum == 0 {
                nodes.elsewhere.remove(&channel);
            }
            self.roster.note_count(&channel, now, &mut self.agenda);
        }
    }

    fn ask_counts(&mut self, node: NodeId, now: Time) {
        let Some(other) = self.nodes.as_mut().and_then(|nodes| nodes.others.get_mut(&node)) else { return };
        if other.asked.is_none_or(|asked| now.since(asked) >= COUNTS_ASK_INTERVAL) {
            other.asked = Some(now);
            self.publish(Subject::Node(node), NodeMessage::CountsAsk);
        }
    }

    /// This node was cut off, so it cannot tell who else is silent: everybody counts as just heard.
    pub(super) fn trust_all(&mut self, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        nodes.others.values_mut().for_each(|other| other.seen = now);
        self.trust_bursts(now);
    }

    /// Forgets nodes, and ends bursts, of which nothing came for a while.
    pub(super) fn drop_silent(&mut self, now: Time) {
        let Some(nodes) = &self.nodes else { return };
        let silent = |other: &Other| now.since(other.seen) >= NODE_SILENT;
        let lost: Vec<_> =
            nodes.others.iter().filter(|(_, other)| silent(other)).map(|(&node, _)| node).collect();
        lost.into_iter().for_each(|node| self.lose_node(node, now));
        self.drop_silent_bursts(now);
    }

    /// A node is gone: removes its people from the counts and ends its bursts.
    pub(super) fn lose_node(&mut self, node: NodeId, now: Time) {
        let Some(other) = self.nodes.as_mut().and_then(|nodes| nodes.others.remove(&node)) else { return };
        if let Some(name) = other.name {
            self.agenda.push(Output::Node(NodeOutput::News(NodeNews::Lost { node, name })));
        }
        self.end_bursts_elsewhere(|of| of == node, now);
        self.counted(other.counts.into_iter().map(|(channel, count)| (channel, count, 0)).collect(), now);
        self.forget_people_of(node);
        self.answer_pages_of(node);
    }
}
