//! Sessions that go on here and began on another node.

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::limits::TOKEN_BYTES;
use tenfour_protocol::node::{NodeId, NodeMessage, Subject};
use tenfour_protocol::{Code, ParticipantNo, UserId};

use super::super::{Hub, ResumeToken};
use crate::Time;

impl Hub {
    /// Somebody shows a token that this node does not know. Another node that knows it ends that session at once, so
    /// that nobody is present twice. Bursts that were on the air meanwhile are not heard again.
    pub(in super::super) fn claim(&mut self, participant: ParticipantNo, token: &str, now: Time) {
        let Some(nodes) = &mut self.nodes else { return };
        let Some(session) = self.sessions.get(participant) else { return };
        if token_of(token).is_none() {
            return;
        }
        nodes.live_until.insert(participant, now + self.config.hold);
        nodes.claims.insert(token.to_owned(), participant);
        let user = session.user;
        self.publish(Subject::Nodes, NodeMessage::SessionClaim { token: token.to_owned(), user });
    }

    pub(super) fn hand_over(&mut self, to: NodeId, token: String, user: UserId, now: Time) {
        let known = token_of(&token).and_then(|token| self.sessions.find(&token));
        let Some(participant) = known else { return };
        let (Some(session), Some(nodes)) = (self.sessions.get(participant), &self.nodes) else { return };
        if session.user != user {
            return;
        }
        let me = nodes.config.node;
        let muted =
            self.mutes.muted(participant).map(|other| self.origin_of(other).unwrap_or((me, other))).collect();
        let conn = self.sessions.conn_of(participant);
        self.forget_session(participant, now);
        if let Some(conn) = conn {
            self.close(conn, Code::Stalled, now);
        }
        self.publish(Subject::Node(to), NodeMessage::SessionHanded { token, muted });
    }

    /// The node that had the session says whom it had muted.
    pub(super) fn handed(&mut self, token: &str, muted: &[(NodeId, ParticipantNo)]) {
        let Some(nodes) = &mut self.nodes else { return };
        let me = nodes.config.node;
        let Some(participant) = nodes.claims.remove(token) else { return };
        for &(node, number) in muted {
            let other = if node == me { number } else { self.number_of(node, number) };
            let known = self.sessions.get(other).is_some() || self.is_elsewhere(other);
            if known && other != participant && !self.mutes.is_full(participant) {
                self.mutes.mute(participant, other);
                if let Some(conn) = self.sessions.conn_of(participant) {
                    self.stop_hearing(conn, participant, other);
                }
            }
        }
    }

    /// Whether a session came from another node so recently that it may have heard there what is held here.
    pub(in super::super) fn heard_elsewhere(&self, participant: ParticipantNo, now: Time) -> bool {
        let until = self.nodes.as_ref().and_then(|nodes| nodes.live_until.get(&participant));
        until.is_some_and(|&until| now < until)
    }

    /// The session is over: forgets what other nodes might still tell about it.
    pub(in super::super) fn forget_claim(&mut self, participant: ParticipantNo) {
        if let Some(nodes) = &mut self.nodes {
            nodes.live_until.remove(&participant);
            nodes.claims.retain(|_, claimed| *claimed != participant);
        }
    }
}

fn token_of(text: &str) -> Option<ResumeToken> {
    let bytes: [u8; TOKEN_BYTES] = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?;
    Some(ResumeToken(bytes))
}
