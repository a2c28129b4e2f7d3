//! Where people are. Distances, cells and countries are worked out here a second time, plainly
//! and in degrees, so that the model judges [`tenfour_core::reach`] and does not repeat it.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use country_boundaries::{BOUNDARIES_ODBL_180X90, CountryBoundaries, LatLon};
use fastrand::Rng;
use h3o::{CellIndex, LatLng, Resolution};
use tenfour_core::mutant;
use tenfour_core::reach::snap;
use tenfour_protocol::{Country, GeoCell, Range};

/// Radius of the earth in kilometres: docs/protocol.md 2.2.
const EARTH_KM: f64 = 6371.007;
/// No point of a cell of resolution 6 is further from its centre, in kilometres.
const CELL_KM: f64 = 5.0;
/// Distances this near a step of range are not judged, in kilometres: rounding may decide.
const UNSURE_KM: f64 = 0.001;
/// Where the steps of the S-meter are, in kilometres.
const GRADES_KM: [f64; 5] = [10.0, 25.0, 50.0, 100.0, 250.0];

/// A true position in degrees, north and east. It never leaves its client.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Position {
    lat: f64,
    lon: f64,
}

impl Position {
    /// A latitude of -90 to 90, any longitude.
    pub fn new(lat: f64, lon: f64) -> Self {
        Self { lat, lon: (lon + 180.0).rem_euclid(360.0) - 180.0 }
    }

    /// The centre of a cell.
    pub fn centre(cell: CellIndex) -> Self {
        let centre = LatLng::from(cell);
        Self::new(centre.lat(), centre.lng())
    }

    /// Some position in a cell, all of them equally likely.
    pub fn within(cell: CellIndex, rng: &mut Rng) -> Self {
        let centre = Self::centre(cell);
        let mut around = || centre.towards(rng.f64() * TAU, CELL_KM * rng.f64().sqrt());
        let mut position = around();
        while position.cell() != cell {
            position = around();
        }
        position
    }

    /// Where one gets to from here, `bearing` in radians from the north.
    pub fn towards(self, bearing: f64, km: f64) -> Self {
        let (lat, lon, arc) = (self.lat.to_radians(), self.lon.to_radians(), km / EARTH_KM);
        let there = (lat.sin() * arc.cos() + lat.cos() * arc.sin() * bearing.cos()).asin();
        let east = (bearing.sin() * arc.sin() * lat.cos()).atan2(arc.cos() - lat.sin() * there.sin());
        Self::new(there.to_degrees(), (lon + east).to_degrees())
    }

    /// Halfway to `other`, near enough for two that are not far apart.
    pub fn midway(self, other: Self) -> Self {
        Self::new((self.lat + other.lat) / 2.0, (self.lon + other.lon) / 2.0)
    }

    /// The great circle to `other`, in kilometres.
    pub fn km(self, other: Self) -> f64 {
        let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
        let cosines = self.lat.to_radians().cos() * other.lat.to_radians().cos();
        let haversine = half(self.lat, other.lat) + cosines * half(self.lon, other.lon);
        2.0 * EARTH_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
    }

    /// The cell it lies in.
    pub fn cell(self) -> CellIndex {
        LatLng::new(self.lat, self.lon).expect("a position").to_cell(Resolution::Six)
    }

    /// The country it lies in.
    pub fn country(self) -> Option<Country> {
        static BORDERS: LazyLock<CountryBoundaries> = LazyLock::new(|| {
            CountryBoundaries::from_reader(BOUNDARIES_ODBL_180X90).expect("the crate's own data")
        });
        let ids = BORDERS.ids(LatLon::new(self.lat, self.lon).expect("a position"));
        ids.into_iter().filter_map(|id| Country::try_from(id.to_owned()).ok()).min()
    }

    /// What a client says of it: the cell, by the client's own code.
    pub fn said(self) -> GeoCell {
        let cell = snap(self.lat, self.lon).expect("a position");
        // What no client can say: a broken hub would listen to that.
        mutant!(let cell = cell.with_raw(self.lat, self.lon));
        cell
    }
}

/// The cell that a client says, if it is one.
#[expect(clippy::disallowed_methods, reason = "the model judges the reader")]
pub fn cell_of(said: &GeoCell) -> Option<CellIndex> {
    CellIndex::try_from(said.index()).ok().filter(|cell| cell.resolution() == Resolution::Six)
}

/// Whether a talker is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// No.
    No,
    /// Yes, with this grade when both share a cell.
    Yes(Option<u8>),
    /// Too near a step to be foretold.
    Unsure,
}

/// Whether somebody at `listener` with receive range `rx` hears a talker at `talker` with
/// transmit range `tx`; nowhere is a place that is not shared.
pub fn heard(talker: Option<CellIndex>, tx: Range, listener: Option<CellIndex>, rx: Range) -> Heard {
    let limit = [tx, rx].into_iter().filter_map(Range::km).min().map(f64::from);
    let (Some(talker), Some(listener)) = (talker, listener) else {
        return if limit.is_none() { Heard::Yes(None) } else { Heard::No };
    };
    let km = Position::centre(talker).km(Position::centre(listener));
    if limit.into_iter().chain(GRADES_KM).any(|step| (km - step).abs() < UNSURE_KM) {
        return Heard::Unsure;
    }
    if limit.is_some_and(|limit| km > limit) {
        return Heard::No;
    }
    Heard::Yes(Some(GRADES_KM.iter().filter(|&&step| km <= step).count() as u8))
}

/// Where the people of a world are: within some kilometres of one place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Region {
    centre: Position,
    km: f64,
}

impl Region {
    /// Some region: towns, an ocean, the date line, a pole, a pentagon of the grid; a village or a country.
    pub fn any(rng: &mut Rng) -> Self {
        const CENTRES: [(f64, f64); 8] = [
            (44.8, 20.5),
            (47.6, 7.6),
            (-22.9, -43.2),
            (1.3, 103.8),
            (30.0, -40.0),
            (-16.8, 179.95),
            (89.9, 0.0),
            (-10.445, 58.158),
        ];
        let (lat, lon) = CENTRES[rng.usize(0..CENTRES.len())];
        Self { centre: Position::new(lat, lon), km: [8.0, 30.0, 120.0, 400.0][rng.usize(0..4)] }
    }

    /// Somewhere in it.
    pub fn anywhere(self, rng: &mut Rng) -> Position {
        self.centre.towards(rng.f64() * TAU, self.km * rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let (belgrade, zagreb) = (Position::new(44.787, 20.457), Position::new(45.815, 15.982));
        assert!((belgrade.km(zagreb) - 368.0).abs() < 2.0, "{}", belgrade.km(zagreb));
        let (west, east) = (Position::new(-16.8, 179.9), Position::new(-16.8, -179.9));
        assert!((west.km(east) - 21.3).abs() < 0.1, "{}", west.km(east));
        for (bearing, km) in [(0.3, 9.0), (2.0, 100.0), (5.5, 1000.0)] {
            assert!((belgrade.km(belgrade.towards(bearing, km)) - km).abs() < 1e-6);
        }
    }

    #[test]
    fn a_listener_hears_up_to_the_smaller_range() {
        let talker = Position::new(44.8, 20.5).cell();
        let at = |km| Some(Position::centre(talker).towards(1.0, km).cell());
        let hears = |km, tx, rx| heard(Some(talker), tx, at(km), rx) != Heard::No;
        assert!(hears(15.0, Range::Km25, Range::Unlimited) && hears(15.0, Range::Km25, Range::Km25));
        assert!(!hears(15.0, Range::Km25, Range::Km10) && !hears(35.0, Range::Km25, Range::Km1000));
        assert_eq!(heard(Some(talker), Range::Unlimited, at(60.0), Range::Unlimited), Heard::Yes(Some(2)));
        assert_eq!(heard(None, Range::Unlimited, at(60.0), Range::Unlimited), Heard::Yes(None));
        assert_eq!(heard(Some(talker), Range::Km1000, None, Range::Unlimited), Heard::No);
    }

    #[test]
    fn positions_within_a_cell_are_all_over_it() {
        let mut rng = Rng::with_seed(1);
        for place in [Position::new(44.8, 20.5), Position::new(-10.445, 58.158), Position::new(90.0, 0.0)] {
            let cell = place.cell();
            let kms: Vec<_> =
                (0..500).map(|_| Position::within(cell, &mut rng).km(Position::centre(cell))).collect();
            let far = kms.iter().filter(|km| **km > 2.0).count();
            assert!(far > 200 && kms.iter().all(|km| *km < CELL_KM * 0.99), "{far}");
        }
    }
}
