//! Somebody has another handle, description or country.

use tenfour_protocol::{ParticipantNo, Person};

use super::{Hub, LoginId};
use crate::Time;

impl Hub {
    /// A user has another handle or description: each connection and session of the log-in shows it.
    pub(super) fn profile(&mut self, login: LoginId, person: &Person, now: Time) {
        let (connections, sessions) = self.sessions.all_of(login);
        for conn in connections {
            self.sessions.set_person(conn, person);
        }
        for participant in sessions {
            self.rename(participant, person, now);
        }
    }

    fn rename(&mut self, participant: ParticipantNo, person: &Person, now: Time) {
        let Some(session) = self.sessions.get(participant) else { return };
        let person = Person { country: session.you.person.country, ..person.clone() };
        self.change_person(participant, person, now);
    }

    /// Others see somebody as `person` from now on, and are told if that has changed.
    pub(super) fn change_person(&mut self, participant: ParticipantNo, person: Person, now: Time) {
        if self.see_as(participant, person) {
            self.roster.note_changed(participant, now, &mut self.agenda);
        }
    }

    /// Lists show somebody as `person` from now on. Returns whether that has changed.
    pub(super) fn see_as(&mut self, participant: ParticipantNo, person: Person) -> bool {
        let news = self.sessions.see_as(participant, person);
        if let Some((earlier, you)) = &news {
            self.roster.rename(earlier, you);
        }
        news.is_some()
    }
}
