//! What a talker is told about a press: how much of it was relayed, or why nothing was.

use tenfour_protocol::control::{Dropped, EndReason, Outcome};
use tenfour_protocol::{BurstNo, Code, ParticipantNo, Refusal, ServerMessage};

use super::Hub;
use super::sessions::Link;
use crate::ConnId;

/// What became of a burst that ended because its talker's connection was lost.
#[derive(Debug)]
pub(super) struct Cut {
    /// The talker's number, of that connection.
    pub(super) local: BurstNo,
    pub(super) outcome: Outcome,
    /// The talker was told, but the connection may have been lost since.
    pub(super) told: bool,
}

/// What became of the frames of a burst.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) frames: u32,
    pub(super) dropped: Option<Box<Dropped>>,
}

impl Passed {
    /// What the talker is told. A press of which nothing was relayed is refused, with the reason.
    pub(super) fn outcome(self, ended: EndReason) -> Outcome {
        match (self.frames, self.dropped) {
            (0, Some(dropped)) => refused(dropped.refusal),
            (0, None) => refused(Code::NoVoice.into()),
            (frames, dropped) => Outcome::Aired { frames, ended, dropped },
        }
    }
}

impl Hub {
    /// The talker's connection is gone. The receipt waits until the session resumes, or goes to its new connection if
    /// there is one already.
    pub(super) fn owe_receipt(&mut self, conn: ConnId, burst: BurstNo, local: BurstNo, outcome: Outcome) {
        let Some(talker) = self.floor.get(burst).map(|burst| burst.talker) else { return };
        let Some(session) = self.sessions.get(talker) else { return };
        let here = match session.link {
            Link::Up(other) if other != conn => Some(other),
            Link::Up(_) | Link::Suspended { .. } => None,
        };
        self.floor.owe(talker, Cut { local, outcome: outcome.clone(), told: here.is_some() });
        if let Some(other) = here {
            self.agenda.send(other, ServerMessage::Receipt { burst: local, late: true, outcome });
        }
    }

    /// A session resumes: tells its talker what became of the burst that was cut off.
    pub(super) fn tell_cut(&mut self, conn: ConnId, talker: ParticipantNo) {
        if let Some((burst, outcome)) = self.floor.tell_cut(talker) {
            self.agenda.send(conn, ServerMessage::Receipt { burst, late: true, outcome });
        }
    }

    /// Refuses a press of which only the number can be read.
    pub(super) fn refuse_unread(&mut self, conn: ConnId, local: BurstNo, refusal: Refusal) {
        if self.floor.is_number_used(conn, local) {
            // A burst of that number may be on the air; it continues.
            return self.send_receipt(conn, local, refused(refusal));
        }
        self.refuse_press(conn, local, refusal);
    }

    pub(super) fn send_receipt(&mut self, conn: ConnId, local: BurstNo, outcome: Outcome) {
        self.agenda.send(conn, ServerMessage::Receipt { burst: local, late: false, outcome });
    }
}

pub(super) fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused { refusal }
}
