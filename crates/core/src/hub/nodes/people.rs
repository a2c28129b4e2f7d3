//! Participants of other nodes: their numbers here, and pages of them.

use tenfour_protocol::limits::{NODE_ANSWER, NODE_ASKS, NODE_PARTICIPANTS, PAGE_PARTICIPANTS};
use tenfour_protocol::node::{NodeId, NodeMessage, Subject};
use tenfour_protocol::{ChannelId, Participant, ParticipantNo, ServerMessage};

use super::super::{Hub, Timer};
use crate::{ConnId, Time};

/// A page that another node was asked for.
#[derive(Debug)]
pub(super) struct Ask {
    node: NodeId,
    conn: ConnId,
    channel: ChannelId,
    /// The page's number as the client counts.
    page: u32,
    until: Time,
}

impl Hub {
    /// This node's number for a participant of another node. The number stays the same while that node is present and
    /// there is room.
    pub(super) fn number_of(&mut self, node: NodeId, number: ParticipantNo) -> ParticipantNo {
        let Some(nodes) = &mut self.nodes else { return number };
        if let Some(&known) = nodes.numbers.get(&(node, number)) {
            return known;
        }
        if nodes.origins.len() >= NODE_PARTICIPANTS {
            let idle = |known: &ParticipantNo| {
                !self.floor.bursts().any(|(_, burst)| burst.talker == *known) && !self.mutes.is_muted(*known)
            };
            let oldest = nodes.origins.keys().copied().find(idle);
            if let Some(origin) = oldest.and_then(|oldest| nodes.origins.remove(&oldest)) {
                nodes.numbers.remove(&origin);
            }
        }
        let known = self.sessions.next_number();
        nodes.numbers.insert((node, number), known);
        nodes.origins.insert(known, (node, number));
        known
    }

    /// Whether `participant` is somebody on another node.
    pub(in super::super) fn is_elsewhere(&self, participant: ParticipantNo) -> bool {
        self.origin_of(participant).is_some()
    }

    /// Which node a participant is on, and their number there.
    pub(super) fn origin_of(&self, participant: ParticipantNo) -> Option<(NodeId, ParticipantNo)> {
        self.nodes.as_ref()?.origins.get(&participant).copied()
    }

    /// A node is gone, and everybody on it.
    pub(super) fn forget_people_of(&mut self, node: NodeId) {
        let Some(nodes) = &mut self.nodes else { return };
        let all = (node, ParticipantNo(0))..=(node, ParticipantNo(u32::MAX));
        let gone: Vec<_> = nodes.numbers.range(all).map(|(origin, &known)| (*origin, known)).collect();
        for (origin, known) in gone {
            if let Some(nodes) = &mut self.nodes {
                nodes.numbers.remove(&origin);
                nodes.origins.remove(&known);
            }
            self.unmute_all(known);
        }
    }

    /// Pages of a channel on other nodes.
    pub(in super::super) fn pages_elsewhere(&self, channel: &ChannelId) -> u32 {
        self.nodes_on(channel).map(|(_, pages)| pages).sum()
    }

    /// Asks another node for a page of its people. Pages are numbered after the `own` ones of this node. Returns
    /// false if there is no such page.
    pub(in super::super) fn ask_page(
        &mut self,
        conn: ConnId,
        channel: &ChannelId,
        page: u32,
        own: u32,
        now: Time,
    ) -> bool {
        let Some(mut theirs) = page.checked_sub(own) else { return false };
        let found = self.nodes_on(channel).find_map(|(node, pages)| {
            let here = (theirs < pages).then_some((node, theirs));
            theirs = theirs.saturating_sub(pages);
            here
        });
        let (Some((node, theirs)), Some(nodes)) = (found, &mut self.nodes) else { return false };
        if nodes.asks.len() >= NODE_ASKS {
            return false;
        }
        nodes.newest_ask = nodes.newest_ask.wrapping_add(1);
        let (ask, until) = (nodes.newest_ask, now + NODE_ANSWER);
        nodes.asks.insert(ask, Ask { node, conn, channel: channel.clone(), page, until });
        self.agenda.set(until, Timer::Page(ask));
        let question = NodeMessage::PageAsk { ask, channel: channel.clone(), page: theirs };
        self.publish(Subject::Node(node), question);
        true
    }

    pub(super) fn say_page(&mut self, to: NodeId, ask: u32, channel: &ChannelId, page: u32) {
        let participants = self.page_of(channel, page);
        self.publish(Subject::Node(to), NodeMessage::Page { ask, participants });
    }

    pub(super) fn page_came(&mut self, from: NodeId, ask: u32, participants: Vec<Participant>) {
        let Some(nodes) = &mut self.nodes else { return };
        if nodes.asks.get(&ask).is_none_or(|asked| asked.node != from) {
            return;
        }
        let Some(asked) = nodes.asks.remove(&ask) else { return };
        self.agenda.cancel(asked.until, Timer::Page(ask));
        let numbered = participants
            .into_iter()
            .map(|participant| Participant { id: self.number_of(from, participant.id), ..participant })
            .collect();
        self.answer_page(asked, numbered);
    }

    /// The node did not answer in time.
    pub(in super::super) fn page_missed(&mut self, ask: u32) {
        if let Some(asked) = self.nodes.as_mut().and_then(|nodes| nodes.asks.remove(&ask)) {
            self.answer_page(asked, Vec::new());
        }
    }

    /// A node that is gone answers nothing.
    pub(super) fn answer_pages_of(&mut self, node: NodeId) {
        let Some(nodes) = &self.nodes else { return };
        let open: Vec<_> =
            nodes.asks.iter().filter(|(_, ask)| ask.node == node).map(|(&ask, _)| ask).collect();
        for ask in open {
            if let Some(until) =
                self.nodes.as_ref().and_then(|nodes| nodes.asks.get(&ask)).map(|ask| ask.until)
            {
                self.agenda.cancel(until, Timer::Page(ask));
            }
            self.page_missed(ask);
        }
    }

    fn answer_page(&mut self, Ask { conn, channel, page, .. }: Ask, participants: Vec<Participant>) {
        if self.sessions.open(conn).is_none() {
            return;
        }
        let (pages, count) = (self.pages(&channel), self.total(&channel));
        self.agenda.send(conn, ServerMessage::Participants { channel, page, pages, count, participants });
    }

    /// The nodes that have somebody on a channel, and how many pages of them.
    fn nodes_on(&self, channel: &ChannelId) -> impl Iterator<Item = (NodeId, u32)> {
        let others = self.nodes.iter().flat_map(|nodes| &nodes.others);
        others.filter_map(move |(&node, other)| {
            Some((node, other.counts.get(channel)?.div_ceil(PAGE_PARTICIPANTS as u32)))
        })
    }
}
