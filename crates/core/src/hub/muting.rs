//! A session mutes somebody, or wants to hear them again.

use tenfour_protocol::{Code, ParticipantNo};

use super::{Hub, StartAt};
use crate::{ConnId, mutant};

impl Hub {
    pub(super) fn mute(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        other: ParticipantNo,
        muted: bool,
    ) {
        if !(self.sessions.get(other).is_some() || self.is_elsewhere(other)) || other == participant {
            return self.agenda.error(conn, Code::UnknownParticipant);
        }
        if self.mutes.has(participant, other) == muted {
            return;
        }
        if !muted {
            self.mutes.unmute(participant, other);
            return self.start_hearing(conn, participant, other);
        }
        if self.mutes.is_full(participant) {
            return self.agenda.error(conn, Code::TooManyMuted);
        }
        self.mutes.mute(participant, other);
        mutant!(self.config.mutants, DeliverToMuting => return);
        self.stop_hearing(conn, participant, other);
    }

    /// A session begins. The sessions of one user do not hear each other unless they asked to: a person who talks
    /// into a phone must not hear it from the desk, and a gateway must not repeat itself. We use mutes for that, so a
    /// client that wants to hear another session of its user can unmute it.
    pub(super) fn mute_own(&mut self, participant: ParticipantNo) {
        let user = self.sessions[participant].user;
        let others: Vec<_> = self.sessions.sessions_of_user(user).collect();
        for other in others.into_iter().filter(|other| *other != participant) {
            for (listener, talker) in [(participant, other), (other, participant)] {
                if self.sessions.get(listener).is_some_and(|session| !session.hear_self) {
                    self.mutes.mute(listener, talker);
                }
            }
        }
    }

    pub(super) fn stop_hearing(&mut self, conn: ConnId, participant: ParticipantNo, other: ParticipantNo) {
        let bursts = self.roster.tuned(participant).flat_map(|channel| self.floor.held_and_on_air(channel));
        let theirs: Vec<_> = bursts.filter(|&burst| self.floor[burst].talker == other).collect();
        theirs.into_iter().for_each(|burst| self.hears_no_more(burst, conn));
    }

    fn start_hearing(&mut self, conn: ConnId, participant: ParticipantNo, other: ParticipantNo) {
        for channel in self.roster.tuned(participant).cloned().collect::<Vec<_>>() {
            for (burst, heard) in self.on_air_for(participant, &channel) {
                if let Some(grade) = heard.filter(|_| self.floor[burst].talker == other) {
                    self.let_in(burst, conn, grade, StartAt::Live);
                }
            }
        }
    }

    /// `participant` has gone: nobody mutes them any more.
    pub(super) fn unmute_all(&mut self, participant: ParticipantNo) {
        let muters = self.mutes.forget_talker(participant);
        if !muters.is_empty() {
            self.floor.keep_unwanted(participant, &muters);
        }
    }
}
