//! Channels, and who is tuned to them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tenfour_protocol::control::{ChannelInfo, EndReason};
use tenfour_protocol::limits::{CHANNEL_NUMBERS, CHANNELS_PER_SESSION, SNAPSHOT_PARTICIPANTS, TURNS};
use tenfour_protocol::{
    BurstNo, ChannelId, Code, Participant, ParticipantNo, Refusal, ServerMessage, SignalGrade,
};

use super::members::{Member, Members};
use super::presence::News;
use super::roll::Roll;
use super::session::Link;
use super::{AddressNo, Hears, Hub, Output, StartAt, Tuned};
use crate::{ConnId, Time};

/// A channel that has a participant.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Everybody, as pages list them.
    pub(super) roll: Roll,
    /// Those who have a connection.
    pub(super) here: Members,
    /// Those whose connection is gone for now, and which it was.
    pub(super) away: BTreeMap<ParticipantNo, ConnId>,
    /// Who came and left since it was told.
    pub(super) news: News,
    /// Who brought a named channel into being.
    pub(super) opened_by: Option<AddressNo>,
}

impl Channel {
    pub(super) fn count(&self) -> u32 {
        self.roll.len() as u32
    }

    /// Whether everybody who is tuned has a turn in each burst.
    pub(super) fn is_small(&self) -> bool {
        self.roll.len() <= usize::from(TURNS)
    }

    /// Whether it has too many participants to name them all.
    pub(super) fn is_large(&self) -> bool {
        self.roll.len() > SNAPSHOT_PARTICIPANTS
    }
}

impl Hub {
    /// The numbered channels, with their labels, then the named ones that have a participant.
    pub fn channels(&self) -> Vec<ChannelInfo> {
        let numbered = (1..=CHANNEL_NUMBERS).filter_map(ChannelId::numbered);
        let known = self.channels.keys().chain(self.channels_elsewhere());
        let named: BTreeSet<_> = known.filter(|channel| channel.number().is_none()).cloned().collect();
        numbered.chain(named).map(|channel| self.info(&channel, self.total(&channel))).collect()
    }

    pub(super) fn tune(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        channel: &ChannelId,
        catch_up: bool,
        now: Time,
    ) {
        let session = &self.sessions[&participant];
        if session.tuned.contains_key(channel) {
            return self.send_tuned(conn, channel);
        }
        let user = session.user;
        if let Err(refusal) =
            self.may_tune(user, now).and_then(|()| self.has_room(conn, participant, channel))
        {
            return self.agenda.error(conn, refusal.about(channel.clone()));
        }
        let session = &self.sessions[&participant];
        let heard_elsewhere = session.live_until.is_some_and(|until| now < until);
        self.enter_channel(conn, participant, channel, now);
        self.send_tuned(conn, channel);
        let from = if catch_up && !heard_elsewhere { StartAt::Oldest } else { StartAt::Live };
        for (burst, heard) in self.on_air_for(participant, channel) {
            match heard {
                Some(grade) => {
                    let who = Tuned::Hears(Hears { conn, grade });
                    self.agenda.push(Output::Join { burst, who, from });
                }
                None => {
                    self.sits_by(burst, conn, from);
                }
            }
        }
    }

    fn has_room(&self, conn: ConnId, participant: ParticipantNo, channel: &ChannelId) -> Result<(), Refusal> {
        if self.sessions[&participant].tuned.len() >= CHANNELS_PER_SESSION {
            return Err(Code::TooManyChannels.into());
        }
        match self.channels.get(channel) {
            Some(known) if self.total_of(channel, known) as usize >= self.config.channel_participants => {
                Err(Code::ChannelFull.into())
            }
            None if channel.number().is_none() => self.may_open_channel(self.connections[&conn].address),
            _ => Ok(()),
        }
    }

    fn enter_channel(&mut self, conn: ConnId, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        let Some(slot) = self.places.slot(participant) else { return };
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.tuned.insert(channel.clone(), self.agenda.input_seq());
        let mut opened_by = None;
        let entry = self.channels.entry(channel.clone());
        if matches!(entry, Entry::Vacant(_)) && channel.number().is_none() {
            self.named_channels += 1;
            opened_by = self.connections.get(&conn).and_then(|connection| connection.address);
        }
        let entered = entry.or_insert_with(|| Channel { opened_by, ..Channel::default() });
        entered.roll.insert(&session.you);
        entered.here.insert(Member { participant, conn, slot });
        entered.news.joined(participant);
        entered.news.tell(channel, now, &mut self.agenda);
        if let Some(address) = opened_by {
            *self.named_by.entry(address).or_default() += 1;
        }
        let reach = self.places.ranges(participant).tx;
        self.note_talkative(participant, channel, reach, now);
        self.interest_in(participant, channel);
        self.count_changed(channel, now);
    }

    pub(super) fn untune(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        channel: &ChannelId,
        now: Time,
    ) {
        if !self.sessions[&participant].tuned.contains_key(channel) {
            return self.agenda.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.talks_on(conn, channel) {
            self.end_talk(conn, EndReason::Untuned);
        }
        // Also from those that are over: this listener may not have heard them to the end.
        let bursts = self.floor.held_and_on_air(channel);
        #[cfg(feature = "mutants")]
        let bursts = bursts.filter(|_| !self.config.mutants.has(crate::mutants::Mutant::DeliverToUntuned));
        self.agenda.extend(bursts.map(|burst| Output::Leave { burst, conn }));
        self.leave_channel(participant, channel, now);
        self.agenda.send(conn, ServerMessage::Untuned { channel: channel.clone() });
    }

    pub(super) fn leave_channel(&mut self, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        self.no_interest_in(participant, channel, now);
        self.count_changed(channel, now);
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.tuned.remove(channel);
        let Some(left) = self.channels.get_mut(channel) else { return };
        left.roll.remove(&session.you);
        left.here.remove(participant);
        left.away.remove(&participant);
        self.floor.forget_talkative(participant, channel);
        if !left.roll.is_empty() {
            left.news.left(participant);
            return left.news.tell(channel, now, &mut self.agenda);
        }
        self.drop_news(channel);
        let opened_by = self.channels.remove(channel).and_then(|gone| gone.opened_by);
        self.floor.forget_channel(channel);
        if let Some(address) = opened_by
            && let Some(named) = self.named_by.get_mut(&address)
        {
            *named -= 1;
            if *named == 0 {
                self.named_by.remove(&address);
            }
        }
        if channel.number().is_none() {
            self.named_channels -= 1;
        }
    }

    /// The connection is gone, and its place with it; the session stays on its channels, and nobody
    /// is told.
    pub(super) fn suspend(&mut self, participant: ParticipantNo, now: Time) {
        self.interest_off(participant, now);
        self.forget_place(participant, now);
        let until = now + self.config.hold;
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.link = Link::Suspended { until };
        self.agenda.set(until, super::Timer::Suspended(participant));
        for channel in session.tuned.keys() {
            if let Some(channel) = self.channels.get_mut(channel) {
                let member = channel.here.remove(participant);
                channel.away.extend(member.map(|member| (participant, member.conn)));
            }
        }
    }

    /// A new connection takes the session's place on its channels.
    pub(super) fn come_back(&mut self, conn: ConnId, participant: ParticipantNo) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        let Some(slot) = self.places.slot(participant) else { return };
        for channel in session.tuned.keys() {
            let Some(channel) = self.channels.get_mut(channel) else { continue };
            channel.away.remove(&participant);
            channel.here.insert(Member { participant, conn, slot });
        }
        self.interest_on(participant);
    }

    pub(super) fn send_tuned(&mut self, conn: ConnId, channel: &ChannelId) {
        let Some(known) = self.channels.get(channel) else { return };
        let (participants, pages) = if known.is_large() || self.elsewhere(channel) > 0 {
            (known.roll.page(0), self.pages(channel))
        } else {
            (known.roll.all(), 1)
        };
        #[cfg(feature = "mutants")]
        let participants = self.listed(conn, participants);
        let info = self.info(channel, self.total_of(channel, known));
        self.agenda.send(conn, ServerMessage::Tuned { info, participants, pages });
    }

    pub(super) fn page(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        channel: ChannelId,
        page: u32,
        now: Time,
    ) {
        if !self.sessions[&participant].tuned.contains_key(&channel) {
            return self.agenda.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.ask_page(conn, &channel, page, self.channels[&channel].roll.pages(), now) {
            return;
        }
        let (pages, count, participants) =
            (self.pages(&channel), self.total(&channel), self.page_of(&channel, page));
        self.agenda.send(conn, ServerMessage::Participants { channel, page, pages, count, participants });
    }

    /// Pages there are: this node's own people first, then those of others.
    pub(super) fn pages(&self, channel: &ChannelId) -> u32 {
        self.channels.get(channel).map_or(1, |channel| channel.roll.pages()) + self.pages_elsewhere(channel)
    }

    /// One page of this node's own people.
    pub(super) fn page_of(&self, channel: &ChannelId, page: u32) -> Vec<Participant> {
        self.channels.get(channel).map_or_else(Vec::new, |channel| channel.roll.page(page))
    }

    /// Those in range only, when the list is broken.
    #[cfg(feature = "mutants")]
    fn listed(&self, conn: ConnId, mut participants: Vec<Participant>) -> Vec<Participant> {
        let asking = self.sessions.values().find(|session| session.link == Link::Up(conn));
        if let Some(asking) = asking
            && self.config.mutants.has(crate::mutants::Mutant::ListByRange)
        {
            let here = self.places.slot(asking.you.id).expect("a session has a slot");
            participants.retain(|other| {
                let there = self.places.talker(self.places.slot(other.id), Default::default());
                other.id == asking.you.id || there.heard_by(here).is_some()
            });
        }
        participants
    }

    /// Bursts of others on the air, and how well `participant` hears them, if at all.
    pub(super) fn on_air_for(
        &self,
        participant: ParticipantNo,
        channel: &ChannelId,
    ) -> Vec<(BurstNo, Option<Option<SignalGrade>>)> {
        let on_air = self.floor.on_air(channel);
        let of_others = on_air.filter(|&burst| self.floor[burst].talker != participant);
        of_others.map(|burst| (burst, self.hears(participant, burst))).collect()
    }
}
