//! A session says where it is, and how far it reaches and hears.

use std::time::Duration;

use tenfour_protocol::{
    Code, Country, GeoCell, ParticipantNo, Person, Place as Said, Ranges, Refusal, ServerMessage,
};

use super::sessions::Link;
use super::{Hub, millis};
use crate::reach::{Place, Stamp, scrub_stack};
use crate::{ConnId, Time, mutant};

impl Hub {
    /// A connection begins. The hub knows of its place only what `hello` says.
    pub(super) fn arrive(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        said: Option<Said>,
        ranges: Option<Ranges>,
        now: Time,
    ) {
        self.forget_place(participant, now);
        if let Some(said) = said {
            self.take_first_cell(conn, participant, &said.cell, said.stamp.as_deref(), now);
        }
        if !self.places.is_located(participant) {
            self.set_country(participant, None, now);
        }
        if let Some(ranges) = ranges {
            self.set_ranges(conn, participant, ranges, now);
        }
        scrub_stack();
    }

    /// `locate`. A `stamp` counts with the first cell of a connection.
    pub(super) fn locate(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        cell: Option<GeoCell>,
        stamp: Option<&str>,
        now: Time,
    ) {
        match cell {
            None => self.take_back(conn, participant, now),
            Some(cell) if self.places.is_settled(participant) => {
                self.relocate(conn, participant, &cell, now);
            }
            Some(cell) => self.reconcile_audience(self.hearing_of(&[participant]), |hub| {
                hub.take_first_cell(conn, participant, &cell, stamp, now);
            }),
        }
        self.tell_moved(participant);
        scrub_stack();
    }

    /// `range`.
    pub(super) fn set_ranges(&mut self, conn: ConnId, participant: ParticipantNo, ranges: Ranges, now: Time) {
        if !ranges.are_unlimited() && !self.places.is_located(participant) {
            return self.agenda.error(conn, Code::LocationNeeded);
        }
        self.reconcile_audience(self.heard_by(participant), |hub| {
            hub.change_interest(participant, now, |hub| hub.places.set_ranges(participant, ranges));
            hub.agenda.send(conn, ServerMessage::Ranged { tx: ranges.tx, rx: ranges.rx });
        });
    }

    /// The boundary of epochs: everybody who is about to move does so at once.
    pub(super) fn apply_moves(&mut self, now: Time) {
        let movers = self.places.take_movers();
        self.reconcile_audience(self.hearing_of(&movers), |hub| {
            movers.iter().for_each(|&participant| hub.apply_move(participant, now));
        });
        movers.into_iter().for_each(|mover| self.tell_moved(mover));
        scrub_stack();
    }

    /// Wipes where a session is, and its ranges with it.
    pub(super) fn forget_place(&mut self, participant: ParticipantNo, now: Time) {
        self.places.stay(participant, &mut self.agenda);
        let Some(user) = self.sessions.get(participant).map(|session| session.user) else { return };
        self.change_interest(participant, now, |hub| hub.places.forget(participant, user, now));
    }

    /// Takes the first cell of a connection: it takes effect at once, or at the boundary.
    fn take_first_cell(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        cell: &GeoCell,
        stamp: Option<&str>,
        now: Time,
    ) {
        match self.first(participant, cell, stamp, now) {
            Ok(Some(stamp)) => self.send_located(conn, participant, Some(stamp), None),
            Ok(None) => {
                self.set_country(participant, None, now);
                self.relocate(conn, participant, cell, now);
            }
            Err(refusal) => self.agenda.error(conn, refusal),
        }
    }

    /// Puts a session at the first cell of its connection, unless that has to be a move.
    fn first(
        &mut self,
        participant: ParticipantNo,
        cell: &GeoCell,
        stamp: Option<&str>,
        now: Time,
    ) -> Result<Option<Stamp>, Refusal> {
        let place = Place::of(cell)?;
        mutant!(let place = self.misplaced(participant, cell, place));
        let user = self.sessions[participant].user;
        if !self.places.pay_first(user, cell, stamp, now).map_err(too_many)? {
            return Ok(None);
        }
        let stamp = self.places.stamp(user, cell);
        // Reading the cell left copies on the stack, which must not end up in padding of what is made next.
        scrub_stack();
        self.put(participant, &place, &stamp, now);
        Ok(Some(stamp))
    }

    /// A session says another cell: it takes effect at the boundary, unless the session is there already.
    fn relocate(&mut self, conn: ConnId, participant: ParticipantNo, cell: &GeoCell, now: Time) {
        let place = match Place::of(cell) {
            Ok(place) => place,
            Err(code) => return self.agenda.error(conn, code),
        };
        mutant!(let place = self.misplaced(participant, cell, place));
        if self.places.is_at(participant, &place) {
            self.places.stay(participant, &mut self.agenda);
            return self.send_located(conn, participant, None, None);
        }
        let user = self.sessions[participant].user;
        let epoch_in = match self.places.may_move(user, now) {
            Ok(epoch_in) => epoch_in,
            Err(wait) => return self.agenda.error(conn, too_many(wait)),
        };
        let stamp = self.places.stamp(user, cell);
        scrub_stack();
        self.places.put_at(now + epoch_in, participant, place, stamp, &mut self.agenda);
        mutant!(self.config.mutants, MovesAtOnce => return self.apply_moves(now));
        self.send_located(conn, participant, None, Some(epoch_in));
    }

    /// A session does not share its cell any more; its ranges go with it.
    fn take_back(&mut self, conn: ConnId, participant: ParticipantNo, now: Time) {
        self.places.stay(participant, &mut self.agenda);
        if !self.places.is_located(participant) {
            // Nothing changes for anybody, so a talker's whole audience need not be computed.
            return self.send_located(conn, participant, None, None);
        }
        let ranges = self.places.ranges(participant);
        self.reconcile_audience(self.hearing_of(&[participant]), |hub| {
            hub.change_interest(participant, now, |hub| hub.places.take_back(participant));
            hub.set_country(participant, None, now);
            hub.send_located(conn, participant, None, None);
            if !ranges.are_unlimited() {
                let Ranges { tx, rx } = Ranges::default();
                hub.agenda.send(conn, ServerMessage::Ranged { tx, rx });
            }
        });
    }

    fn apply_move(&mut self, participant: ParticipantNo, now: Time) {
        let Some(session) = self.sessions.get(participant) else { return };
        let link = session.link;
        let Some((place, stamp)) = self.places.take_move(participant, session.user, now) else { return };
        self.put(participant, &place, &stamp, now);
        if let Link::Up(conn) = link {
            self.send_located(conn, participant, Some(stamp), None);
        }
    }

    /// From now on the session is at `place`.
    fn put(&mut self, participant: ParticipantNo, place: &Place, stamp: &Stamp, now: Time) {
        let user = self.sessions[participant].user;
        self.change_interest(participant, now, |hub| hub.places.put(participant, user, place, stamp, now));
        self.set_country(participant, place.country(), now);
    }

    fn set_country(&mut self, participant: ParticipantNo, country: Option<Country>, now: Time) {
        let Some(session) = self.sessions.get(participant) else { return };
        if session.you.person.country != country {
            let person = Person { country, ..session.you.person.clone() };
            self.change_person(participant, person, now);
        }
    }

    fn send_located(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        stamp: Option<Stamp>,
        effective_in: Option<Duration>,
    ) {
        let message = ServerMessage::Located {
            shared: self.places.is_located(participant),
            country: self.sessions[participant].you.person.country,
            stamp: stamp.map(|stamp| stamp.text),
            effective_in_ms: effective_in.map(millis),
        };
        self.agenda.send(conn, message);
    }
}

fn too_many(wait: Duration) -> Refusal {
    Refusal::from(Code::TooManyMoves).retry_after(millis(wait))
}
