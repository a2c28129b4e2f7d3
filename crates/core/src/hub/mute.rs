//! Who does not want to hear whom.

use std::collections::BTreeSet;

use tenfour_protocol::limits::MUTES_PER_SESSION;
use tenfour_protocol::{Code, ParticipantNo};

use super::{Hears, Hub, Output, StartAt, Tuned};
use crate::ConnId;

impl Hub {
    pub(super) fn mute(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        other: ParticipantNo,
        muted: bool,
    ) {
        if !(self.sessions.contains_key(&other) || self.is_elsewhere(other)) || other == participant {
            return self.agenda.error(conn, Code::UnknownParticipant);
        }
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        if session.muted.contains(&other) == muted {
            return;
        }
        if muted && session.muted.len() >= MUTES_PER_SESSION {
            return self.agenda.error(conn, Code::TooManyMuted);
        }
        if muted {
            session.muted.insert(other);
            self.muted_by.insert((other, participant));
            #[cfg(feature = "mutants")]
            if self.config.mutants.has(crate::mutants::Mutant::DeliverToMuting) {
                return;
            }
            self.stop_hearing(conn, participant, other);
        } else {
            session.muted.remove(&other);
            self.muted_by.remove(&(other, participant));
            self.start_hearing(conn, participant, other);
        }
    }

    /// A session begins: it and the others of its user do not hear each other, unless they asked to. A person who
    /// talks into a telephone is not to hear it from the desk, and a gateway is not to repeat itself. Told as if they
    /// had muted each other, so that who wants to hear one after all takes that back.
    pub(super) fn mute_own(&mut self, participant: ParticipantNo) {
        let user = self.sessions[&participant].user;
        let all = (user, ParticipantNo(0))..=(user, ParticipantNo(u32::MAX));
        let others: Vec<_> = self.sessions_by_user.range(all).map(|&(_, other)| other).collect();
        for other in others.into_iter().filter(|other| *other != participant) {
            for (listener, talker) in [(participant, other), (other, participant)] {
                let Some(session) = self.sessions.get_mut(&listener).filter(|session| !session.hear_self)
                else {
                    continue;
                };
                session.muted.insert(talker);
                self.muted_by.insert((talker, listener));
            }
        }
    }

    pub(super) fn stop_hearing(&mut self, conn: ConnId, participant: ParticipantNo, other: ParticipantNo) {
        let tuned = self.sessions[&participant].tuned.keys();
        let channels = tuned.filter_map(|channel| self.channels.get(channel));
        let bursts = channels.flat_map(|channel| channel.held.iter().chain(&channel.on_air));
        let theirs: Vec<_> = bursts.filter(|burst| self.bursts[burst].talker == other).copied().collect();
        theirs.into_iter().for_each(|burst| self.hears_no_more(burst, conn));
    }

    fn start_hearing(&mut self, conn: ConnId, participant: ParticipantNo, other: ParticipantNo) {
        for channel in self.sessions[&participant].tuned.keys().cloned().collect::<Vec<_>>() {
            for (burst, heard) in self.on_air_for(participant, &channel) {
                if let Some(grade) = heard.filter(|_| self.bursts[&burst].talker == other) {
                    let who = Tuned::Hears(Hears { conn, grade });
                    self.agenda.push(Output::Join { burst, who, from: StartAt::Live });
                }
            }
        }
    }

    /// A session ends: nobody has it muted any more, and it mutes nobody.
    pub(super) fn forget_mutes(&mut self, participant: ParticipantNo) {
        let Some(session) = self.sessions.get(&participant) else { return };
        for &other in &session.muted {
            self.muted_by.remove(&(other, participant));
        }
        self.unmute_all(participant);
    }

    /// Nobody has `participant` muted any more: it has gone.
    pub(super) fn unmute_all(&mut self, participant: ParticipantNo) {
        let muters = self.muters(participant);
        for &muter in &muters {
            self.muted_by.remove(&(participant, muter));
            if let Some(session) = self.sessions.get_mut(&muter) {
                session.muted.remove(&participant);
            }
        }
        if !muters.is_empty() {
            // Whoever resumes later is not to hear now what it did not want to hear before.
            for burst in self.bursts.values_mut().filter(|burst| burst.talker == participant) {
                burst.unwanted_by.clone_from(&muters);
            }
        }
    }

    /// Those who do not want to hear `participant`.
    pub(super) fn muters(&self, participant: ParticipantNo) -> BTreeSet<ParticipantNo> {
        let all = (participant, ParticipantNo(0))..=(participant, ParticipantNo(u32::MAX));
        self.muted_by.range(all).map(|&(_, muter)| muter).collect()
    }
}
