//! What a careless server would keep of places, and tell of distances.

use super::super::distance::km_of;
use super::{Slot, Spots, Talker};

impl Spots {
    /// Keeps where somebody is for later.
    pub(crate) fn keep(&mut self, slot: Slot) {
        let point = self.spot(slot).point;
        self.kept.push(point);
    }
}

impl Talker<'_> {
    /// The square of the distance, to sort by.
    pub(crate) fn distance_key(&self, listener: Slot) -> u64 {
        let listener = self.spots.spot(listener);
        let here = self.spot.filter(|_| listener.located);
        here.map_or(u64::MAX, |spot| spot.sorted_by.chord2(&listener.sorted_by))
    }

    /// How far, when both are somewhere.
    pub(crate) fn kilometres(&self, listener: Slot) -> Option<u64> {
        let listener = self.spots.spot(listener);
        let here = self.spot.filter(|_| listener.located)?;
        Some(km_of(here.point.chord2(&listener.point)) as u64)
    }
}
