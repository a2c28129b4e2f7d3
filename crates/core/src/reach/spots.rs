//! Where everybody is. Each has one slot in memory, which never moves and is wiped.

use tenfour_protocol::node::Region;
use tenfour_protocol::{GeoCell, Range, Ranges, SignalGrade};

use super::Place;
use super::cell::RESOLUTION;
use super::distance::{Point, grade, step};
use super::region::{interest, region_of};
use crate::mutant;
use crate::mutants::InMutants;

#[cfg(feature = "mutants")]
#[path = "../mutants/spots.rs"]
mod mutants;

/// Spots in one piece of memory. Pieces are never moved, so growing leaves no copies behind.
const PIECE: usize = 1024;

/// Names a spot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// All that is needed to decide whether a listener hears a talker: sixteen bytes.
#[derive(Clone, Copy, Default)]
struct Spot {
    point: Point,
    located: bool,
    rx: Range,
    /// The larger of receive and transmit range: within it somebody must listen before they talk.
    attends: Range,
    sorted_by: InMutants<Point>,
}

/// The spots of all sessions.
#[derive(Default)]
pub(crate) struct Spots {
    pieces: Vec<Box<[Spot; PIECE]>>,
    free: Vec<u32>,
    used: u32,
    kept: InMutants<Vec<Point>>,
}

impl Spots {
    /// A new spot without a place and with unlimited range.
    pub(crate) fn insert(&mut self) -> Slot {
        if let Some(free) = self.free.pop() {
            return Slot(free);
        }
        let slot = self.used;
        self.used += 1;
        if slot as usize / PIECE == self.pieces.len() {
            self.pieces.push(Box::new([Spot::default(); PIECE]));
        }
        Slot(slot)
    }

    /// Wipes a spot and makes it free for the next session.
    pub(crate) fn remove(&mut self, slot: Slot) {
        self.clear(slot);
        self.set_ranges(slot, Ranges::default());
        self.free.push(slot.0);
    }

    /// Puts somebody somewhere.
    pub(crate) fn place(&mut self, slot: Slot, place: &Place) {
        let spot = self.spot_mut(slot);
        spot.point.clone_from(place.point());
        spot.located = true;
        mutant!(spot.sorted_by = place.sorted_by());
    }

    /// Forgets where somebody is.
    pub(crate) fn clear(&mut self, slot: Slot) {
        let spot = self.spot_mut(slot);
        spot.point.wipe();
        mutant!(spot.sorted_by.wipe());
        spot.located = false;
    }

    /// How many spots have a place.
    pub(crate) fn located(&self) -> usize {
        (0..self.used).filter(|&slot| self.is_located(Slot(slot))).count()
    }

    pub(crate) fn is_located(&self, slot: Slot) -> bool {
        self.spot(slot).located
    }

    /// Whether somebody is at `place` already.
    pub(crate) fn is_at(&self, slot: Slot, place: &Place) -> bool {
        let spot = self.spot(slot);
        spot.located && spot.point == *place.point()
    }

    /// The cell of somebody who has a place. Other nodes get it to compute which of their listeners hear.
    pub(crate) fn cell(&self, slot: Slot) -> Option<GeoCell> {
        let spot = self.spot(slot);
        spot.located.then(|| GeoCell::new(spot.point.position().to_cell(RESOLUTION).into()))
    }

    /// The region of somebody who talks with range `tx`.
    pub(crate) fn region(&self, slot: Slot, tx: Range) -> Region {
        let spot = self.spot(slot);
        if spot.located { region_of(&spot.point, tx) } else { Region::Nowhere }
    }

    /// The regions of talkers whom somebody may hear, or must listen for before they talk, by transmit range.
    pub(crate) fn interest(&self, slot: Slot) -> Vec<(Range, Region)> {
        let spot = self.spot(slot);
        interest(spot.located.then_some(&spot.point), spot.attends)
    }

    pub(crate) fn set_ranges(&mut self, slot: Slot, Ranges { tx, rx }: Ranges) {
        let spot = self.spot_mut(slot);
        (spot.rx, spot.attends) = (rx, rx.max(tx));
    }

    /// A talker who is at `slot`, unless they are gone.
    pub(crate) fn talker(&self, slot: Option<Slot>, tx: Range) -> Talker<'_> {
        let spot = slot.map(|slot| self.spot(slot)).filter(|spot| spot.located);
        Talker { spots: self, spot, tx }
    }

    fn spot(&self, Slot(slot): Slot) -> &Spot {
        &self.pieces[slot as usize / PIECE][slot as usize % PIECE]
    }

    fn spot_mut(&mut self, Slot(slot): Slot) -> &mut Spot {
        &mut self.pieces[slot as usize / PIECE][slot as usize % PIECE]
    }
}

impl Drop for Spots {
    fn drop(&mut self) {
        for spot in self.pieces.iter_mut().flat_map(|piece| piece.iter_mut()) {
            spot.point.wipe();
        }
    }
}

/// Prints how many there are.
impl std::fmt::Debug for Spots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spots").field("used", &(self.used as usize - self.free.len())).finish_non_exhaustive()
    }
}

/// A talker, to ask who hears them.
pub(crate) struct Talker<'a> {
    spots: &'a Spots,
    spot: Option<&'a Spot>,
    tx: Range,
}

impl Talker<'_> {
    /// None if the listener does not hear the talker; else how well, if both share a cell.
    #[expect(clippy::option_option, reason = "not heard, heard from nowhere, heard from somewhere")]
    #[inline(always)] // Or the compiler changes its mind with the size of what is around.
    pub(crate) fn heard_by(&self, listener: Slot) -> Option<Option<SignalGrade>> {
        let listener = self.spots.spot(listener);
        self.reaches(listener, listener.rx)
    }

    /// Whether the listener would hear the talker with the largest of its ranges and `least`.
    pub(crate) fn would_be_heard_by(&self, listener: Slot, least: Range) -> bool {
        let listener = self.spots.spot(listener);
        self.reaches(listener, listener.attends.max(least)).is_some()
    }

    #[expect(clippy::option_option, reason = "not heard, heard from nowhere, heard from somewhere")]
    #[inline(always)]
    fn reaches(&self, listener: &Spot, rx: Range) -> Option<Option<SignalGrade>> {
        let range = self.tx.min(rx);
        match self.spot.filter(|_| listener.located) {
            Some(spot) => {
                let chord2 = spot.point.chord2(&listener.point);
                (chord2 <= step(range)).then(|| Some(grade(chord2)))
            }
            None => (range == Range::Unlimited).then_some(None),
        }
    }
}
