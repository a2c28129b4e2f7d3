//! Channels, and who is tuned to them.

use std::collections::BTreeSet;

use tenfour_protocol::control::{ChannelInfo, EndReason};
use tenfour_protocol::limits::{
    CHANNEL_NUMBERS, CHANNELS_PER_SESSION, NAMED_CHANNELS, PAGE_PARTICIPANTS, SNAPSHOT_PARTICIPANTS,
};
use tenfour_protocol::{
    BurstNo, ChannelId, Code, Handle, Participant, ParticipantNo, Refusal, ServerMessage, SignalGrade,
};

use super::members::{Member, Members};
use super::presence::News;
use super::session::Link;
use super::{From, Hears, Hub, Output};
use crate::{ConnId, Time};

/// A channel that has a participant.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Everybody, as pages list them.
    pub(super) roll: BTreeSet<(Handle, ParticipantNo)>,
    /// Those who have a connection.
    pub(super) here: Members,
    /// Who came and left since it was told.
    pub(super) news: News,
    pub(super) on_air: BTreeSet<BurstNo>,
    pub(super) held: BTreeSet<BurstNo>,
}

impl Channel {
    pub(super) fn count(&self) -> u32 {
        self.roll.len() as u32
    }

    /// Whether it has too many participants to name them all.
    pub(super) fn is_large(&self) -> bool {
        self.roll.len() > SNAPSHOT_PARTICIPANTS
    }

    fn pages(&self) -> u32 {
        self.roll.len().div_ceil(PAGE_PARTICIPANTS).max(1) as u32
    }
}

impl Hub {
    /// The numbered channels, with their labels, then the named ones that have a participant.
    pub fn channels(&self) -> Vec<ChannelInfo> {
        let numbered = (1..=CHANNEL_NUMBERS).filter_map(ChannelId::numbered);
        let known = self.channels.keys().chain(self.channels_elsewhere());
        let named: BTreeSet<_> = known.filter(|channel| channel.number().is_none()).cloned().collect();
        numbered.chain(named).map(|channel| self.info(&channel)).collect()
    }

    pub(super) fn tune(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        channel: &ChannelId,
        catch_up: bool,
        now: Time,
    ) {
        if self.sessions[&participant].tuned.contains_key(channel) {
            return self.send_tuned(conn, channel);
        }
        if let Err(code) = self.has_room(participant, channel) {
            return self.error(conn, Refusal::from(code).about(channel.clone()));
        }
        self.enter_channel(conn, participant, channel, now);
        self.send_tuned(conn, channel);
        let heard_elsewhere = self.sessions[&participant].live_until.is_some_and(|until| now < until);
        let from = if catch_up && !heard_elsewhere { From::Oldest } else { From::Live };
        for (burst, grade) in self.audible(participant, channel) {
            self.outputs.push_back(Output::Join { burst, listener: Hears { conn, grade }, from });
        }
    }

    fn has_room(&self, participant: ParticipantNo, channel: &ChannelId) -> Result<(), Code> {
        if self.sessions[&participant].tuned.len() >= CHANNELS_PER_SESSION {
            return Err(Code::TooManyChannels);
        }
        match self.channels.get(channel) {
            Some(_) if self.total(channel) as usize >= self.config.channel_participants => {
                Err(Code::ChannelFull)
            }
            None if channel.number().is_none() && self.named_channels >= NAMED_CHANNELS => {
                Err(Code::NoRoomForChannel)
            }
            _ => Ok(()),
        }
    }

    fn enter_channel(&mut self, conn: ConnId, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.tuned.insert(channel.clone(), self.moment);
        if !self.channels.contains_key(channel) && channel.number().is_none() {
            self.named_channels += 1;
        }
        let entered = self.channels.entry(channel.clone()).or_default();
        entered.roll.insert((session.you.person.handle.clone(), participant));
        entered.here.insert(Member { participant, conn, slot: session.whereabouts.slot });
        self.note_joined(participant, channel, now);
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
            return self.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.talks_on(conn, channel) {
            self.end_talk(conn, EndReason::Untuned);
        }
        // Also from those that are over: this listener may not have heard them to the end.
        let known = &self.channels[channel];
        let bursts = known.held.iter().chain(&known.on_air);
        #[cfg(feature = "mutants")]
        let bursts = bursts.filter(|_| !self.config.mutants.has(crate::mutants::Mutant::DeliverToUntuned));
        self.outputs.extend(bursts.map(|&burst| Output::Leave { burst, conn }));
        self.leave_channel(participant, channel, now);
        self.send(conn, ServerMessage::Untuned { channel: channel.clone() });
    }

    pub(super) fn leave_channel(&mut self, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        self.no_interest_in(participant, channel, now);
        self.count_changed(channel, now);
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.tuned.remove(channel);
        let Some(left) = self.channels.get_mut(channel) else { return };
        left.roll.remove(&(session.you.person.handle.clone(), participant));
        left.here.remove(participant);
        if !left.roll.is_empty() {
            return self.note_left(participant, channel, now);
        }
        self.drop_news(channel);
        self.channels.remove(channel);
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
        self.timers.set(until, super::Timer::Suspended(participant));
        for channel in session.tuned.keys() {
            if let Some(channel) = self.channels.get_mut(channel) {
                channel.here.remove(participant);
            }
        }
    }

    /// A new connection takes the session's place on its channels.
    pub(super) fn come_back(&mut self, conn: ConnId, participant: ParticipantNo, earlier_handle: &Handle) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        for channel in session.tuned.keys() {
            let Some(channel) = self.channels.get_mut(channel) else { continue };
            channel.here.insert(Member { participant, conn, slot: session.whereabouts.slot });
            channel.roll.remove(&(earlier_handle.clone(), participant));
            channel.roll.insert((session.you.person.handle.clone(), participant));
        }
        self.interest_on(participant);
    }

    pub(super) fn send_tuned(&mut self, conn: ConnId, channel: &ChannelId) {
        let Some(known) = self.channels.get(channel) else { return };
        let (participants, pages) = if known.is_large() || self.elsewhere(channel) > 0 {
            (self.participants(known, 0), self.pages(channel))
        } else {
            (self.named(known.roll.iter()), 1)
        };
        #[cfg(feature = "mutants")]
        let participants = self.listed(conn, participants);
        self.send(conn, ServerMessage::Tuned { info: self.info(channel), participants, pages });
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
            return self.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.ask_page(conn, &channel, page, self.channels[&channel].pages(), now) {
            return;
        }
        let (pages, count, participants) =
            (self.pages(&channel), self.total(&channel), self.page_of(&channel, page));
        self.send(conn, ServerMessage::Participants { channel, page, pages, count, participants });
    }

    /// Pages there are: this node's own people first, then those of others.
    pub(super) fn pages(&self, channel: &ChannelId) -> u32 {
        self.channels.get(channel).map_or(1, Channel::pages) + self.pages_elsewhere(channel)
    }

    /// One page of this node's own people.
    pub(super) fn page_of(&self, channel: &ChannelId, page: u32) -> Vec<Participant> {
        self.channels.get(channel).map_or_else(Vec::new, |channel| self.participants(channel, page))
    }

    /// Those in range only, when the list is broken.
    #[cfg(feature = "mutants")]
    fn listed(&self, conn: ConnId, mut participants: Vec<Participant>) -> Vec<Participant> {
        let asking = self.sessions.values().find(|session| session.link == Link::Up(conn));
        if let Some(asking) = asking
            && self.config.mutants.has(crate::mutants::Mutant::ListByRange)
        {
            let here = asking.whereabouts.slot;
            participants.retain(|other| {
                let there = self.sessions[&other.id].whereabouts.slot;
                other.id == asking.you.id
                    || self.spots.talker(Some(there), Default::default()).heard_by(here).is_some()
            });
        }
        participants
    }

    fn participants(&self, channel: &Channel, page: u32) -> Vec<Participant> {
        let before = (page as usize).saturating_mul(PAGE_PARTICIPANTS);
        self.named(channel.roll.iter().skip(before).take(PAGE_PARTICIPANTS))
    }

    fn named<'a>(&self, roll: impl Iterator<Item = &'a (Handle, ParticipantNo)>) -> Vec<Participant> {
        roll.filter_map(|(_, participant)| self.participant(*participant)).collect()
    }

    pub(super) fn participant(&self, participant: ParticipantNo) -> Option<Participant> {
        self.sessions.get(&participant).map(|session| session.you.clone())
    }

    /// Bursts on the air that `participant` hears, and how well.
    pub(super) fn audible(
        &self,
        participant: ParticipantNo,
        channel: &ChannelId,
    ) -> Vec<(BurstNo, Option<SignalGrade>)> {
        let on_air = self.channels.get(channel).map(|channel| channel.on_air.iter());
        let heard = on_air.into_iter().flatten();
        heard.filter_map(|&burst| Some((burst, self.hears(participant, burst)?))).collect()
    }
}
