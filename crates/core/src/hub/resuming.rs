//! A session that goes on with a new connection.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::control::Resume;
use tenfour_protocol::{BurstNo, Code, ParticipantNo, Person};

use super::audience::out_of_range;
use super::sessions::Link;
use super::{Hub, ResumeToken, StartAt, Timer};
use crate::{ConnId, Time};

impl Hub {
    /// The session that `token` names, if it is the same user's.
    pub(super) fn resumable(&self, conn: ConnId, token: &str) -> Option<(ParticipantNo, ResumeToken)> {
        let token = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let token = ResumeToken(token.try_into().ok()?);
        let participant = self.sessions.find(&token)?;
        let same_user = self.sessions[participant].user == self.sessions.connection(conn)?.user;
        same_user.then_some((participant, token))
    }

    /// Gives the session of `participant` to `conn`, which showed the token `used`.
    pub(super) fn take_over(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        used: &ResumeToken,
        now: Time,
    ) {
        let Some((link, was_newest)) = self.sessions.take_over(conn, participant, used) else { return };
        if was_newest {
            // A client that has this token got the answer to its last resume, and so the receipt.
            self.floor.forget_told_cut(participant);
        }
        match link {
            Link::Suspended { until } => self.agenda.cancel(until, Timer::Suspended(participant)),
            // The server has not noticed yet that the old connection is dead.
            Link::Up(old) => self.close(old, Code::Stalled, now),
        }
        if let Some(connection) = self.sessions.connection(conn) {
            // Others still see the old country; `arrive` tells them if it changes.
            let country = self.sessions[participant].you.person.country;
            let person = Person { country, ..connection.person.clone() };
            self.see_as(participant, person);
        }
        self.come_back(conn, participant);
    }

    /// Sends what the client has missed: its channels as they are now, and the rest of each burst.
    pub(super) fn go_on(&mut self, conn: ConnId, participant: ParticipantNo, resume: &Resume, now: Time) {
        self.tell_cut(conn, participant);
        let heard_elsewhere = self.heard_elsewhere(participant, now);
        let tuned: Vec<_> =
            self.roster.tuned_since(participant).map(|(channel, since)| (channel.clone(), since)).collect();
        for (channel, _) in &tuned {
            self.send_tuned(conn, channel);
        }
        let have: BTreeMap<_, _> = resume.have.iter().map(|heard| (heard.burst, heard.next)).collect();
        let mut joins = BTreeMap::new();
        for (channel, since) in &tuned {
            for burst in self.floor.held_and_on_air(channel) {
                let on_air = self.floor[burst].is_on_air();
                let missed = missed_from(burst, &have, resume.newest)
                    // The talker had gone out of range, and may be in range again.
                    .or_else(|| on_air.then_some(StartAt::Live))
                    .filter(|_| self.was_sent(participant, burst, *since));
                if let Some(from) = missed {
                    let again = heard_elsewhere && from == StartAt::Seq(0);
                    joins.insert(burst, if again { StartAt::Live } else { from });
                }
            }
        }
        for (burst, from) in joins {
            match self.hears(participant, burst) {
                Some(grade) => self.let_in(burst, conn, grade, from),
                None => {
                    self.sits_by(burst, conn, from);
                    // The client waits for the rest of the burst.
                    if have.contains_key(&burst) && self.wants(participant, burst) {
                        let ended = self.lost_end(burst).unwrap_or_else(|| out_of_range(burst));
                        self.agenda.send(conn, ended);
                    }
                }
            }
        }
    }

    /// Whether `burst` would have been sent to somebody who tuned in with input `since`, if they had been in range
    /// and had muted nobody.
    fn was_sent(&self, participant: ParticipantNo, burst: BurstNo, since: u64) -> bool {
        let burst = &self.floor[burst];
        burst.over.is_none_or(|over| over > since) && burst.talker != participant
    }
}

/// Where a resumed listener goes on in `burst`, unless it has all of it.
fn missed_from(burst: BurstNo, have: &BTreeMap<BurstNo, u16>, newest: Option<BurstNo>) -> Option<StartAt> {
    match have.get(&burst) {
        Some(&next) => Some(StartAt::Seq(next)),
        None => newest.is_none_or(|newest| burst > newest).then_some(StartAt::Oldest),
    }
}
