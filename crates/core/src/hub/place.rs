//! Where a session is, and how far it reaches and hears.

use std::time::Duration;

use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::{
    Code, Country, GeoCell, ParticipantNo, Person, Place as Said, Ranges, Refusal, ServerMessage,
};

use super::session::{Link, millis};
use super::{Hub, Timer};
#[cfg(feature = "mutants")]
use crate::mutants::Mutant;
use crate::reach::{Place, Slot, Stamp, epoch_in, scrub_stack};
use crate::{ConnId, Time};

/// What a session's connection has said of its place.
#[derive(Debug)]
pub(super) struct Whereabouts {
    /// Where the place itself is.
    pub(super) slot: Slot,
    pub(super) ranges: Ranges,
    /// A cell was taken on this connection: the next one is a move.
    settled: bool,
    /// Takes effect at the boundary.
    next: Option<Next>,
}

#[derive(Debug)]
struct Next {
    place: Place,
    stamp: Stamp,
}

impl Whereabouts {
    pub(super) fn new(slot: Slot) -> Self {
        Self { slot, ranges: Ranges::default(), settled: false, next: None }
    }
}

impl Hub {
    /// A connection begins: nothing is known of its place but what its `hello` says.
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
            self.settle(conn, participant, &said.cell, said.stamp.as_deref(), now);
        }
        if !self.is_located(participant) {
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
            Some(cell) if self.sessions[&participant].whereabouts.settled => {
                self.relocate(conn, participant, &cell, now);
            }
            Some(cell) => {
                let before = self.hearing_of(&[participant]);
                self.settle(conn, participant, &cell, stamp, now);
                self.reconcile_audience(&before);
            }
        }
        self.tell_moved(participant);
        scrub_stack();
    }

    /// `range`.
    pub(super) fn set_ranges(&mut self, conn: ConnId, participant: ParticipantNo, ranges: Ranges, now: Time) {
        if !ranges.are_unlimited() && !self.is_located(participant) {
            return self.agenda.error(conn, Code::LocationNeeded);
        }
        let before = self.heard_by(participant);
        self.put_ranges(participant, ranges, now);
        self.agenda.send(conn, ServerMessage::Ranged { tx: ranges.tx, rx: ranges.rx });
        self.reconcile_audience(&before);
    }

    /// The boundary: everybody who moves does so at once.
    pub(super) fn change_places(&mut self, now: Time) {
        self.boundary = None;
        let movers: Vec<_> = std::mem::take(&mut self.moving).into_iter().collect();
        let before = self.hearing_of(&movers);
        for &participant in &movers {
            self.change_place(participant, now);
        }
        self.reconcile_audience(&before);
        movers.into_iter().for_each(|mover| self.tell_moved(mover));
        scrub_stack();
    }

    /// Wipes where a session is. Its ranges go with the place.
    pub(super) fn forget_place(&mut self, participant: ParticipantNo, now: Time) {
        self.stay(participant);
        let interested = self.interest_off(participant, now);
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.whereabouts.settled = false;
        if self.spots.is_located(session.whereabouts.slot) {
            self.ledger.left(&self.config.secret, session.user, now);
        }
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(Mutant::KeepCell) {
            self.spots.keep(session.whereabouts.slot);
        }
        self.spots.clear(session.whereabouts.slot);
        self.put_ranges(participant, Ranges::default(), now);
        if interested {
            self.interest_on(participant);
        }
    }

    /// Time to the next moment at which places change.
    pub(super) fn epoch_in(&self, now: Time) -> Duration {
        epoch_in(self.config.unix_at_zero + now.since(Time::ZERO))
    }

    pub(super) fn is_located(&self, participant: ParticipantNo) -> bool {
        self.sessions.get(&participant).is_some_and(|session| self.spots.is_located(session.whereabouts.slot))
    }

    /// The first cell of a connection, and its answer.
    fn settle(
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

    /// The first cell of a connection takes effect at once. Without the stamp for it, it is paid
    /// for. Nothing when the stamp is for another cell that was in force in this epoch: a page that
    /// is loaded again must not tell when its person crossed a border.
    fn first(
        &mut self,
        participant: ParticipantNo,
        cell: &GeoCell,
        stamp: Option<&str>,
        now: Time,
    ) -> Result<Option<Stamp>, Refusal> {
        let place = self.place_of(participant, cell)?;
        let (secret, user) = (&self.config.secret, self.sessions[&participant].user);
        let shown = stamp.and_then(|stamp| Stamp::read(secret, user, cell, stamp));
        let known = shown.and_then(|(serial, fits)| {
            let in_force = self.ledger.newest(secret, user, serial, now)?;
            Some((fits, in_force))
        });
        let fits = known.is_some_and(|(fits, _)| fits);
        // A stamp that does not fit costs as much as none, or it could be tried on every cell.
        if !fits && !self.moves_freely() {
            self.ledger.first(secret, user, now).map_err(too_many)?;
        }
        let into_epoch = EPOCH - self.epoch_in(now);
        if !fits && known.is_some_and(|(_, in_force)| now.since(in_force) <= into_epoch) {
            return Ok(None);
        }
        let stamp = self.stamp(participant, cell);
        // What reading the cell has left on the stack must not get into gaps of what is made next.
        scrub_stack();
        self.put(participant, &place, &stamp, now);
        Ok(Some(stamp))
    }

    /// Another cell in mid-connection: at the boundary, unless it is the one that is known.
    fn relocate(&mut self, conn: ConnId, participant: ParticipantNo, cell: &GeoCell, now: Time) {
        let place = match self.place_of(participant, cell) {
            Ok(place) => place,
            Err(code) => return self.agenda.error(conn, code),
        };
        let session = &self.sessions[&participant];
        if self.spots.is_at(session.whereabouts.slot, &place) {
            self.stay(participant);
            return self.send_located(conn, participant, None, None);
        }
        let epoch_in = self.epoch_in(now);
        let paid = self.ledger.may_move(&self.config.secret, session.user, now + epoch_in, now);
        if let Err(wait) = paid
            && !self.moves_freely()
        {
            return self.agenda.error(conn, too_many(epoch_in + wait));
        }
        let stamp = self.stamp(participant, cell);
        scrub_stack();
        if let Some(session) = self.sessions.get_mut(&participant) {
            session.whereabouts.next = Some(Next { place, stamp });
            session.whereabouts.settled = true;
        }
        self.moving.insert(participant);
        if self.moves_freely() {
            return self.change_places(now);
        }
        if self.boundary.is_none() {
            self.boundary = Some(now + epoch_in);
            self.agenda.set(now + epoch_in, Timer::Epoch);
        }
        self.send_located(conn, participant, None, Some(epoch_in));
    }

    /// A cell is shared no longer, and with it go the ranges.
    fn take_back(&mut self, conn: ConnId, participant: ParticipantNo, now: Time) {
        self.stay(participant);
        if !self.is_located(participant) {
            // Nobody hears otherwise, and a talker's whole audience need not be asked.
            return self.send_located(conn, participant, None, None);
        }
        let before = self.hearing_of(&[participant]);
        let Some(session) = self.sessions.get(&participant) else { return };
        let (slot, ranges) = (session.whereabouts.slot, session.whereabouts.ranges);
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(Mutant::KeepPreviousCell) {
            self.spots.keep(slot);
        }
        let interested = self.interest_off(participant, now);
        self.spots.clear(slot);
        self.put_ranges(participant, Ranges::default(), now);
        if interested {
            self.interest_on(participant);
        }
        self.set_country(participant, None, now);
        self.send_located(conn, participant, None, None);
        if !ranges.are_unlimited() {
            let Ranges { tx, rx } = Ranges::default();
            self.agenda.send(conn, ServerMessage::Ranged { tx, rx });
        }
        self.reconcile_audience(&before);
    }

    fn change_place(&mut self, participant: ParticipantNo, now: Time) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        let (user, link) = (session.user, session.link);
        let Some(Next { place, stamp }) = session.whereabouts.next.take() else { return };
        self.ledger.moved(&self.config.secret, user, now);
        self.put(participant, &place, &stamp, now);
        if let Link::Up(conn) = link {
            self.send_located(conn, participant, Some(stamp), None);
        }
    }

    /// From now on the session is at `place`.
    fn put(&mut self, participant: ParticipantNo, place: &Place, stamp: &Stamp, now: Time) {
        let interested = self.interest_off(participant, now);
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.whereabouts.settled = true;
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(Mutant::KeepPreviousCell) {
            self.spots.keep(session.whereabouts.slot);
        }
        self.spots.place(session.whereabouts.slot, place);
        let user = session.user;
        if interested {
            self.interest_on(participant);
        }
        self.ledger.stamped(&self.config.secret, user, stamp.serial, now);
        self.set_country(participant, place.country(), now);
    }

    /// Whatever was to take effect at the boundary does not.
    fn stay(&mut self, participant: ParticipantNo) {
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.whereabouts.next = None;
        self.moving.remove(&participant);
        if self.moving.is_empty()
            && let Some(boundary) = self.boundary.take()
        {
            self.agenda.cancel(boundary, Timer::Epoch);
        }
    }

    fn put_ranges(&mut self, participant: ParticipantNo, ranges: Ranges, now: Time) {
        let interested = self.interest_off(participant, now);
        let Some(session) = self.sessions.get_mut(&participant) else { return };
        session.whereabouts.ranges = ranges;
        self.spots.set_ranges(session.whereabouts.slot, ranges);
        if interested {
            self.interest_on(participant);
        }
    }

    fn set_country(&mut self, participant: ParticipantNo, country: Option<Country>, now: Time) {
        let Some(session) = self.sessions.get(&participant) else { return };
        if session.you.person.country != country {
            let person = Person { country, ..session.you.person.clone() };
            self.change_person(participant, person, now);
        }
    }

    fn stamp(&mut self, participant: ParticipantNo, cell: &GeoCell) -> Stamp {
        self.newest_stamp += 1;
        Stamp::new(&self.config.secret, self.sessions[&participant].user, cell, self.newest_stamp)
    }

    fn send_located(
        &mut self,
        conn: ConnId,
        participant: ParticipantNo,
        stamp: Option<Stamp>,
        effective_in: Option<Duration>,
    ) {
        let message = ServerMessage::Located {
            shared: self.is_located(participant),
            country: self.sessions[&participant].you.person.country,
            stamp: stamp.map(|stamp| stamp.text),
            effective_in_ms: effective_in.map(millis),
        };
        self.agenda.send(conn, message);
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "mutants ask more of it")]
    fn moves_freely(&self) -> bool {
        false
    }

    /// Neither boundaries nor budgets count.
    #[cfg(feature = "mutants")]
    fn moves_freely(&self) -> bool {
        self.config.mutants.has(crate::mutants::Mutant::MovesAtOnce)
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "mutants ask more of it")]
    fn place_of(&self, _: ParticipantNo, cell: &GeoCell) -> Result<Place, Code> {
        Place::of(cell)
    }

    #[cfg(feature = "mutants")]
    fn place_of(&self, participant: ParticipantNo, cell: &GeoCell) -> Result<Place, Code> {
        Place::broken(cell, self.config.mutants, u64::from(participant.0) ^ self.config.secret.seed())
    }
}

fn too_many(wait: Duration) -> Refusal {
    Refusal::from(Code::TooManyMoves).retry_after(millis(wait))
}
