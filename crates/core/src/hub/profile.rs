//! Somebody has another handle or description.

use tenfour_protocol::{ParticipantNo, Person};

use super::{Hub, LoginId};
use crate::Time;

impl Hub {
    /// A user is seen otherwise from now on, through each connection of the log-in.
    pub(super) fn profile(&mut self, login: LoginId, person: &Person, now: Time) {
        let (connections, sessions) = self.all_of(login);
        for conn in connections {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.person = person.clone();
            }
        }
        for participant in sessions {
            self.rename(participant, person, now);
        }
    }

    fn rename(&mut self, participant: ParticipantNo, person: &Person, now: Time) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        let person = Person { country: session.you.person.country, ..person.clone() };
        let earlier = std::mem::replace(&mut session.you.person, person);
        if earlier == session.you.person {
            return;
        }
        let handle = session.you.person.handle.clone();
        for name in session.tuned.keys().cloned().collect::<Vec<_>>() {
            if let Some(channel) = self.channels.get_mut(&name) {
                channel.roll.remove(&(earlier.handle.clone(), participant));
                channel.roll.insert((handle.clone(), participant));
            }
            self.note_changed(participant, &name, now);
        }
    }
}
