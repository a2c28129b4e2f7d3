//! Connections, and the sessions behind them that outlive a drop.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::sync::Arc;

use tenfour_protocol::limits::HANDSHAKE;
use tenfour_protocol::{ClientMessage, Participant, ParticipantNo, Person, UserId};

use super::airtime::UserKey;
use super::quota::{Quota, Spent};
use super::{AddressNo, LoginId, ResumeToken};
use crate::{ConnId, Time};

/// A socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) login: LoginId,
    pub(super) user: UserId,
    /// A hash by which the hub remembers the user. It is kept here since it takes time to compute.
    pub(super) key: UserKey,
    pub(super) address: Option<AddressNo>,
    pub(super) person: Person,
    token: ResumeToken,
    pub(super) stage: Stage,
    /// The shell was asked to close it. The hub ignores what it still says.
    pub(super) closing: bool,
    quota: Quota,
    /// When its client last said something, or its last burst ended.
    pub(super) active: Time,
}

/// The stage of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// `hello` has to come until then.
    Greeting { until: Time },
    /// It said hello, and belongs to this session or did.
    Greeted(ParticipantNo),
}

/// Somebody who is connected, or was a moment ago.
#[derive(Debug)]
pub(super) struct Session {
    login: LoginId,
    pub(super) user: UserId,
    pub(super) key: UserKey,
    pub(super) you: Arc<Participant>,
    pub(super) token: ResumeToken,
    /// The token that the last resume used. The client may use it again if the answer was lost.
    used: Option<ResumeToken>,
    pub(super) link: Link,
    /// It hears other sessions of its user.
    pub(super) hear_self: bool,
}

/// Whether a session has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Through this one.
    Up(ConnId),
    /// It may be resumed until then.
    Suspended { until: Time },
}

/// All connections and sessions, by log-in, by user and by token. Everybody may read them; changes go through the
/// methods here.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    connections: BTreeMap<ConnId, Connection>,
    connections_of: BTreeSet<(LoginId, ConnId)>,
    connections_by_user: BTreeSet<(UserId, ConnId)>,
    sessions: BTreeMap<ParticipantNo, Session>,
    sessions_of: BTreeSet<(LoginId, ParticipantNo)>,
    sessions_by_user: BTreeSet<(UserId, ParticipantNo)>,
    tokens: BTreeMap<ResumeToken, ParticipantNo>,
    newest: u32,
    /// The server stops: nobody comes in, and nobody comes back.
    stopping: bool,
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

    pub(super) fn is_greeted(&self) -> bool {
        matches!(self.stage, Stage::Greeted(_))
    }
}

impl Sessions {
    pub(super) fn connect(&mut self, conn: ConnId, connection: Connection) {
        self.connections_of.insert((connection.login, conn));
        self.connections_by_user.insert((connection.user, conn));
        self.connections.insert(conn, connection);
    }

    pub(super) fn disconnect(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.remove(&conn) {
            self.connections_of.remove(&(connection.login, conn));
            self.connections_by_user.remove(&(connection.user, conn));
        }
    }

    /// A connection pays for a message, or for one that could not be read. Returns none if the connection is unknown
    /// or being closed.
    pub(super) fn pay(
        &mut self,
        conn: ConnId,
        message: Option<&ClientMessage>,
        now: Time,
    ) -> Option<Result<Stage, Spent>> {
        let connection = self.connections.get_mut(&conn).filter(|connection| !connection.closing)?;
        if message.is_some() {
            connection.active = now;
        }
        Some(connection.quota.spend(message, now).map(|()| connection.stage))
    }

    /// The last burst of a connection is over.
    pub(super) fn touch(&mut self, conn: ConnId, now: Time) -> Option<&Connection> {
        let connection = self.connections.get_mut(&conn)?;
        connection.active = now;
        Some(connection)
    }

    /// A connection belongs to a session from now on.
    pub(super) fn greet(&mut self, conn: ConnId, participant: ParticipantNo) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.stage = Stage::Greeted(participant);
        }
    }

    /// The shell was asked to close a connection.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.closing = true;
        }
    }

    /// A session that begins on this connection from now on shows `person`.
    pub(super) fn set_person(&mut self, conn: ConnId, person: &Person) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.person = person.clone();
        }
    }

    /// A number that no session has had.
    pub(super) fn next_number(&mut self) -> ParticipantNo {
        self.newest += 1;
        ParticipantNo(self.newest)
    }

    /// A connection begins a session.
    pub(super) fn begin(&mut self, conn: ConnId, hear_self: bool) -> ParticipantNo {
        let participant = self.next_number();
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
        };
        self.sessions_of.insert((session.login, participant));
        self.sessions_by_user.insert((session.user, participant));
        self.tokens.insert(session.token.clone(), participant);
        self.sessions.insert(participant, session);
        participant
    }

    /// Gives a session to a connection that showed the token `used`. Returns the link that the session had, and
    /// whether `used` was its newest token.
    pub(super) fn take_over(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        used: &ResumeToken,
    ) -> Option<(Link, bool)> {
        let connection = self.connections.get(&conn)?;
        let session = self.sessions.get_mut(&participant)?;
        let link = std::mem::replace(&mut session.link, Link::Up(conn));
        let newer = std::mem::replace(&mut session.token, connection.token.clone());
        let older = session.used.replace(used.clone());
        let earlier_login = std::mem::replace(&mut session.login, connection.login);
        let was_newest = newer == *used;
        for spent in older.into_iter().chain([newer]).filter(|token| token != used) {
            self.tokens.remove(&spent);
        }
        self.tokens.insert(connection.token.clone(), participant);
        self.sessions_of.remove(&(earlier_login, participant));
        self.sessions_of.insert((connection.login, participant));
        Some((link, was_newest))
    }

    /// The connection of a session is gone.
    pub(super) fn suspend(&mut self, participant: ParticipantNo, until: Time) {
        if let Some(session) = self.sessions.get_mut(&participant) {
            session.link = Link::Suspended { until };
        }
    }

    /// Others see somebody as `person` from now on. If that is a change: what they saw before, and what they see now.
    pub(super) fn see_as(
        &mut self,
        participant: ParticipantNo,
        person: Person,
    ) -> Option<(Arc<Participant>, &Arc<Participant>)> {
        let session = self.sessions.get_mut(&participant).filter(|session| session.you.person != person)?;
        let you = Arc::new(Participant { id: participant, person });
        let earlier = std::mem::replace(&mut session.you, you);
        Some((earlier, &session.you))
    }

    /// A session is over.
    pub(super) fn forget(&mut self, participant: ParticipantNo) {
        if let Some(session) = self.sessions.remove(&participant) {
            for token in session.used.iter().chain([&session.token]) {
                self.tokens.remove(token);
            }
            self.sessions_of.remove(&(session.login, participant));
            self.sessions_by_user.remove(&(session.user, participant));
        }
    }

    /// The server stops. Returns false if it was stopping already.
    pub(super) fn stop(&mut self) -> bool {
        !std::mem::replace(&mut self.stopping, true)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(super) fn connection(&self, conn: ConnId) -> Option<&Connection> {
        self.connections.get(&conn)
    }

    /// The connection, unless it is unknown or being closed.
    pub(super) fn open(&self, conn: ConnId) -> Option<&Connection> {
        self.connection(conn).filter(|connection| !connection.closing)
    }

    pub(super) fn connections(&self) -> impl ExactSizeIterator<Item = (ConnId, &Connection)> {
        self.connections.iter().map(|(&conn, connection)| (conn, connection))
    }

    /// The connections that have said hello and are not being closed.
    pub(super) fn greeted(&self) -> impl Iterator<Item = ConnId> {
        let greeted = |connection: &Connection| !connection.closing && connection.is_greeted();
        self.connections().filter(move |(_, connection)| greeted(connection)).map(|(conn, _)| conn)
    }

    pub(super) fn connections_of_user(
        &self,
        user: UserId,
    ) -> impl Iterator<Item = (ConnId, &Connection)> + Clone {
        let all = self.connections_by_user.range((user, ConnId(0))..=(user, ConnId(u64::MAX)));
        all.filter_map(|&(_, conn)| Some((conn, self.connection(conn)?)))
    }

    pub(super) fn get(&self, participant: ParticipantNo) -> Option<&Session> {
        self.sessions.get(&participant)
    }

    pub(super) fn sessions(&self) -> impl ExactSizeIterator<Item = (ParticipantNo, &Session)> {
        self.sessions.iter().map(|(&participant, session)| (participant, session))
    }

    pub(super) fn sessions_of_user(&self, user: UserId) -> impl Iterator<Item = ParticipantNo> {
        let all = (user, ParticipantNo(0))..=(user, ParticipantNo(u32::MAX));
        self.sessions_by_user.range(all).map(|&(_, participant)| participant)
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

    /// The session that a token names.
    pub(super) fn find(&self, token: &ResumeToken) -> Option<ParticipantNo> {
        self.tokens.get(token).copied()
    }

    /// The session that `conn` has, unless another connection took it over.
    pub(super) fn session_of(&self, conn: ConnId) -> Option<ParticipantNo> {
        let Stage::Greeted(participant) = self.connection(conn)?.stage else { return None };
        (self.conn_of(participant) == Some(conn)).then_some(participant)
    }

    /// The connection of a session, if it has one.
    pub(super) fn conn_of(&self, participant: ParticipantNo) -> Option<ConnId> {
        match self.get(participant)?.link {
            Link::Up(conn) => Some(conn),
            Link::Suspended { .. } => None,
        }
    }
}

impl Index<ParticipantNo> for Sessions {
    type Output = Session;

    fn index(&self, participant: ParticipantNo) -> &Session {
        &self.sessions[&participant]
    }
}
