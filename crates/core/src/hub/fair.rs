//! What one user and one address may have of the radio, over all their connections, and who has to listen
//! before they talk. What a refusal says depends on what its talker would hear, and on what the talker's own user and
//! address have on the air: on nothing that others hear.

use tenfour_protocol::control::{AirLimits, EndReason};
use tenfour_protocol::limits::{
    BURSTS_PER_ADDRESS, BURSTS_PER_USER, BUSY, CHANNEL_BURSTS, CHANNELS_PER_SESSION, CHANNELS_PER_USER,
    CONNECTIONS_PER_USER, NAMED_CHANNELS, REST, SILENT_BURST, SPEECH, SPEECH_WINDOW,
};
use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, Code, ParticipantNo, Range, Refusal, ServerMessage, UserId};

use super::airtime::UserKey;
use super::floor::{Burst, Talk};
use super::nodes::Origin;
use super::session::{Connection, Link, Stage, millis};
use super::{AddressNo, Hub, HubConfig, Timer};
use crate::{ConnId, Time};

/// When to try a busy channel again.
const BUSY_RETRY_MS: u32 = 1000;

/// Bursts that count together for somebody who wants to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    Address(AddressNo),
    Node(NodeId),
}

/// What an address has.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// Named channels that it opened.
    pub(super) named: usize,
    /// Bursts on the air.
    pub(super) on_air: usize,
}

impl HubConfig {
    /// What holds for everybody who talks.
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
    /// A user has one connection more, which has said hello or has not: the one that was idle longest goes if that
    /// is one too many, but none that is on the air. Those who may be about to resume count by themselves, so
    /// that a phone that comes back takes nobody's place.
    pub(super) fn make_room(&mut self, user: UserId, newest: ConnId, greeted: bool, now: Time) {
        let counts = |connection: &Connection| matches!(connection.stage, Stage::Greeted(_)) == greeted;
        let open = self
            .connections_of_user(user)
            .filter(|(_, connection)| !connection.closing && counts(connection));
        if open.clone().count() <= CONNECTIONS_PER_USER {
            return;
        }
        let idle = open.filter(|(conn, connection)| *conn != newest && connection.talk.is_none());
        if let Some((conn, _)) = idle.min_by_key(|(conn, connection)| (connection.active, *conn)) {
            self.close(conn, Code::Replaced, now);
        }
    }

    fn connections_of_user(&self, user: UserId) -> impl Iterator<Item = (ConnId, &Connection)> + Clone {
        let all = self.connections_by_user.range((user, ConnId(0))..=(user, ConnId(u64::MAX)));
        all.filter_map(|&(_, conn)| Some((conn, self.connections.get(&conn)?)))
    }

    /// Sessions of a user that wait for a resume, the one that waits longest first.
    fn suspended_of(&self, user: UserId) -> Vec<ParticipantNo> {
        let all = self.sessions_by_user.range((user, ParticipantNo(0))..=(user, ParticipantNo(u32::MAX)));
        let waits = |participant| match self.sessions.get(&participant)?.link {
            Link::Suspended { until } => Some((until, participant)),
            Link::Up(_) => None,
        };
        let mut suspended: Vec<_> = all.filter_map(|&(_, participant)| waits(participant)).collect();
        suspended.sort_unstable();
        suspended.into_iter().map(|(_, participant)| participant).collect()
    }

    /// A session of the user begins: of those that wait for a resume, no more stay than a user has connections.
    pub(super) fn let_old_sessions_go(&mut self, user: UserId, now: Time) {
        let suspended = self.suspended_of(user);
        let over = suspended.len().saturating_sub(CONNECTIONS_PER_USER);
        suspended.into_iter().take(over).for_each(|participant| self.forget_session(participant, now));
    }

    /// Whether a user may be tuned to one channel more. Sessions that wait for a resume go first.
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
        let all = self.sessions_by_user.range((user, ParticipantNo(0))..=(user, ParticipantNo(u32::MAX)));
        all.filter_map(|(_, participant)| self.sessions.get(participant))
            .map(|session| session.tuned.len())
            .sum()
    }

    /// Whether `address` may open one more named channel: it has no more of them than are left.
    pub(super) fn may_open_channel(&self, address: Option<AddressNo>) -> Result<(), Refusal> {
        let left = NAMED_CHANNELS.saturating_sub(self.named_channels);
        if left == 0 {
            return Err(Code::NoRoomForChannel.into());
        }
        match address.and_then(|address| self.shares.get(&address)) {
            Some(share) if share.named >= left => Err(Refusal::because(
                Code::NoRoomForChannel,
                "People behind your address have as many named channels as they may for now.",
            )),
            _ => Ok(()),
        }
    }

    /// Changes what an address has; one that has nothing is forgotten.
    pub(super) fn count_share(&mut self, address: Option<AddressNo>, change: impl FnOnce(&mut Share)) {
        let Some(address) = address else { return };
        let share = self.shares.entry(address).or_default();
        change(share);
        if share.named == 0 && share.on_air == 0 {
            self.shares.remove(&address);
        }
    }

    /// Whether `conn` may begin a burst on `channel`, and who that is.
    pub(super) fn may_talk(
        &self,
        conn: ConnId,
        channel: &ChannelId,
        now: Time,
    ) -> Result<ParticipantNo, Refusal> {
        if self.stopping {
            return Err(Code::GoingAway.into());
        }
        let Some(connection) = self.connections.get(&conn) else { return Err(Code::HelloExpected.into()) };
        let Stage::Greeted(talker) = connection.stage else { return Err(Code::HelloExpected.into()) };
        let tuned = self.sessions.get(&talker).is_some_and(|session| session.tuned.contains_key(channel));
        let known = self.channels.get(channel).filter(|_| tuned).ok_or(Code::NotTuned)?;
        self.talks_elsewhere(connection.user, channel, now)?;
        self.airtime.may_talk(connection.key, channel, now)?;
        let of_address = connection.address.and_then(|address| self.shares.get(&address));
        if of_address.is_some_and(|share| share.on_air >= BURSTS_PER_ADDRESS) {
            let crowded = "As many people behind your address talk as can at once.";
            return Err(Refusal::because(Code::ChannelBusy, crowded).retry_after(BUSY_RETRY_MS));
        }
        if known.on_air.len() >= CHANNEL_BURSTS || self.is_busy(talker, connection, channel) {
            return Err(Refusal::from(Code::ChannelBusy).retry_after(BUSY_RETRY_MS));
        }
        Ok(talker)
    }

    /// One user, one burst in a channel and two in all, on whatever connections.
    fn talks_elsewhere(&self, user: UserId, channel: &ChannelId, now: Time) -> Result<(), Refusal> {
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(crate::mutants::Mutant::TwoBurstsOfOneUser) {
            return Ok(());
        }
        // What a connection has on the air that is being closed ends in a moment: its user has come back.
        let open = self.connections_of_user(user).filter(|(_, connection)| !connection.closing);
        let talks: Vec<&Talk> = open.filter_map(|(_, connection)| connection.talk.as_ref()).collect();
        let here = talks.iter().any(|talk| self.bursts[&talk.burst].channel == *channel);
        let words = match here {
            true => "You are on the air on this channel from another device.",
            false if talks.len() < BURSTS_PER_USER => return Ok(()),
            false => "You are on the air on as many channels as one person can be.",
        };
        // A device that is gone falls silent in a second.
        let until = talks.iter().map(|talk| talk.limit).min().unwrap_or(now).min(now + SILENT_BURST);
        Err(Refusal::because(Code::AlreadyTalking, words).retry_after(millis(until - now)))
    }

    /// Whether the talker would hear as many bursts of others as a channel bears. Those of one address, unless
    /// it is the talker's own, count for one, so that nobody closes a channel from one address.
    fn is_busy(&self, talker: ParticipantNo, connection: &Connection, channel: &ChannelId) -> bool {
        let on_air = self.channels.get(channel).map(|channel| channel.on_air.iter());
        let mut counted: Vec<Crowd> = Vec::with_capacity(BUSY);
        let mut count = 0;
        for &burst in on_air.into_iter().flatten() {
            if self.is_of(burst, connection.user) || !self.listens_first(talker, burst) {
                continue;
            }
            if let Some(origin) = self.origin(burst, connection.address) {
                let most = if matches!(origin, Crowd::Node(_)) { BUSY - 1 } else { 1 };
                if counted.iter().filter(|known| **known == origin).count() >= most {
                    continue;
                }
                counted.push(origin);
            }
            count += 1;
            if count >= BUSY {
                return true;
            }
        }
        false
    }

    /// Where a burst comes from, as far as those from there count together for somebody at `own`. Who talks on
    /// another node from one address is not known here: so no node closes a channel by itself.
    fn origin(&self, burst: BurstNo, own: Option<AddressNo>) -> Option<Crowd> {
        let burst = &self.bursts[&burst];
        match &burst.origin {
            Origin::Here { .. } => burst.address.filter(|_| burst.address != own).map(Crowd::Address),
            Origin::Elsewhere(there) => Some(Crowd::Node(there.node)),
        }
    }

    /// Whether a burst counts for somebody who wants to talk.
    fn listens_first(&self, talker: ParticipantNo, burst: BurstNo) -> bool {
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(crate::mutants::Mutant::BusyByOthers) {
            return true;
        }
        self.would_hear(talker, burst, Range::Km10)
    }

    /// Whether a burst is a user's own, from whatever connection. One of another node is somebody else's.
    fn is_of(&self, burst: BurstNo, user: UserId) -> bool {
        self.bursts[&burst].user == Some(user)
    }

    /// Whether `listener` would hear `burst` with the larger of its two ranges, muted or not: turning the
    /// receiver down frees nobody from listening first, and turning it up tells no more than this. `least` is how
    /// far its own voice goes that is on the air.
    fn would_hear(&self, listener: ParticipantNo, burst: BurstNo, least: Range) -> bool {
        let (Some(burst), Some(slot)) = (self.bursts.get(&burst), self.places.slot(listener)) else {
            return false;
        };
        burst.talker != listener && self.talker_of(burst).would_be_heard_by(slot, least)
    }

    /// A burst begins. Whoever talks there and would hear it may not go on for long, and is told so; whoever
    /// talked a lot is remembered as somebody for whom others wait.
    pub(super) fn begin_courtesy(&mut self, burst: BurstNo, now: Time) {
        let Some(new) = self.bursts.get(&burst) else { return };
        let (channel, user) = (new.channel.clone(), new.user);
        let Some(known) = self.channels.get(&channel) else { return };
        let of_others =
            |other: &&BurstNo| **other != burst && !user.is_some_and(|user| self.is_of(**other, user));
        let talkers: Vec<(ConnId, ParticipantNo)> = known
            .on_air
            .iter()
            .filter(of_others)
            .filter_map(|other| match &self.bursts[other] {
                Burst { origin: Origin::Here { conn, .. }, talker, tx, .. } => Some((*conn, *talker, *tx)),
                _ => None,
            })
            .filter(|&(_, talker, tx)| self.would_hear(talker, burst, tx))
            .map(|(conn, talker, _)| (conn, talker))
            .collect();
        let much: Vec<ParticipantNo> = known
            .talkative
            .iter()
            .filter(|(talker, _)| self.sessions.get(talker).is_some_and(|session| Some(session.user) != user))
            .filter(|&(&talker, &reach)| self.would_hear(talker, burst, reach))
            .map(|(&talker, _)| talker)
            .collect();
        for (conn, talker) in talkers {
            self.wait_for(conn, now);
            if let Some(session) = self.sessions.get(&talker) {
                self.airtime.others_began(session.key, &channel, now);
            }
        }
        for talker in much {
            let key = self.sessions[&talker].key;
            if self.airtime.talks_much(key, now) {
                self.airtime.others_began(key, &channel, now);
            } else if let Some(known) = self.channels.get_mut(&channel) {
                known.talkative.remove(&talker);
            }
        }
    }

    /// Somebody else began whom the talker of `conn` would hear.
    fn wait_for(&mut self, conn: ConnId, now: Time) {
        let soon = now + self.config.courtesy_limit;
        let open = self.connections.get_mut(&conn).filter(|connection| !connection.closing);
        let Some(talk) = open.and_then(|connection| connection.talk.as_mut()) else { return };
        talk.others += 1;
        if soon < talk.limit {
            self.agenda.cancel(talk.limit, Timer::TalkLimit(talk.burst));
            (talk.limit, talk.ends) = (soon, EndReason::Courtesy);
            self.agenda.set(soon, Timer::TalkLimit(talk.burst));
        }
        let limit_in_ms = millis(talk.limit - now);
        let (burst, others) = (talk.local, talk.others);
        self.agenda.send(conn, ServerMessage::OthersWait { burst, others, limit_in_ms });
    }

    /// How long a burst may last that begins now, and by which limit. Who lets go while others wait and presses
    /// again at once goes on with the time that was left.
    pub(super) fn talk_limit(&self, conn: ConnId, channel: &ChannelId, now: Time) -> (Time, EndReason) {
        let limit = now + self.config.talk_limit;
        let key = self.connections.get(&conn).map(|connection| connection.key);
        match key.and_then(|key| self.airtime.owed(key, channel, now)) {
            Some(owed) if owed < limit => (owed.max(now), EndReason::Courtesy),
            _ => (limit, EndReason::TalkLimit),
        }
    }

    /// A burst is over: its time counts, and after a limit there is a rest.
    pub(super) fn count_speech(&mut self, key: UserKey, talk: &Talk, reason: EndReason, now: Time) {
        let Some(burst) = self.bursts.get(&talk.burst) else { return };
        let (talker, channel, address, tx) = (burst.talker, burst.channel.clone(), burst.address, burst.tx);
        self.count_share(address, |share| share.on_air -= 1);
        self.airtime.talked(key, talk.since, now);
        if matches!(reason, EndReason::TalkLimit | EndReason::Courtesy) {
            self.airtime.rests(key, &channel, now);
        } else if talk.others > 0 || talk.ends == EndReason::Courtesy {
            self.airtime.let_go(key, &channel, talk.limit, now);
        }
        let tuned = self.sessions.get(&talker).map(|session| session.tuned.keys().cloned().collect());
        let tuned: Vec<ChannelId> = tuned.unwrap_or_default();
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
        let Some(session) = self.sessions.get(&talker) else { return };
        if session.tuned.contains_key(channel)
            && self.airtime.talks_much(session.key, now)
            && let Some(known) = self.channels.get_mut(channel)
        {
            let farthest = known.talkative.entry(talker).or_insert(reach);
            *farthest = reach.max(*farthest);
        }
    }
}
