//! What one user and one address may use, over all their connections, and who has to listen before they talk. A
//! refusal depends on what the talker would hear, and on what their own user and address have on the air. It never
//! depends on what others hear, because that would tell where they are.

use tenfour_protocol::control::{AirLimits, EndReason};
use tenfour_protocol::limits::{
    BURSTS_PER_ADDRESS, BURSTS_PER_USER, BUSY, CHANNEL_BURSTS, CHANNELS_PER_SESSION, CHANNELS_PER_USER,
    CONNECTIONS_PER_USER, NAMED_CHANNELS, REST, SILENT_BURST, SPEECH, SPEECH_WINDOW,
};
use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, Code, ParticipantNo, Range, Refusal, ServerMessage, UserId};

use super::airtime::UserKey;
use super::burst::Talk;
use super::nodes::Origin;
use super::sessions::{Connection, Link, Stage};
use super::{AddressNo, Hub, HubConfig, millis};
use crate::{ConnId, Time, mutant};

/// When to try a busy channel again.
const BUSY_RETRY_MS: u32 = 1000;

/// Bursts that count together for somebody who wants to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    Address(AddressNo),
    Node(NodeId),
}

impl HubConfig {
    /// The limits for everybody who talks.
    pub fn air_limits(&self) -> AirLimits {
        AirLimits {
            talk_ms: millis(self.talk_limit),
            courtesy_ms: millis(self.courtesy_limit),
            rest_ms: millis(REST),
            speech_ms: millis(SPEECH),
            speech_window_ms: millis(SPEECH_WINDOW),
            busy: BUSY as u32,
            bursts: BURSTS_PER_USER as u32,
            connections: CONNECTIONS_PER_USER as u32,
            channels: CHANNELS_PER_SESSION as u32,
            channels_in_all: CHANNELS_PER_USER as u32,
        }
    }
}

impl Hub {
    /// A user has one more connection. If there are too many, closes the one that was idle longest, but none that is
    /// on the air. Connections that have not said hello are counted separately, since they may be about to resume: a
    /// phone that comes back must not push out another device.
    pub(super) fn make_room(&mut self, user: UserId, newest: ConnId, greeted: bool, now: Time) {
        let counts = |connection: &Connection| connection.is_greeted() == greeted;
        let open = self
            .sessions
            .connections_of_user(user)
            .filter(|(_, connection)| !connection.closing && counts(connection));
        if open.clone().count() <= CONNECTIONS_PER_USER {
            return;
        }
        let idle = open.filter(|(conn, _)| *conn != newest && self.floor.talk(*conn).is_none());
        if let Some((conn, _)) = idle.min_by_key(|(conn, connection)| (connection.active, *conn)) {
            self.close(conn, Code::Replaced, now);
        }
    }

    /// Sessions of a user that wait for a resume, the longest wait first.
    fn suspended_of(&self, user: UserId) -> Vec<ParticipantNo> {
        let waits = |participant| match self.sessions.get(participant)?.link {
            Link::Suspended { until } => Some((until, participant)),
            Link::Up(_) => None,
        };
        let mut suspended: Vec<_> = self.sessions.sessions_of_user(user).filter_map(waits).collect();
        suspended.sort_unstable();
        suspended.into_iter().map(|(_, participant)| participant).collect()
    }

    /// A session of the user begins. Forgets the oldest sessions that wait for a resume, so that no more of them wait
    /// than a user may have connections.
    pub(super) fn let_old_sessions_go(&mut self, user: UserId, now: Time) {
        let suspended = self.suspended_of(user);
        let over = suspended.len().saturating_sub(CONNECTIONS_PER_USER);
        suspended.into_iter().take(over).for_each(|participant| self.forget_session(participant, now));
    }

    /// Whether a user may be tuned to one channel more. Forgets sessions that wait for a resume to make room.
    pub(super) fn may_tune(&mut self, user: UserId, now: Time) -> Result<(), Refusal> {
        let mut suspended = self.suspended_of(user).into_iter();
        while self.channels_of_user(user) >= CHANNELS_PER_USER {
            let Some(oldest) = suspended.next() else {
                return Err(Refusal::because(
                    Code::TooManyChannels,
                    "Your devices are tuned to as many channels as one person can be.",
                ));
            };
            self.forget_session(oldest, now);
        }
        Ok(())
    }

    fn channels_of_user(&self, user: UserId) -> usize {
        self.sessions.sessions_of_user(user).map(|participant| self.roster.count_of(participant)).sum()
    }

    /// Whether `address` may open one more named channel. An address may have no more of them than are free, so that
    /// no address takes them all.
    pub(super) fn may_open_channel(&self, address: Option<AddressNo>) -> Result<(), Refusal> {
        let left = NAMED_CHANNELS.saturating_sub(self.roster.named());
        if left == 0 {
            return Err(Code::NoRoomForChannel.into());
        }
        if self.roster.named_by(address) >= left {
            return Err(Refusal::because(
                Code::NoRoomForChannel,
                "People behind your address have as many named channels as they may for now.",
            ));
        }
        Ok(())
    }

    /// Whether `conn` may begin a burst on `channel`. Returns the talker, or why not.
    pub(super) fn may_talk(
        &self,
        conn: ConnId,
        channel: &ChannelId,
        now: Time,
    ) -> Result<ParticipantNo, Refusal> {
        if self.sessions.is_stopping() {
            return Err(Code::GoingAway.into());
        }
        let Some(connection) = self.sessions.connection(conn) else { return Err(Code::HelloExpected.into()) };
        let Stage::Greeted(talker) = connection.stage else { return Err(Code::HelloExpected.into()) };
        if !self.roster.is_tuned(talker, channel) {
            return Err(Code::NotTuned.into());
        }
        self.talks_elsewhere(connection.user, channel, now)?;
        self.floor.may_talk(connection.key, channel, now)?;
        if self.floor.on_air_of(connection.address) >= BURSTS_PER_ADDRESS {
            let crowded = "As many people behind your address talk as can at once.";
            return Err(Refusal::because(Code::ChannelBusy, crowded).retry_after(BUSY_RETRY_MS));
        }
        if self.floor.on_air(channel).len() >= CHANNEL_BURSTS || self.is_busy(talker, connection, channel) {
            return Err(Refusal::from(Code::ChannelBusy).retry_after(BUSY_RETRY_MS));
        }
        Ok(talker)
    }

    /// A user may have one burst on a channel and two in all, over all connections.
    fn talks_elsewhere(&self, user: UserId, channel: &ChannelId, now: Time) -> Result<(), Refusal> {
        mutant!(self.config.mutants, TwoBurstsOfOneUser => return Ok(()));
        // A connection that is being closed ends its burst soon; its user has come back on another.
        let open = self.sessions.connections_of_user(user).filter(|(_, connection)| !connection.closing);
        let talks: Vec<&Talk> = open.filter_map(|(conn, _)| self.floor.talk(conn)).collect();
        let here = talks.iter().any(|talk| self.floor[talk.burst].channel == *channel);
        let words = match here {
            true => "You are on the air on this channel from another device.",
            false if talks.len() < BURSTS_PER_USER => return Ok(()),
            false => "You are on the air on as many channels as one person can be.",
        };
        // The burst of a device that is gone ends after a second of silence.
        let until = talks.iter().map(|talk| talk.limit).min().unwrap_or(now).min(now + SILENT_BURST);
        Err(Refusal::because(Code::AlreadyTalking, words).retry_after(millis(until - now)))
    }

    /// Whether the talker would hear as many bursts of others as a channel allows. All bursts from one address count
    /// as one, unless it is the talker's own address, so that nobody can block a channel from one address.
    fn is_busy(&self, talker: ParticipantNo, connection: &Connection, channel: &ChannelId) -> bool {
        let mut counted: Vec<Crowd> = Vec::with_capacity(BUSY);
        let mut count = 0;
        for burst in self.floor.on_air(channel) {
            if self.is_of(burst, connection.user) || !self.listens_first(talker, burst) {
                continue;
            }
            if let Some(crowd) = self.crowd_of(burst, connection.address) {
                let most = if matches!(crowd, Crowd::Node(_)) { BUSY - 1 } else { 1 };
                if counted.iter().filter(|known| **known == crowd).count() >= most {
                    continue;
                }
                counted.push(crowd);
            }
            count += 1;
            if count >= BUSY {
                return true;
            }
        }
        false
    }

    /// With which other bursts this one is counted, for a talker at address `own`. This node does not know the
    /// addresses of talkers on other nodes, so it counts those by node: no single node can block a channel.
    fn crowd_of(&self, burst: BurstNo, own: Option<AddressNo>) -> Option<Crowd> {
        let burst = &self.floor[burst];
        match &burst.origin {
            Origin::Here { .. } => burst.address.filter(|_| burst.address != own).map(Crowd::Address),
            Origin::Elsewhere(there) => Some(Crowd::Node(there.node)),
        }
    }

    /// Whether a burst counts for somebody who wants to talk.
    fn listens_first(&self, talker: ParticipantNo, burst: BurstNo) -> bool {
        mutant!(self.config.mutants, BusyByOthers => return true);
        self.would_hear(talker, burst, Range::Km10)
    }

    /// Whether a burst is a user's own, from any connection. A burst of another node counts as somebody else's.
    fn is_of(&self, burst: BurstNo, user: UserId) -> bool {
        self.floor[burst].user == Some(user)
    }

    /// Whether `listener` would hear `burst` with the larger of its two ranges, muted or not. So nobody talks sooner
    /// by turning the receiver down, and nobody learns more by turning it up. `least` is how far the listener's own
    /// voice goes that is on the air.
    fn would_hear(&self, listener: ParticipantNo, burst: BurstNo, least: Range) -> bool {
        let (Some(burst), Some(slot)) = (self.floor.get(burst), self.places.slot(listener)) else {
            return false;
        };
        burst.talker != listener && self.talker_of(burst).would_be_heard_by(slot, least)
    }

    /// A burst begins. Those who talk on its channel and would hear it are told that they may not go on for long.
    /// Those who talked a lot are remembered as people for whom others wait.
    pub(super) fn begin_courtesy(&mut self, burst: BurstNo, now: Time) {
        let Some(new) = self.floor.get(burst) else { return };
        let (channel, user) = (new.channel.clone(), new.user);
        let talkers: Vec<(ConnId, ParticipantNo)> = self
            .floor
            .on_air(&channel)
            .filter(|&other| other != burst && !user.is_some_and(|user| self.is_of(other, user)))
            .filter_map(|other| {
                let other = &self.floor[other];
                Some((other.conn()?, other)).filter(|_| self.would_hear(other.talker, burst, other.tx))
            })
            .map(|(conn, other)| (conn, other.talker))
            .collect();
        let key_of_other = |talker| {
            let session = self.sessions.get(talker).filter(|session| Some(session.user) != user)?;
            Some((talker, session.key))
        };
        let much: Vec<(ParticipantNo, UserKey)> = self
            .floor
            .talkative(&channel)
            .filter_map(|(talker, reach)| {
                key_of_other(talker).filter(|_| self.would_hear(talker, burst, reach))
            })
            .collect();
        for (conn, talker) in talkers {
            self.wait_for(conn, now);
            if let Some(session) = self.sessions.get(talker) {
                self.floor.others_began(session.key, &channel, now);
            }
        }
        for talker in much {
            self.floor.others_began_for_talkative(talker, &channel, now);
        }
    }

    /// Somebody else began whom the talker of `conn` would hear.
    fn wait_for(&mut self, conn: ConnId, now: Time) {
        if self.sessions.open(conn).is_none() {
            return;
        }
        let soon = now + self.config.courtesy_limit;
        let Some(talk) = self.floor.shorten_talk(conn, soon, &mut self.agenda) else { return };
        let (burst, others, limit_in_ms) = (talk.local, talk.others, millis(talk.limit - now));
        self.agenda.send(conn, ServerMessage::OthersWait { burst, others, limit_in_ms });
    }

    /// How long a burst may last that begins now, and by which limit. A talker who lets go while others wait, and
    /// presses again at once, has only the time that was left.
    pub(super) fn talk_limit(&self, conn: ConnId, channel: &ChannelId, now: Time) -> (Time, EndReason) {
        let limit = now + self.config.talk_limit;
        let key = self.sessions.connection(conn).map(|connection| connection.key);
        match key.and_then(|key| self.floor.owed_limit(key, channel, now)) {
            Some(owed) if owed < limit => (owed.max(now), EndReason::Courtesy),
            _ => (limit, EndReason::TalkLimit),
        }
    }

    /// A burst is over: its time counts, and after a limit there is a rest.
    pub(super) fn count_speech(&mut self, key: UserKey, talk: &Talk, reason: EndReason, now: Time) {
        self.floor.count_speech(key, talk, reason, now);
        let Some(burst) = self.floor.get(talk.burst) else { return };
        let (talker, tx) = (burst.talker, burst.tx);
        let tuned: Vec<ChannelId> = self.roster.tuned(talker).cloned().collect();
        tuned.iter().for_each(|channel| self.note_talkative(talker, channel, tx, now));
    }

    /// Remembers on a channel who talked a lot lately, if they did, and that their voice reached so far.
    pub(super) fn note_talkative(
        &mut self,
        talker: ParticipantNo,
        channel: &ChannelId,
        reach: Range,
        now: Time,
    ) {
        if let Some(session) = self.sessions.get(talker)
            && self.roster.is_tuned(talker, channel)
        {
            self.floor.note_talkative((talker, session.key), channel, reach, now);
        }
    }
}
