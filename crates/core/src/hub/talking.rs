//! The right to talk: a press becomes a burst, or is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, Code, Participant, ParticipantNo, Refusal, ServerMessage};

use super::burst::{Burst, Press, Talk, bundle};
use super::nodes::Origin;
use super::receipts::{Passed, refused};
use super::roster::Channel;
use super::sessions::Stage;
use super::{Hub, Output, Route, millis};
use crate::{ConnId, Time, mutant};

impl Hub {
    pub(super) fn press(&mut self, conn: ConnId, press: Press, now: Time) {
        let Some(connection) = self.sessions.open(conn) else { return };
        let stage = connection.stage;
        let local = press.local;
        if !self.floor.note_number(conn, local) {
            // The uplink ignored this press, since its number belongs to another burst.
            return self.send_receipt(conn, local, refused(Code::BurstNumberUsed.into()));
        }
        // A talker who presses again knows what became of the burst before.
        if let Stage::Greeted(talker) = stage {
            self.floor.forget_cut(talker);
        }
        if self.floor.talk(conn).is_none() {
            return self.open_burst(conn, &press, now);
        }
        // After a stall of the network, release and next press may come in one packet. The
        // uplink sees them first and will say in a moment that the earlier burst is over.
        if self.floor.wait(conn, press, &mut self.agenda).is_err() {
            self.refuse_press(conn, local, Code::AlreadyTalking.into());
        }
    }

    fn open_burst(&mut self, conn: ConnId, press: &Press, now: Time) {
        let talker = match self.may_talk(conn, &press.channel, now) {
            Ok(talker) => talker,
            Err(refusal) => return self.refuse_press(conn, press.local, refusal),
        };
        let (limit, ends) = self.talk_limit(conn, &press.channel, now);
        let Some(connection) = self.sessions.open(conn) else { return };
        let (user, address) = (Some(connection.user), connection.address);
        let burst = self.floor.open(Burst {
            talker,
            user,
            address,
            tx: self.places.ranges(talker).tx,
            over: None,
            unwanted_by: BTreeSet::new(),
            channel: press.channel.clone(),
            small: self.roster.get(&press.channel).is_some_and(Channel::is_small),
            origin: Origin::Here { conn, announced: None },
        });
        let talk = Talk { local: press.local, burst, since: now, limit, ends, others: 0 };
        self.floor.begin_talk(conn, talk, &mut self.agenda);
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
        let bundle = self.roster.get(&press.channel).map_or(1, |channel| bundle(channel.count() as usize));
        let started = ServerMessage::BurstStarted {
            burst,
            channel: press.channel.clone(),
            talker: Participant::clone(&self.sessions[talker].you),
            codec: press.codec,
            frame_ms: press.frame_ms,
            grade: None,
            bundle: (bundle > 1).then_some(bundle),
        };
        mutant!(let started = self.with_distance(started, &press.channel));
        let small = self.floor[burst].small;
        Route { burst, channel: press.channel.clone(), bundle, started, small, tuned }
    }

    pub(super) fn talk_limit_reached(&mut self, burst: BurstNo) {
        let Some(conn) = self.floor.get(burst).and_then(Burst::conn) else { return };
        if let Some(&talk) = self.floor.talk(conn).filter(|talk| talk.burst == burst) {
            self.end_talk(conn, talk.ends);
        }
    }

    /// Asks the uplink to end what `conn` has on the air.
    pub(super) fn end_talk(&mut self, conn: ConnId, reason: EndReason) {
        if let Some(talk) = self.floor.talk(conn) {
            self.agenda.push(Output::EndBurst { conn, local: talk.local, reason });
        }
    }

    pub(super) fn talks_on(&self, conn: ConnId, channel: &ChannelId) -> bool {
        self.floor.talk(conn).is_some_and(|talk| self.floor[talk.burst].channel == *channel)
    }

    /// The channel on which a session is on the air.
    pub(super) fn talks_where(&self, talker: ParticipantNo) -> Option<&ChannelId> {
        let conn = self.sessions.conn_of(talker)?;
        let burst = &self.floor[self.floor.talk(conn)?.burst];
        self.roster.get(&burst.channel).is_some().then_some(&burst.channel)
    }

    pub(super) fn burst_closed(
        &mut self,
        conn: ConnId,
        local: BurstNo,
        passed: Passed,
        reason: EndReason,
        now: Time,
    ) {
        let Some(talk) = self.floor.end_talk(conn, local, &mut self.agenda) else { return };
        let Some(connection) = self.sessions.touch(conn, now) else { return };
        let (closing, key) = (connection.closing, connection.key);
        self.count_speech(key, &talk, reason, now);
        self.floor.close(talk.burst, now + self.config.hold, &mut self.agenda);
        let (told, frames) = (self.told_to_listeners(reason), passed.frames);
        let ended = ServerMessage::BurstEnded { burst: talk.burst, frames, reason: told };
        self.agenda.push(Output::Close { burst: talk.burst, ended });
        self.tell_end(talk.burst, frames, told);
        let outcome = passed.outcome(reason);
        if closing || reason == EndReason::TalkerLost {
            // The talker may come back on another connection, and what is sent on this one may be lost.
            self.owe_receipt(conn, talk.burst, local, outcome.clone());
        }
        if !closing {
            self.send_receipt(conn, local, outcome);
            self.next_press(conn, now);
        }
        self.stop_if_quiet(now);
    }

    /// Listeners are told that the talker released, since those who do not hear the others must not learn of them.
    fn told_to_listeners(&self, reason: EndReason) -> EndReason {
        mutant!(self.config.mutants, TellCourtesy => return reason);
        match reason {
            EndReason::Courtesy => EndReason::Released,
            reason => reason,
        }
    }

    /// The earlier burst is over: handles the presses that waited for it.
    fn next_press(&mut self, conn: ConnId, now: Time) {
        while let Some(press) = self.floor.take_press(conn, &mut self.agenda) {
            self.open_burst(conn, &press, now);
            if self.floor.talk(conn).is_some() {
                return;
            }
        }
    }

    /// The earlier burst still goes on: the oldest press has waited too long.
    pub(super) fn refuse_waiting_press(&mut self, conn: ConnId) {
        if let Some(press) = self.floor.take_press(conn, &mut self.agenda) {
            self.refuse_press(conn, press.local, Code::AlreadyTalking.into());
        }
    }

    pub(super) fn refuse_presses(&mut self, conn: ConnId, code: Code) {
        while let Some(press) = self.floor.take_press(conn, &mut self.agenda) {
            self.refuse_press(conn, press.local, code.into());
        }
    }

    pub(super) fn drop_presses(&mut self, conn: ConnId) {
        while self.floor.take_press(conn, &mut self.agenda).is_some() {}
    }

    pub(super) fn refuse_press(&mut self, conn: ConnId, local: BurstNo, refusal: Refusal) {
        if self.sessions.open(conn).is_some() {
            self.floor.note_number(conn, local);
        }
        self.agenda.push(Output::Refuse { conn, local });
        self.send_receipt(conn, local, refused(refusal));
    }
}
