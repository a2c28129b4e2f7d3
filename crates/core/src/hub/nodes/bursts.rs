//! Bursts of other nodes that are heard here, and own bursts of which other nodes are told.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::limits::{NODE_CHANNEL_BURSTS, NODE_SILENT};
use tenfour_protocol::node::{NodeId, NodeMessage, Subject};
use tenfour_protocol::{BurstNo, Participant, ParticipantNo, ServerMessage};

use super::super::audience::Hearing;
use super::super::burst::{Burst, bundle};
use super::super::{Hub, NodeOutput, Output, Route, Timer};
use super::origin::{Announcement, Elsewhere, Origin};
use crate::reach::{Place, scrub_stack};
use crate::{ConnId, Time};

impl Hub {
    /// An own burst begins: other nodes are told before its first frame.
    pub(in super::super) fn tell_start(
        &mut self,
        conn: ConnId,
        burst: BurstNo,
        codec: Codec,
        frame_ms: FrameTime,
    ) {
        let Some(subject) = self.subject_of(burst) else { return };
        if let Some(Origin::Here { announced, .. }) = self.floor.origin_mut(burst) {
            *announced = Some(Announcement { codec, frame_ms, subject: subject.clone(), times: 0 });
        }
        self.announce(burst, subject.clone());
        self.agenda.push(Output::Node(NodeOutput::Relay { conn, burst, subject }));
    }

    /// An own burst is over.
    pub(in super::super) fn tell_end(&mut self, burst: BurstNo, frames: u32, reason: EndReason) {
        let Some(Origin::Here { announced: Some(announced), .. }) = self.floor.origin_mut(burst) else {
            return;
        };
        let subject = announced.subject.clone();
        self.publish(subject, NodeMessage::BurstEnd { burst, frames, reason });
    }

    /// Somebody has moved, and may be talking.
    pub(in super::super) fn tell_moved(&mut self, talker: ParticipantNo) {
        if self.nodes.is_none() || self.talks_where(talker).is_none() {
            return;
        }
        let on_air = |burst: &Burst| burst.talker == talker && burst.is_on_air();
        let bursts: Vec<_> =
            self.floor.bursts().filter(|(_, burst)| on_air(burst)).map(|(burst, _)| burst).collect();
        for burst in bursts {
            let Some(subject) = self.subject_of(burst) else { continue };
            let Some(Origin::Here { conn, announced: Some(announced) }) = self.floor.origin_mut(burst) else {
                continue;
            };
            let conn = *conn;
            let before = std::mem::replace(&mut announced.subject, subject.clone());
            // Nodes that heard the talker at the old place have to know, too.
            self.announce(burst, before.clone());
            if before != subject {
                self.announce(burst, subject.clone());
                self.agenda.push(Output::Node(NodeOutput::Relay { conn, burst, subject }));
            }
        }
    }

    /// Tells the others again of everything that is on the air, since a message may have been lost.
    pub(super) fn announce_all(&mut self) {
        let told = |burst: &Burst| match &burst.origin {
            Origin::Here { announced: Some(announced), .. } if burst.is_on_air() => {
                Some(announced.subject.clone())
            }
            _ => None,
        };
        let all: Vec<_> =
            self.floor.bursts().filter_map(|(number, burst)| Some((number, told(burst)?))).collect();
        all.into_iter().for_each(|(burst, subject)| self.announce(burst, subject));
    }

    /// A node has frames of a burst and does not know it.
    pub(super) fn announce_to(&mut self, node: NodeId, burst: BurstNo) {
        if self.floor.get(burst).is_some_and(Burst::is_on_air) {
            self.announce(burst, Subject::Node(node));
        }
    }

    fn announce(&mut self, number: BurstNo, subject: Subject) {
        let Some(talker) = self.floor.get(number).map(|burst| burst.talker) else { return };
        let Some(session) = self.sessions.get(talker) else { return };
        let Some(Origin::Here { announced: Some(announced), .. }) = self.floor.origin_mut(number) else {
            return;
        };
        announced.times += 1;
        let (word, codec, frame_ms) = (announced.times, announced.codec, announced.frame_ms);
        let burst = &self.floor[number];
        let message = NodeMessage::BurstStart {
            burst: number,
            word,
            channel: burst.channel.clone(),
            talker: Participant::clone(&session.you),
            tx: burst.tx,
            cell: self.places.slot(talker).and_then(|slot| self.places.spots().cell(slot)),
            codec,
            frame_ms,
        };
        self.publish(subject, message);
        scrub_stack();
    }

    fn subject_of(&self, burst: BurstNo) -> Option<Subject> {
        self.nodes.as_ref()?;
        let burst = self.floor.get(burst)?;
        let region = self.places.spots().region(self.places.slot(burst.talker)?, burst.tx);
        Some(Subject::Voice { channel: burst.channel.clone(), range: burst.tx, region })
    }

    /// `burst.start` of another node: a new burst, or a newer announcement of one that is known.
    pub(super) fn burst_starts_elsewhere(&mut self, node: NodeId, start: NodeMessage, now: Time) {
        let NodeMessage::BurstStart { burst, word, channel, talker, tx, cell, codec, frame_ms } = start
        else {
            return;
        };
        let Ok(place) = cell.as_ref().map(Place::of).transpose() else { return };
        drop(cell);
        let key = (node, burst);
        let known = self.nodes.as_ref().and_then(|nodes| nodes.bursts.get(&key).copied());
        match known {
            Some(None) => {}
            Some(Some(local)) => self.word_on(local, word, place.as_ref(), now),
            None => {
                let Some(there) = self.roster.get(&channel) else { return };
                let theirs = self.floor.on_air(&channel).filter(|&burst| self.floor[burst].is_elsewhere());
                if theirs.count() >= NODE_CHANNEL_BURSTS {
                    return;
                }
                let small = there.is_small();
                let slot = self.places.begin_talker(place.as_ref());
                let talker = Participant { id: self.number_of(node, talker.id), ..talker };
                let origin =
                    Elsewhere { node, number: burst, word, seen: now, slot: Some(slot), ended: None };
                let burst = Burst {
                    talker: talker.id,
                    user: None,
                    address: None,
                    tx,
                    over: None,
                    unwanted_by: BTreeSet::new(),
                    channel,
                    small,
                    origin: Origin::Elsewhere(origin),
                };
                self.open_elsewhere(key, burst, talker, (codec, frame_ms), now);
            }
        }
        drop(place);
        scrub_stack();
    }

    fn open_elsewhere(
        &mut self,
        key: (NodeId, BurstNo),
        burst: Burst,
        talker: Participant,
        (codec, frame_ms): (Codec, FrameTime),
        now: Time,
    ) {
        let channel = burst.channel.clone();
        let Origin::Elsewhere(Elsewhere { slot, .. }) = burst.origin else { return };
        let (small, tuned) = (burst.small, self.audience(talker.id, slot, burst.tx, &channel));
        let local = self.floor.open(burst);
        if let Some(nodes) = &mut self.nodes {
            nodes.bursts.insert(key, Some(local));
        }
        let bundle = bundle(self.roster[&channel].count() as usize);
        let started = ServerMessage::BurstStarted {
            burst: local,
            channel: channel.clone(),
            talker,
            codec,
            frame_ms,
            grade: None,
            bundle: (bundle > 1).then_some(bundle),
        };
        let route = Route { burst: local, channel, bundle, started, small, tuned };
        self.agenda.push(Output::Open(Arc::new(route)));
        let (node, burst) = key;
        self.agenda.push(Output::Node(NodeOutput::Hear { node, burst, local }));
        self.begin_courtesy(local, now);
    }

    /// A newer announcement of a burst: it goes on, and its talker may have moved.
    fn word_on(&mut self, local: BurstNo, word: u32, place: Option<&Place>, now: Time) {
        let Some(Origin::Elsewhere(origin)) = self.floor.origin_mut(local) else { return };
        origin.seen = now;
        let (newer, Some(slot)) = (word > origin.word, origin.slot) else { return };
        origin.word = origin.word.max(word);
        let stays = self.places.is_talker_at(slot, place);
        let channel = self.floor[local].channel.clone();
        let Some(there) = self.roster.get(&channel) else { return };
        // The channel may have gone and come back under the same name since the burst began.
        let entered = self.floor.put_on_air(local, &channel);
        if !entered && (stays || !newer) {
            return;
        }
        let members: Vec<_> = there.here().iter().map(|member| member.participant).collect();
        let hears = |hub: &Self, who| !entered && hub.hears(who, local).is_some();
        let before: Hearing = members.into_iter().map(|who| (local, who, hears(self, who))).collect();
        self.reconcile_audience(before, |hub| {
            if newer {
                hub.places.move_talker(slot, place);
            }
        });
    }

    pub(super) fn burst_ends_elsewhere(
        &mut self,
        key: (NodeId, BurstNo),
        frames: u32,
        reason: EndReason,
        now: Time,
    ) {
        let Some(nodes) = &mut self.nodes else { return };
        let known = nodes.bursts.insert(key, None);
        if known == Some(None) {
            return;
        }
        self.agenda.set(now + self.config.hold, Timer::Ended(key.0, key.1));
        match known.flatten() {
            Some(local) => self.end_elsewhere(local, frames, reason, now),
            // Its start comes late, if at all.
            None => self.agenda.push(Output::Node(NodeOutput::Unhear { node: key.0, burst: key.1 })),
        }
    }

    /// Ignores that burst from now on: it ended long ago.
    pub(in super::super) fn forget_ended(&mut self, node: NodeId, burst: BurstNo) {
        if let Some(nodes) = &mut self.nodes {
            nodes.bursts.remove(&(node, burst));
        }
    }

    fn end_elsewhere(&mut self, local: BurstNo, frames: u32, reason: EndReason, now: Time) {
        if !self.floor.get(local).is_some_and(Burst::is_on_air) {
            return;
        }
        let Some(Origin::Elsewhere(origin)) = self.floor.origin_mut(local) else { return };
        origin.ended = Some((frames, reason));
        let (node, number) = (origin.node, origin.number);
        if let Some(slot) = origin.slot.take() {
            self.places.end_talker(slot);
        }
        self.floor.close(local, now + self.config.hold, &mut self.agenda);
        self.agenda.push(Output::Node(NodeOutput::Unhear { node, burst: number }));
        let ended = ServerMessage::BurstEnded { burst: local, frames, reason };
        self.agenda.push(Output::Close { burst: local, ended });
    }

    /// Ends the bursts of nodes that are gone. If such a node comes back and its talker still talks, that counts as
    /// another burst.
    pub(super) fn end_bursts_elsewhere(&mut self, of: impl Fn(NodeId) -> bool, now: Time) {
        self.lose_bursts(|origin| of(origin.node), now);
    }

    pub(super) fn drop_silent_bursts(&mut self, now: Time) {
        self.lose_bursts(|origin| now.since(origin.seen) >= NODE_SILENT, now);
    }

    pub(super) fn trust_bursts(&mut self, now: Time) {
        for origin in self.floor.origins_mut() {
            if let Origin::Elsewhere(origin) = origin {
                origin.seen = now;
            }
        }
    }

    fn lose_bursts(&mut self, lost: impl Fn(&Elsewhere) -> bool, now: Time) {
        let gone = |burst: &Burst| match &burst.origin {
            Origin::Elsewhere(origin) if burst.is_on_air() && lost(origin) => {
                Some((origin.node, origin.number))
            }
            _ => None,
        };
        let all: Vec<_> =
            self.floor.bursts().filter_map(|(local, burst)| Some((local, gone(burst)?))).collect();
        for (local, key) in all {
            if let Some(nodes) = &mut self.nodes {
                nodes.bursts.remove(&key);
            }
            // We do not know how many frames it had, so we say as many as were heard.
            self.end_elsewhere(local, 0, EndReason::TalkerLost, now);
        }
    }

    /// `burst.ended` for somebody who was away while a burst of another node ended. They get no more of it, since the
    /// talker's place is wiped and we cannot tell whether they were in range.
    pub(in super::super) fn lost_end(&self, number: BurstNo) -> Option<ServerMessage> {
        let Origin::Elsewhere(Elsewhere { ended: Some((frames, reason)), .. }) =
            self.floor.get(number)?.origin
        else {
            return None;
        };
        Some(ServerMessage::BurstEnded { burst: number, frames, reason })
    }
}
