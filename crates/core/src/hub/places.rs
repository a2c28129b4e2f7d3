//! Where sessions are, how far they reach and hear, and what moving costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::{GeoCell, ParticipantNo, Ranges, UserId};

use super::HubConfig;
use super::agenda::{Agenda, Timer};
use crate::Time;
use crate::mutant;
use crate::mutants::Mutants;
use crate::reach::{Ledger, Place, Secret, Slot, Spots, Stamp, epoch_in};

/// The places of all sessions, and of talkers on other nodes. The spots keep places that are in force, and are wiped.
/// A move waits here for the next boundary.
#[derive(Debug)]
pub(super) struct Places {
    spots: Spots,
    whereabouts: BTreeMap<ParticipantNo, Whereabouts>,
    ledger: Ledger,
    /// Who will be in another cell at the next boundary.
    moving: BTreeSet<ParticipantNo>,
    /// When that is.
    boundary: Option<Time>,
    newest_stamp: u64,
    secret: Secret,
    unix_at_zero: Duration,
    mutants: Mutants,
}

/// What a session's connection has said of its place.
#[derive(Debug)]
struct Whereabouts {
    /// The slot that has the place itself.
    slot: Slot,
    ranges: Ranges,
    /// A cell was taken on this connection: the next one is a move.
    settled: bool,
    /// Takes effect at the boundary.
    next: Option<(Place, Stamp)>,
}

impl Places {
    pub(super) fn new(config: &HubConfig) -> Self {
        Self {
            spots: Spots::default(),
            whereabouts: BTreeMap::new(),
            ledger: Ledger::default(),
            moving: BTreeSet::new(),
            boundary: None,
            newest_stamp: 0,
            secret: config.secret.clone(),
            unix_at_zero: config.unix_at_zero,
            mutants: config.mutants,
        }
    }

    /// A session begins, without a place and with unlimited ranges.
    pub(super) fn begin(&mut self, participant: ParticipantNo) {
        let (slot, ranges) = (self.spots.insert(), Ranges::default());
        self.whereabouts.insert(participant, Whereabouts { slot, ranges, settled: false, next: None });
    }

    /// A session ends.
    pub(super) fn end(&mut self, participant: ParticipantNo) {
        if let Some(gone) = self.whereabouts.remove(&participant) {
            self.spots.remove(gone.slot);
        }
    }

    pub(super) fn slot(&self, participant: ParticipantNo) -> Option<Slot> {
        self.whereabouts.get(&participant).map(|whereabouts| whereabouts.slot)
    }

    pub(super) fn ranges(&self, participant: ParticipantNo) -> Ranges {
        self.whereabouts.get(&participant).map_or_else(Ranges::default, |whereabouts| whereabouts.ranges)
    }

    pub(super) fn is_located(&self, participant: ParticipantNo) -> bool {
        self.slot(participant).is_some_and(|slot| self.spots.is_located(slot))
    }

    pub(super) fn is_at(&self, participant: ParticipantNo, place: &Place) -> bool {
        self.slot(participant).is_some_and(|slot| self.spots.is_at(slot, place))
    }

    /// Whether a cell was taken on the session's connection, so that another one is a move.
    pub(super) fn is_settled(&self, participant: ParticipantNo) -> bool {
        self.whereabouts.get(&participant).is_some_and(|whereabouts| whereabouts.settled)
    }

    /// Time to the next boundary.
    pub(super) fn epoch_in(&self, now: Time) -> Duration {
        epoch_in(self.unix_at_zero + now.since(Time::ZERO))
    }

    /// The spots, to judge who hears whom.
    #[inline]
    pub(super) fn spots(&self) -> &Spots {
        &self.spots
    }

    /// Pays for the first cell of a connection, which is free with a stamp for that cell. Returns false if the stamp
    /// is for another cell that was in force in this epoch. Then the new cell has to be a move: otherwise, reloading
    /// the page would tell when its person crossed the border between both.
    ///
    /// # Errors
    /// How long to wait, when the budget is spent.
    pub(super) fn pay_first(
        &mut self,
        user: UserId,
        cell: &GeoCell,
        stamp: Option<&str>,
        now: Time,
    ) -> Result<bool, Duration> {
        let shown = stamp.and_then(|stamp| Stamp::read(&self.secret, user, cell, stamp));
        let known = shown.and_then(|(serial, fits)| {
            let in_force = self.ledger.newest(&self.secret, user, serial, now)?;
            Some((fits, in_force))
        });
        let fits = known.is_some_and(|(fits, _)| fits);
        mutant!(self.mutants, MovesAtOnce => return Ok(true));
        // A stamp for another cell costs as much as no stamp. Otherwise a thief could try a stamp on every cell.
        if !fits {
            self.ledger.first(&self.secret, user, now)?;
        }
        let into_epoch = EPOCH - self.epoch_in(now);
        Ok(fits || known.is_none_or(|(_, in_force)| now.since(in_force) > into_epoch))
    }

    /// Time to the boundary at which a move can take effect.
    ///
    /// # Errors
    /// How long to wait, when the budget is spent.
    pub(super) fn may_move(&mut self, user: UserId, now: Time) -> Result<Duration, Duration> {
        let epoch_in = self.epoch_in(now);
        mutant!(self.mutants, MovesAtOnce => return Ok(epoch_in));
        match self.ledger.may_move(&self.secret, user, now + epoch_in, now) {
            Err(wait) => Err(epoch_in + wait),
            Ok(()) => Ok(epoch_in),
        }
    }

    /// A new stamp for `cell`.
    pub(super) fn stamp(&mut self, user: UserId, cell: &GeoCell) -> Stamp {
        self.newest_stamp += 1;
        Stamp::new(&self.secret, user, cell, self.newest_stamp)
    }

    /// From now on the session is at `place`.
    pub(super) fn put(
        &mut self,
        participant: ParticipantNo,
        user: UserId,
        place: &Place,
        stamp: &Stamp,
        now: Time,
    ) {
        let Some(whereabouts) = self.whereabouts.get_mut(&participant) else { return };
        whereabouts.settled = true;
        mutant!(self.mutants, KeepPreviousCell => self.spots.keep(whereabouts.slot));
        self.spots.place(whereabouts.slot, place);
        self.ledger.stamped(&self.secret, user, stamp.serial, now);
    }

    /// From `boundary` on the session is at `place`.
    pub(super) fn put_at(
        &mut self,
        boundary: Time,
        participant: ParticipantNo,
        place: Place,
        stamp: Stamp,
        agenda: &mut Agenda,
    ) {
        if let Some(whereabouts) = self.whereabouts.get_mut(&participant) {
            whereabouts.next = Some((place, stamp));
            whereabouts.settled = true;
        }
        self.moving.insert(participant);
        mutant!(self.mutants, MovesAtOnce => return);
        if self.boundary.is_none() {
            self.boundary = Some(boundary);
            agenda.set(boundary, Timer::Epoch);
        }
    }

    /// Cancels the session's move.
    pub(super) fn stay(&mut self, participant: ParticipantNo, agenda: &mut Agenda) {
        if let Some(whereabouts) = self.whereabouts.get_mut(&participant) {
            whereabouts.next = None;
        }
        self.moving.remove(&participant);
        if self.moving.is_empty()
            && let Some(boundary) = self.boundary.take()
        {
            agenda.cancel(boundary, Timer::Epoch);
        }
    }

    /// At the boundary: everybody who moves now.
    pub(super) fn take_movers(&mut self) -> Vec<ParticipantNo> {
        self.boundary = None;
        std::mem::take(&mut self.moving).into_iter().collect()
    }

    /// Pays for the move of a session, and returns where it goes.
    pub(super) fn take_move(
        &mut self,
        participant: ParticipantNo,
        user: UserId,
        now: Time,
    ) -> Option<(Place, Stamp)> {
        let next = self.whereabouts.get_mut(&participant)?.next.take()?;
        self.ledger.moved(&self.secret, user, now);
        Some(next)
    }

    pub(super) fn set_ranges(&mut self, participant: ParticipantNo, ranges: Ranges) {
        let Some(whereabouts) = self.whereabouts.get_mut(&participant) else { return };
        whereabouts.ranges = ranges;
        self.spots.set_ranges(whereabouts.slot, ranges);
    }

    /// The session's connection begins or ends: wipes where it is, and its ranges with it.
    pub(super) fn forget(&mut self, participant: ParticipantNo, user: UserId, now: Time) {
        let Some(whereabouts) = self.whereabouts.get_mut(&participant) else { return };
        whereabouts.settled = false;
        let slot = whereabouts.slot;
        if self.spots.is_located(slot) {
            self.ledger.left(&self.secret, user, now);
        }
        mutant!(self.mutants, KeepCell => self.spots.keep(slot));
        self.spots.clear(slot);
        self.set_ranges(participant, Ranges::default());
    }

    /// The session does not share its cell any more; its ranges go with it.
    pub(super) fn take_back(&mut self, participant: ParticipantNo) {
        let Some(slot) = self.slot(participant) else { return };
        mutant!(self.mutants, KeepPreviousCell => self.spots.keep(slot));
        self.spots.clear(slot);
        self.set_ranges(participant, Ranges::default());
    }

    /// A talker on another node begins, who is at `place` or nowhere.
    pub(super) fn begin_talker(&mut self, place: Option<&Place>) -> Slot {
        let slot = self.spots.insert();
        if let Some(place) = place {
            self.spots.place(slot, place);
        }
        slot
    }

    /// Whether a talker on another node is at `place`, or nowhere if there is none.
    pub(super) fn is_talker_at(&self, slot: Slot, place: Option<&Place>) -> bool {
        match place {
            Some(place) => self.spots.is_at(slot, place),
            None => !self.spots.is_located(slot),
        }
    }

    /// A talker on another node is at `place` from now on, or nowhere if there is none.
    pub(super) fn move_talker(&mut self, slot: Slot, place: Option<&Place>) {
        match place {
            Some(place) => self.spots.place(slot, place),
            None => self.spots.clear(slot),
        }
    }

    /// A talker on another node is done.
    pub(super) fn end_talker(&mut self, slot: Slot) {
        self.spots.remove(slot);
    }

    /// When [`Places::forget_budgets`] is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.ledger.due()
    }

    /// Forgets payments that no longer count.
    pub(super) fn forget_budgets(&mut self, now: Time) {
        self.ledger.forget(now);
    }

    /// How many sessions will move at the boundary.
    pub(super) fn moving(&self) -> usize {
        self.moving.len()
    }
}
