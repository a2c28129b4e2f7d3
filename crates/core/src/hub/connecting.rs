//! Connections come, say hello and go; sessions end.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::control::{EndReason, Resume};
use tenfour_protocol::limits::{BUNDLE_FRAMES, RESUME_BURSTS};
use tenfour_protocol::{Code, Participant, ParticipantNo, Place, Ranges, Refusal, ServerMessage};

use super::receipts::Passed;
use super::sessions::{Connection, Link, Stage};
use super::{Hub, LoginId, Output, Recipients, Timer, millis};
use crate::{ConnId, Time, mutant};

/// How long a stop waits for bursts on the air to end.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
const CLIENT_BYTES: std::ops::RangeInclusive<usize> = 1..=64;

/// The first message.
pub(super) struct Hello {
    pub(super) client: String,
    pub(super) resume: Option<Resume>,
    pub(super) economy: bool,
    pub(super) hear_self: bool,
    pub(super) place: Option<Place>,
    pub(super) range: Option<Ranges>,
}

impl Hub {
    pub(super) fn connected(&mut self, conn: ConnId, connection: Connection, now: Time) {
        let user = connection.user;
        if let Stage::Greeting { until } = connection.stage {
            self.agenda.set(until, Timer::Hello(conn));
        }
        self.sessions.connect(conn, connection);
        if self.sessions.is_stopping() {
            return self.close(conn, Code::GoingAway, now);
        }
        self.make_room(user, conn, false, now);
    }

    pub(super) fn hello(&mut self, conn: ConnId, hello: Hello, now: Time) {
        if !CLIENT_BYTES.contains(&hello.client.len()) {
            let refusal = Refusal::because(Code::MalformedMessage, "client has 1 to 64 bytes.");
            return self.agenda.error(conn, refusal);
        }
        if hello.resume.as_ref().is_some_and(|resume| resume.have.len() > RESUME_BURSTS) {
            let refusal = Refusal::because(Code::MalformedMessage, "resume names more than 64 bursts.");
            return self.agenda.error(conn, refusal);
        }
        mutant!(if self.refuses_without_place(conn, &hello) {
            return;
        });
        self.cancel_hello(conn);
        let used = hello.resume.as_ref().and_then(|resume| self.resumable(conn, &resume.token));
        let participant = match &used {
            Some((participant, used)) => {
                self.take_over(conn, *participant, used, now);
                *participant
            }
            None => self.begin_session(conn, hello.hear_self, now),
        };
        self.welcome(conn, participant, used.is_some(), now);
        self.make_room(self.sessions[participant].user, conn, true, now);
        if hello.economy {
            self.agenda.push(Output::Bundle { conn, frames: BUNDLE_FRAMES });
        }
        self.arrive(conn, participant, hello.place, hello.range, now);
        match (hello.resume, used) {
            (Some(resume), Some(_)) => self.go_on(conn, participant, &resume, now),
            (Some(resume), None) => self.claim(participant, &resume.token, now),
            (None, _) => {}
        }
    }

    fn begin_session(&mut self, conn: ConnId, hear_self: bool, now: Time) -> ParticipantNo {
        if let Some(connection) = self.sessions.connection(conn) {
            self.let_old_sessions_go(connection.user, now);
        }
        let participant = self.sessions.begin(conn, hear_self);
        self.places.begin(participant);
        self.interest_on(participant);
        self.mute_own(participant);
        participant
    }

    fn welcome(&mut self, conn: ConnId, participant: ParticipantNo, resumed: bool, now: Time) {
        self.sessions.greet(conn, participant);
        let session = &self.sessions[participant];
        let welcome = ServerMessage::Welcome {
            you: Participant::clone(&session.you),
            resume: BASE64URL_NOPAD.encode(&session.token.0),
            resumed,
            tuned: self.roster.tuned(participant).cloned().collect(),
            hold_ms: millis(self.config.hold),
            talk_limit_ms: millis(self.config.talk_limit),
            limits: self.config.air_limits(),
            epoch_in_ms: millis(self.places.epoch_in(now)),
            host: self.config.host.clone(),
            server: self.config.server.clone(),
        };
        self.agenda.send(conn, welcome);
        if self.nodes.as_ref().is_some_and(|nodes| nodes.is_alone()) {
            self.agenda.send(conn, ServerMessage::Island { alone: true });
        }
    }

    pub(super) fn left(&mut self, conn: ConnId, now: Time) {
        if let Some(participant) = self.sessions.session_of(conn) {
            self.forget_session(participant, now);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, now: Time) {
        self.cancel_hello(conn);
        self.detach(conn, now);
        // This happens only if the uplink was gone before the shell could admit the burst.
        if let Some(&talk) = self.floor.talk(conn) {
            let nothing = Passed { frames: 0, dropped: None };
            self.burst_closed(conn, talk.local, nothing, EndReason::TalkerLost, now);
        }
        self.floor.forget_conn(conn);
        self.sessions.disconnect(conn);
    }

    pub(super) fn logged_out(&mut self, login: LoginId, code: Code, now: Time) {
        let (connections, sessions) = self.sessions.all_of(login);
        for participant in sessions {
            self.forget_session(participant, now);
        }
        for conn in connections {
            self.close(conn, code, now);
        }
    }

    pub(super) fn stop(&mut self, back_in: Duration, now: Time) {
        if !self.sessions.stop() {
            return;
        }
        let open = self.sessions.connections().filter(|(_, connection)| !connection.closing);
        let all: Vec<ConnId> = open.map(|(conn, _)| conn).collect();
        let to = Recipients::Many(self.sessions.greeted().collect());
        let message = ServerMessage::GoingAway { back_in_ms: millis(back_in) };
        self.agenda.push(Output::Send { to, message });
        for conn in all {
            self.refuse_presses(conn, Code::GoingAway);
            self.end_talk(conn, EndReason::GoingAway);
        }
        // The receipts go first, but a worker that does not answer must not hold up the stop.
        self.agenda.set(now + STOP_TIMEOUT, Timer::Stop);
        self.stop_if_quiet(now);
    }

    /// Closes all connections when the server stops and nobody is on the air.
    pub(super) fn stop_if_quiet(&mut self, now: Time) {
        if self.sessions.is_stopping() && self.floor.is_quiet() {
            self.close_all(now);
        }
    }

    pub(super) fn close_all(&mut self, now: Time) {
        for conn in self.sessions.connections().map(|(conn, _)| conn).collect::<Vec<_>>() {
            self.close(conn, Code::GoingAway, now);
        }
        for participant in self.sessions.sessions().map(|(participant, _)| participant).collect::<Vec<_>>() {
            self.forget_session(participant, now);
        }
    }

    /// Asks the shell to close a connection. Its session waits for a resume, as after any drop.
    pub(super) fn close(&mut self, conn: ConnId, code: Code, now: Time) {
        if self.sessions.open(conn).is_none() {
            return;
        }
        self.cancel_hello(conn);
        self.end_talk(conn, EndReason::TalkerLost);
        self.detach(conn, now);
        self.sessions.close(conn);
        self.agenda.push(Output::Disconnect { conn, code });
    }

    /// Suspends the session of a connection, unless the session has another connection by now.
    fn detach(&mut self, conn: ConnId, now: Time) {
        self.drop_presses(conn);
        let Some(participant) = self.sessions.session_of(conn) else { return };
        if self.sessions.is_stopping() {
            return self.forget_session(participant, now);
        }
        self.suspend(participant, now);
    }

    pub(super) fn forget_session(&mut self, participant: ParticipantNo, now: Time) {
        let Some(session) = self.sessions.get(participant) else { return };
        if let Link::Suspended { until } = session.link {
            self.agenda.cancel(until, Timer::Suspended(participant));
        }
        let tuned: Vec<_> = self.roster.tuned(participant).cloned().collect();
        self.interest_off(participant, now);
        for channel in tuned {
            self.leave_channel(participant, &channel, now);
        }
        self.forget_claim(participant);
        self.mutes.forget_listener(participant);
        self.unmute_all(participant);
        self.forget_place(participant, now);
        self.places.end(participant);
        self.floor.forget_cut(participant);
        self.sessions.forget(participant);
    }

    fn cancel_hello(&mut self, conn: ConnId) {
        if let Some(&Connection { stage: Stage::Greeting { until }, .. }) = self.sessions.connection(conn) {
            self.agenda.cancel(until, Timer::Hello(conn));
        }
    }
}
