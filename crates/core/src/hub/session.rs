//! Connections, and the sessions behind them that outlive a drop.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::control::{EndReason, Resume};
use tenfour_protocol::limits::{BUNDLE_FRAMES, HANDSHAKE, RESUME_BURSTS};
use tenfour_protocol::{
    Code, Participant, ParticipantNo, Person, Place, Ranges, Refusal, ServerMessage, UserId,
};

use super::airtime::UserKey;
use super::quota::Quota;
use super::receipts::Passed;
use super::{AddressNo, Hub, LoginId, Output, Recipients, ResumeToken, Timer};
use crate::{ConnId, Time};

/// How long a stop waits for the bursts on the air to end.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
const CLIENT_BYTES: std::ops::RangeInclusive<usize> = 1..=64;

/// A socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) login: LoginId,
    pub(super) user: UserId,
    /// What the hub remembers the user by; it takes a hash to make.
    pub(super) key: UserKey,
    pub(super) address: Option<AddressNo>,
    pub(super) person: Person,
    pub(super) token: ResumeToken,
    pub(super) stage: Stage,
    /// The shell was asked to close it. What it still says is not heard.
    pub(super) closing: bool,
    pub(super) quota: Quota,
    /// When its client said something last, or its last burst was over.
    pub(super) active: Time,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// `hello` has to come until then.
    Greeting { until: Time },
    /// It belongs to this session, or did.
    Greeted(ParticipantNo),
}

/// Somebody who is here, or who was a moment ago.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) login: LoginId,
    pub(super) user: UserId,
    pub(super) key: UserKey,
    pub(super) you: Arc<Participant>,
    pub(super) token: ResumeToken,
    /// The token of the last resume: its answer may have been lost, and then it comes again.
    pub(super) used: Option<ResumeToken>,
    pub(super) link: Link,
    /// It hears other sessions of its user.
    pub(super) hear_self: bool,
    /// This node listens for it on the bus.
    pub(super) interested: bool,
    /// It began on another node, and hears nothing that was on the air before it came here: until then.
    pub(super) live_until: Option<Time>,
}

/// The first message.
pub(super) struct Hello {
    pub(super) client: String,
    pub(super) resume: Option<Resume>,
    pub(super) economy: bool,
    pub(super) hear_self: bool,
    pub(super) place: Option<Place>,
    pub(super) range: Option<Ranges>,
}

/// Whether a session has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Through this one.
    Up(ConnId),
    /// It may be resumed until then.
    Suspended { until: Time },
}

impl Connection {
    pub(super) fn new(
        login: LoginId,
        (user, key): (UserId, UserKey),
        address: Option<AddressNo>,
        person: Person,
        token: ResumeToken,
        now: Time,
    ) -> Self {
        Self {
            login,
            user,
            key,
            address,
            person,
            token,
            stage: Stage::Greeting { until: now + HANDSHAKE },
            closing: false,
            quota: Quota::new(now),
            active: now,
        }
    }
}

impl Hub {
    pub(super) fn connected(&mut self, conn: ConnId, connection: Connection, now: Time) {
        let user = connection.user;
        self.connections_of.insert((connection.login, conn));
        self.connections_by_user.insert((user, conn));
        if let Stage::Greeting { until } = connection.stage {
            self.agenda.set(until, Timer::Hello(conn));
        }
        self.connections.insert(conn, connection);
        if self.stopping {
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
        #[cfg(feature = "mutants")]
        if hello.place.is_none() && self.config.mutants.has(crate::mutants::Mutant::PlaceRequired) {
            return self.agenda.error(conn, Code::LocationNeeded);
        }
        self.cancel_hello(conn);
        let used = hello.resume.as_ref().and_then(|resume| self.resumable(conn, &resume.token));
        let participant = match &used {
            Some((participant, used)) => self.take_over(conn, *participant, used, now),
            None => self.begin_session(conn, hello.hear_self, now),
        };
        self.welcome(conn, participant, used.is_some(), now);
        self.make_room(self.connections[&conn].user, conn, true, now);
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
        self.let_old_sessions_go(self.connections[&conn].user, now);
        self.newest_participant += 1;
        let participant = ParticipantNo(self.newest_participant);
        let connection = &self.connections[&conn];
        let session = Session {
            login: connection.login,
            user: connection.user,
            key: connection.key,
            you: Arc::new(Participant { id: participant, person: connection.person.clone() }),
            token: connection.token.clone(),
            used: None,
            link: Link::Up(conn),
            hear_self,
            interested: self.nodes.is_some(),
            live_until: None,
        };
        self.sessions_of.insert((session.login, participant));
        self.sessions_by_user.insert((session.user, participant));
        self.tokens.insert(session.token.clone(), participant);
        self.sessions.insert(participant, session);
        self.places.begin(participant);
        self.mute_own(participant);
        participant
    }

    fn welcome(&mut self, conn: ConnId, participant: ParticipantNo, resumed: bool, now: Time) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.stage = Stage::Greeted(participant);
        }
        let session = &self.sessions[&participant];
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
        if let Some(participant) = self.session_of(conn) {
            self.forget_session(participant, now);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, now: Time) {
        self.cancel_hello(conn);
        self.detach(conn, now);
        // Only when the uplink was gone before it was told that the burst is admitted.
        if let Some(&talk) = self.floor.talk(conn) {
            let nothing = Passed { frames: 0, dropped: None };
            self.burst_closed(conn, talk.local, nothing, EndReason::TalkerLost, now);
        }
        self.floor.forget_conn(conn);
        if let Some(connection) = self.connections.remove(&conn) {
            self.connections_of.remove(&(connection.login, conn));
            self.connections_by_user.remove(&(connection.user, conn));
        }
    }

    pub(super) fn logged_out(&mut self, login: LoginId, code: Code, now: Time) {
        let (connections, sessions) = self.all_of(login);
        for participant in sessions {
            self.forget_session(participant, now);
        }
        for conn in connections {
            self.close(conn, code, now);
        }
    }

    /// The connections and the sessions of a log-in.
    pub(super) fn all_of(&self, login: LoginId) -> (Vec<ConnId>, Vec<ParticipantNo>) {
        let connections = self.connections_of.range((login, ConnId(0))..=(login, ConnId(u64::MAX)));
        let sessions = self.sessions_of.range((login, ParticipantNo(0))..=(login, ParticipantNo(u32::MAX)));
        (
            connections.map(|(_, conn)| *conn).collect(),
            sessions.map(|(_, participant)| *participant).collect(),
        )
    }

    pub(super) fn stop(&mut self, back_in: Duration, now: Time) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        let open = || self.connections.iter().filter(|(_, connection)| !connection.closing);
        let all: Vec<ConnId> = open().map(|(&conn, _)| conn).collect();
        let greeted = open().filter(|(_, connection)| matches!(connection.stage, Stage::Greeted(_)));
        let to = Recipients::Many(greeted.map(|(&conn, _)| conn).collect());
        let message = ServerMessage::GoingAway { back_in_ms: millis(back_in) };
        self.agenda.push(Output::Send { to, message });
        for conn in all {
            self.refuse_presses(conn, Code::GoingAway);
            self.end_talk(conn, EndReason::GoingAway);
        }
        // The receipts go first; a talker's worker that does not answer holds nobody up.
        self.agenda.set(now + STOP_TIMEOUT, Timer::Stop);
        self.stop_if_quiet(now);
    }

    /// Closes all connections when the server stops and nobody is on the air.
    pub(super) fn stop_if_quiet(&mut self, now: Time) {
        if self.stopping && self.floor.is_quiet() {
            self.close_all(now);
        }
    }

    pub(super) fn close_all(&mut self, now: Time) {
        for conn in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close(conn, Code::GoingAway, now);
        }
        for participant in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.forget_session(participant, now);
        }
    }

    /// Has a connection closed. Its session waits for a resume, as after any drop.
    pub(super) fn close(&mut self, conn: ConnId, code: Code, now: Time) {
        if self.open_connection(conn).is_none() {
            return;
        }
        self.cancel_hello(conn);
        self.end_talk(conn, EndReason::TalkerLost);
        self.detach(conn, now);
        if let Some(connection) = self.open_connection(conn) {
            connection.closing = true;
        }
        self.agenda.push(Output::Disconnect { conn, code });
    }

    /// Parts a connection from its session, unless the session has another one by now.
    fn detach(&mut self, conn: ConnId, now: Time) {
        self.drop_presses(conn);
        let Some(participant) = self.session_of(conn) else { return };
        if self.stopping {
            return self.forget_session(participant, now);
        }
        self.suspend(participant, now);
    }

    /// The session that `conn` has, unless another connection took it over.
    fn session_of(&self, conn: ConnId) -> Option<ParticipantNo> {
        let Stage::Greeted(participant) = self.connections.get(&conn)?.stage else { return None };
        let session = self.sessions.get(&participant)?;
        (session.link == Link::Up(conn)).then_some(participant)
    }

    pub(super) fn forget_session(&mut self, participant: ParticipantNo, now: Time) {
        let Some(session) = self.sessions.get(&participant) else { return };
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
        if let Some(session) = self.sessions.remove(&participant) {
            self.places.end(participant);
            self.floor.forget_cut(participant);
            for token in session.used.iter().chain([&session.token]) {
                self.tokens.remove(token);
            }
            self.sessions_of.remove(&(session.login, participant));
            self.sessions_by_user.remove(&(session.user, participant));
        }
    }

    fn cancel_hello(&mut self, conn: ConnId) {
        if let Some(&Connection { stage: Stage::Greeting { until }, .. }) = self.connections.get(&conn) {
            self.agenda.cancel(until, Timer::Hello(conn));
        }
    }
}

/// As the wire counts, as long as it can.
pub(super) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
