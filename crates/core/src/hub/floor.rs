//! The right to talk: presses, bursts on the air, receipts.

use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(feature = "mutants")]
use tenfour_protocol::Description;
use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::limits::{BUNDLES, PRESS_PATIENCE, PRESSES_WAITING};
use tenfour_protocol::{
    BurstNo, ChannelId, Code, Participant, ParticipantNo, Range, Refusal, ServerMessage, UserId,
};

use super::channel::Channel;
use super::nodes::Origin;
use super::receipts::{Passed, refused};
use super::session::{Link, Stage, millis};
use super::{AddressNo, Hub, Output, Route, Timer, Tuned};
use crate::{ConnId, Time};

/// Somebody wants to talk.
#[derive(Debug)]
pub(super) struct Press {
    local: BurstNo,
    channel: ChannelId,
    codec: Codec,
    frame_ms: FrameTime,
    /// How long it waits for an earlier burst of the same talker to be over.
    until: Time,
}

/// What a connection has on the air.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    pub(super) local: BurstNo,
    pub(super) burst: BurstNo,
    pub(super) since: Time,
    /// When it is ended, and which limit that is.
    pub(super) limit: Time,
    pub(super) ends: EndReason,
    /// How many began since whom its talker would hear.
    pub(super) others: u32,
}

/// A burst on the air, or one that is over and held.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) talker: ParticipantNo,
    /// Who that is, and from where; none on another node.
    pub(super) user: Option<UserId>,
    pub(super) address: Option<AddressNo>,
    /// As it was at the start.
    pub(super) tx: Range,
    pub(super) over: Option<Over>,
    /// Who had the talker muted when its session ended: a mute outlives it as long as its voice.
    pub(super) unwanted_by: BTreeSet<ParticipantNo>,
    pub(super) channel: ChannelId,
    /// Whether everybody who is tuned has a turn, as it was at the start.
    pub(super) small: bool,
    pub(super) origin: Origin,
}

/// When a burst ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    /// By which input.
    pub(super) input_seq: u64,
}

impl Burst {
    /// Whether it is on the air on another node.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.over.is_none() && matches!(self.origin, Origin::Elsewhere(_))
    }
}

impl Press {
    pub(super) fn new(
        local: BurstNo,
        channel: ChannelId,
        codec: Codec,
        frame_ms: FrameTime,
        now: Time,
    ) -> Self {
        Self { local, channel, codec, frame_ms, until: now + PRESS_PATIENCE }
    }
}

impl Hub {
    pub(super) fn press(&mut self, conn: ConnId, press: Press, now: Time) {
        let Some(connection) = self.open_connection(conn) else { return };
        if connection.newest_local.is_some_and(|newest| press.local <= newest) {
            // The uplink does not know it: the number belongs to another burst.
            return self.send_receipt(conn, press.local, refused(Code::BurstNumberUsed.into()));
        }
        connection.newest_local = Some(press.local);
        let is_free = connection.talk.is_none();
        // Who presses again knows what became of the burst before.
        if let Stage::Greeted(talker) = connection.stage
            && let Some(session) = self.sessions.get_mut(&talker)
        {
            session.cut = None;
        }
        if is_free {
            return self.open_burst(conn, &press, now);
        }
        // After a stall of the network, release and next press may come in one packet. The
        // uplink sees them first and will say in a moment that the earlier burst is over.
        let Some(connection) = self.open_connection(conn) else { return };
        if connection.presses.len() >= PRESSES_WAITING {
            return self.refuse_press(conn, press.local, Code::AlreadyTalking.into());
        }
        if connection.presses.is_empty() {
            self.agenda.set(press.until, Timer::Press(conn));
        }
        if let Some(connection) = self.open_connection(conn) {
            connection.presses.push_back(press);
        }
    }

    fn open_burst(&mut self, conn: ConnId, press: &Press, now: Time) {
        let talker = match self.may_talk(conn, &press.channel, now) {
            Ok(talker) => talker,
            Err(refusal) => return self.refuse_press(conn, press.local, refusal),
        };
        self.newest_burst += 1;
        let burst = BurstNo(self.newest_burst);
        let (limit, ends) = self.talk_limit(conn, &press.channel, now);
        self.agenda.set(limit, Timer::TalkLimit(burst));
        let Some(connection) = self.open_connection(conn) else { return };
        let (user, address) = (Some(connection.user), connection.address);
        connection.talk = Some(Talk { local: press.local, burst, since: now, limit, ends, others: 0 });
        self.count_share(address, |share| share.on_air += 1);
        if let Some(channel) = self.channels.get_mut(&press.channel) {
            channel.on_air.insert(burst);
        }
        self.bursts_on_air += 1;
        let tx = self.places.ranges(talker).tx;
        self.bursts.insert(
            burst,
            Burst {
                talker,
                user,
                address,
                tx,
                over: None,
                unwanted_by: BTreeSet::new(),
                channel: press.channel.clone(),
                small: self.channels.get(&press.channel).is_some_and(Channel::is_small),
                origin: Origin::Here { conn, announced: None },
            },
        );
        let route = Arc::new(self.route(burst, talker, press));
        self.agenda.push(Output::Open(route));
        self.tell_start(conn, burst, press.codec, press.frame_ms);
        self.agenda.push(Output::Admit { conn, local: press.local, burst });
        let talk_limit_ms = millis(limit - now);
        self.agenda.send(conn, ServerMessage::BurstGranted { burst: press.local, talk_limit_ms });
        self.begin_courtesy(burst, now);
    }

    fn route(&mut self, burst: BurstNo, talker: ParticipantNo, press: &Press) -> Route {
        let (slot, tx) = (self.places.slot(talker), self.places.ranges(talker).tx);
        let tuned = self.audience(talker, slot, tx, &press.channel);
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(crate::mutants::Mutant::SendDistance) {
            return self.route_with_distance(burst, talker, press, tuned);
        }
        self.route_to(burst, talker, press, tuned)
    }

    fn route_to(&self, burst: BurstNo, talker: ParticipantNo, press: &Press, tuned: Vec<Tuned>) -> Route {
        let bundle = self.channels.get(&press.channel).map_or(1, |channel| bundle(channel.count() as usize));
        Route {
            burst,
            channel: press.channel.clone(),
            bundle,
            started: ServerMessage::BurstStarted {
                burst,
                channel: press.channel.clone(),
                talker: Participant::clone(&self.sessions[&talker].you),
                codec: press.codec,
                frame_ms: press.frame_ms,
                grade: None,
                bundle: (bundle > 1).then_some(bundle),
            },
            small: self.bursts[&burst].small,
            tuned,
        }
    }

    /// How far the talker is from somebody, where a line about oneself belongs.
    #[cfg(feature = "mutants")]
    fn route_with_distance(
        &self,
        burst: BurstNo,
        talker: ParticipantNo,
        press: &Press,
        tuned: Vec<Tuned>,
    ) -> Route {
        let mut route = self.route_to(burst, talker, press, tuned);
        let heard = self.places.talker(self.places.slot(talker), Range::Unlimited);
        let here = self.channels[&press.channel].here.iter();
        let mut apart = here.filter(|member| member.participant != talker);
        if let Some(km) = apart.find_map(|member| heard.kilometres(member.slot))
            && let ServerMessage::BurstStarted { talker, .. } = &mut route.started
        {
            talker.person.description = Description::parse(&format!("{km} km away")).ok();
        }
        route
    }

    pub(super) fn talk_limit_reached(&mut self, burst: BurstNo) {
        let Some(&Burst { origin: Origin::Here { conn, .. }, .. }) = self.bursts.get(&burst) else { return };
        let talk = self.connections.get(&conn).and_then(|connection| connection.talk);
        if let Some(talk) = talk.filter(|talk| talk.burst == burst) {
            self.end_talk(conn, talk.ends);
        }
    }

    /// Asks the uplink to end what `conn` has on the air.
    pub(super) fn end_talk(&mut self, conn: ConnId, reason: EndReason) {
        if let Some(talk) = self.connections.get(&conn).and_then(|connection| connection.talk) {
            self.agenda.push(Output::EndBurst { conn, local: talk.local, reason });
        }
    }

    pub(super) fn talks_on(&self, conn: ConnId, channel: &ChannelId) -> bool {
        let talk = self.connections.get(&conn).and_then(|connection| connection.talk);
        talk.is_some_and(|talk| self.bursts[&talk.burst].channel == *channel)
    }

    /// The channel on which a session is on the air.
    pub(super) fn talks_where(&self, talker: ParticipantNo) -> Option<&ChannelId> {
        let Link::Up(conn) = self.sessions.get(&talker)?.link else { return None };
        let burst = &self.bursts[&self.connections.get(&conn)?.talk?.burst];
        self.channels.contains_key(&burst.channel).then_some(&burst.channel)
    }

    pub(super) fn burst_closed(
        &mut self,
        conn: ConnId,
        local: BurstNo,
        passed: Passed,
        reason: EndReason,
        now: Time,
    ) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let Some(talk) = connection.talk.take_if(|talk| talk.local == local) else { return };
        connection.active = now;
        let (closing, key) = (connection.closing, connection.key);
        self.agenda.cancel(talk.limit, Timer::TalkLimit(talk.burst));
        self.count_speech(key, &talk, reason, now);
        self.agenda.set(now + self.config.hold, Timer::Forget(talk.burst));
        self.bursts_on_air -= 1;
        if let Some(burst) = self.bursts.get_mut(&talk.burst) {
            burst.over = Some(Over { input_seq: self.agenda.input_seq() });
            // The channel may be another one of the same name by now.
            if let Some(channel) = self.channels.get_mut(&burst.channel)
                && channel.on_air.remove(&talk.burst)
            {
                channel.held.insert(talk.burst);
            }
        }
        let (told, frames) = (self.told_to_listeners(reason), passed.frames);
        let ended = ServerMessage::BurstEnded { burst: talk.burst, frames, reason: told };
        self.agenda.push(Output::Close { burst: talk.burst, ended });
        self.tell_end(talk.burst, frames, told);
        let outcome = passed.outcome(reason);
        if closing || reason == EndReason::TalkerLost {
            // A link that stalled may come to life again; what is sent to one that is gone is lost.
            self.owe_receipt(conn, talk.burst, local, outcome.clone());
        }
        if !closing {
            self.send_receipt(conn, local, outcome);
            self.next_press(conn, now);
        }
        self.stop_if_quiet(now);
    }

    /// Who does not hear the others must not learn of them: a release may come at any moment.
    fn told_to_listeners(&self, reason: EndReason) -> EndReason {
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(crate::mutants::Mutant::TellCourtesy) {
            return reason;
        }
        match reason {
            EndReason::Courtesy => EndReason::Released,
            reason => reason,
        }
    }

    pub(super) fn forget_burst(&mut self, burst: BurstNo) {
        let Some(forgotten) = self.bursts.remove(&burst) else { return };
        if let Some(channel) = self.channels.get_mut(&forgotten.channel) {
            channel.held.remove(&burst);
        }
    }

    /// The earlier burst is over: those that waited for it have their turn.
    fn next_press(&mut self, conn: ConnId, now: Time) {
        while let Some(press) = self.take_press(conn) {
            self.open_burst(conn, &press, now);
            if self.connections.get(&conn).is_some_and(|connection| connection.talk.is_some()) {
                return;
            }
        }
    }

    /// The earlier burst goes on: it is still being talked.
    pub(super) fn refuse_waiting_press(&mut self, conn: ConnId) {
        if let Some(press) = self.take_press(conn) {
            self.refuse_press(conn, press.local, Code::AlreadyTalking.into());
        }
    }

    pub(super) fn refuse_presses(&mut self, conn: ConnId, code: Code) {
        while let Some(press) = self.take_press(conn) {
            self.refuse_press(conn, press.local, code.into());
        }
    }

    pub(super) fn drop_presses(&mut self, conn: ConnId) {
        while self.take_press(conn).is_some() {}
    }

    /// Takes the oldest press that waits, and has the timer run for the next.
    fn take_press(&mut self, conn: ConnId) -> Option<Press> {
        let connection = self.connections.get_mut(&conn)?;
        let press = connection.presses.pop_front()?;
        self.agenda.cancel(press.until, Timer::Press(conn));
        if let Some(next) = connection.presses.front() {
            self.agenda.set(next.until, Timer::Press(conn));
        }
        Some(press)
    }

    pub(super) fn refuse_press(&mut self, conn: ConnId, local: BurstNo, refusal: Refusal) {
        if let Some(connection) = self.open_connection(conn) {
            connection.newest_local = connection.newest_local.max(Some(local));
        }
        self.agenda.push(Output::Refuse { conn, local });
        self.send_receipt(conn, local, refused(refusal));
    }
}

/// Frames that are sent at once in a channel of so many. All of them count, not those in range,
/// whom nobody may count: how a burst is sent must not tell who is near.
pub(super) fn bundle(participants: usize) -> u8 {
    let reached = BUNDLES.iter().rev().find(|(least, _)| participants >= *least);
    reached.map_or(1, |(_, frames)| *frames)
}
