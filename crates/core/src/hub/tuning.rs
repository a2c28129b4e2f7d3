//! A session tunes in to a channel, leaves it, asks who is there.

use std::collections::BTreeSet;

use tenfour_protocol::control::{ChannelInfo, EndReason};
use tenfour_protocol::limits::{CHANNEL_NUMBERS, CHANNELS_PER_SESSION};
use tenfour_protocol::{
    BurstNo, ChannelId, Code, Participant, ParticipantNo, Refusal, ServerMessage, SignalGrade,
};

use super::members::Member;
use super::{Hub, Output, StartAt, Timer};
use crate::{ConnId, Time, mutant};

impl Hub {
    /// The numbered channels, with their labels, then the named ones that have a participant.
    pub fn channels(&self) -> Vec<ChannelInfo> {
        let numbered = (1..=CHANNEL_NUMBERS).filter_map(ChannelId::numbered);
        let known = self.roster.channels().map(|(channel, _)| channel).chain(self.channels_elsewhere());
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
        if self.roster.is_tuned(participant, channel) {
            return self.send_tuned(conn, channel);
        }
        let user = self.sessions[participant].user;
        if let Err(refusal) =
            self.may_tune(user, now).and_then(|()| self.has_room(conn, participant, channel))
        {
            return self.agenda.error(conn, refusal.about(channel.clone()));
        }
        let heard_elsewhere = self.heard_elsewhere(participant, now);
        self.enter_channel(conn, participant, channel, now);
        self.send_tuned(conn, channel);
        let from = if catch_up && !heard_elsewhere { StartAt::Oldest } else { StartAt::Live };
        for (burst, heard) in self.on_air_for(participant, channel) {
            match heard {
                Some(grade) => self.let_in(burst, conn, grade, from),
                None => {
                    self.sits_by(burst, conn, from);
                }
            }
        }
    }

    fn has_room(&self, conn: ConnId, participant: ParticipantNo, channel: &ChannelId) -> Result<(), Refusal> {
        if self.roster.count_of(participant) >= CHANNELS_PER_SESSION {
            return Err(Code::TooManyChannels.into());
        }
        match self.roster.get(channel) {
            Some(known) if self.total_of(channel, known) as usize >= self.config.channel_participants => {
                Err(Code::ChannelFull.into())
            }
            None if channel.number().is_none() => self
                .may_open_channel(self.sessions.connection(conn).and_then(|connection| connection.address)),
            _ => Ok(()),
        }
    }

    fn enter_channel(&mut self, conn: ConnId, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        let Some(slot) = self.places.slot(participant) else { return };
        let you = &self.sessions[participant].you;
        let member = Member { participant, conn, slot };
        let address = self.sessions.connection(conn).and_then(|connection| connection.address);
        self.roster.enter(channel, you, member, address, now, &mut self.agenda);
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
        if !self.roster.is_tuned(participant, channel) {
            return self.agenda.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.talks_on(conn, channel) {
            self.end_talk(conn, EndReason::Untuned);
        }
        // Also bursts that ended and are held: this listener may not have heard them to the end.
        let bursts = self.floor.held_and_on_air(channel);
        mutant!(let bursts = super::mutants::ended(bursts, self.config.mutants));
        self.agenda.extend(bursts.map(|burst| Output::Leave { burst, conn }));
        self.leave_channel(participant, channel, now);
        self.agenda.send(conn, ServerMessage::Untuned { channel: channel.clone() });
    }

    pub(super) fn leave_channel(&mut self, participant: ParticipantNo, channel: &ChannelId, now: Time) {
        self.no_interest_in(participant, channel, now);
        self.count_changed(channel, now);
        let Some(session) = self.sessions.get(participant) else { return };
        self.floor.forget_talkative(participant, channel);
        if self.roster.leave(channel, &session.you, now, &mut self.agenda) {
            self.floor.forget_channel(channel);
        }
    }

    /// The connection of a session is gone, and where it was is wiped. The session stays on its channels, and nobody
    /// is told.
    pub(super) fn suspend(&mut self, participant: ParticipantNo, now: Time) {
        self.interest_off(participant, now);
        self.forget_place(participant, now);
        let until = now + self.config.hold;
        self.sessions.suspend(participant, until);
        self.agenda.set(until, Timer::Suspended(participant));
        self.roster.suspend(participant);
    }

    /// A session is reached through a new connection on all its channels.
    pub(super) fn come_back(&mut self, conn: ConnId, participant: ParticipantNo) {
        let Some(slot) = self.places.slot(participant) else { return };
        self.roster.come_back(Member { participant, conn, slot });
        self.interest_on(participant);
    }

    pub(super) fn send_tuned(&mut self, conn: ConnId, channel: &ChannelId) {
        let Some(known) = self.roster.get(channel) else { return };
        let (participants, pages) = if known.is_large() || self.elsewhere(channel) > 0 {
            (known.roll().page(0), self.pages(channel))
        } else {
            (known.roll().all(), 1)
        };
        mutant!(let participants = self.listed(conn, participants));
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
        if !self.roster.is_tuned(participant, &channel) {
            return self.agenda.error(conn, Refusal::from(Code::NotTuned).about(channel.clone()));
        }
        if self.ask_page(conn, &channel, page, self.roster[&channel].roll().pages(), now) {
            return;
        }
        let (pages, count, participants) =
            (self.pages(&channel), self.total(&channel), self.page_of(&channel, page));
        self.agenda.send(conn, ServerMessage::Participants { channel, page, pages, count, participants });
    }

    /// Pages there are: this node's own people first, then those of others.
    pub(super) fn pages(&self, channel: &ChannelId) -> u32 {
        self.roster.get(channel).map_or(1, |channel| channel.roll().pages()) + self.pages_elsewhere(channel)
    }

    /// One page of this node's own people.
    pub(super) fn page_of(&self, channel: &ChannelId, page: u32) -> Vec<Participant> {
        self.roster.get(channel).map_or_else(Vec::new, |channel| channel.roll().page(page))
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
