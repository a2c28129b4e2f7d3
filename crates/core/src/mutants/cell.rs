//! What a broken hub makes of the position that came with a cell.

use h3o::LatLng;
use tenfour_protocol::GeoCell;

use super::{Place, Point, RESOLUTION, country_at};
use crate::chance::Chance;
use crate::mutant;
use crate::mutants::Mutants;

impl Place {
    /// What a broken hub keeps of `cell`, whose place this is. `seed` belongs to the session.
    pub(crate) fn broken(mut self, cell: &GeoCell, mutants: Mutants, seed: u64) -> Self {
        let Some((lat, lon)) = cell.raw() else { return self };
        let raw = LatLng::new(lat, lon).expect("a position");
        mutant!(mutants, SessionGrid => *self.point = shifted_grid(raw, seed));
        mutant!(mutants, RawDistance => *self.point = Point::of(raw));
        mutant!(mutants, SortedFanOut => self.raw = Some(Box::new(Point::of(raw))));
        mutant!(mutants, RawCountry => self.country = country_at(raw));
        self
    }

    /// What a broken hub sorts by.
    pub(in crate::reach) fn sorted_by(&self) -> Point {
        *self.raw.as_ref().unwrap_or(&self.point).as_ref()
    }
}

/// The centre of a cell on a grid of the session's own.
fn shifted_grid(raw: LatLng, seed: u64) -> Point {
    let mut chance = Chance::new(seed);
    let mut shift = || chance.below(1000) as f64 / 10_000.0 - 0.05;
    let (north, east) = (shift(), shift());
    let centre = LatLng::from(shifted(raw, north, east).to_cell(RESOLUTION));
    Point::of(shifted(centre, -north, -east))
}

fn shifted(position: LatLng, north: f64, east: f64) -> LatLng {
    LatLng::new((position.lat() + north).clamp(-90.0, 90.0), position.lng() + east).expect("a position")
}
