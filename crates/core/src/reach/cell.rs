//! Cells: snapping to one, judging one, and what is kept of it.

use h3o::{CellIndex, LatLng, Resolution};
use tenfour_protocol::{Code, Country, GeoCell};

use super::country::country_at;
use super::distance::Point;
use crate::mutants::InMutants;

#[cfg(feature = "mutants")]
#[path = "../mutants/cell.rs"]
mod mutants;

/// The only resolution: 36 km² on average. Nobody may use a finer one.
pub(super) const RESOLUTION: Resolution = Resolution::Six;

/// The two numbers are no position in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a latitude is -90 to 90 degrees, a longitude -180 to 180")]
pub struct NoPosition;

/// The cell of a position in degrees, north and east. Clients call this; nothing after it has a coordinate.
pub fn snap(lat: f64, lon: f64) -> Result<GeoCell, NoPosition> {
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
        return Err(NoPosition);
    }
    let position = LatLng::new(lat, lon).map_err(|_| NoPosition)?;
    Ok(GeoCell::new(position.to_cell(RESOLUTION).into()))
}

/// What the hub keeps of a cell: the cell's centre and the country there. It cannot be printed, compared or sent, and
/// is wiped on drop.
pub(crate) struct Place {
    point: Box<Point>,
    country: Option<Country>,
    /// The position itself, by which a mutant sorts. In a box, since an empty box has no padding in which something
    /// could be left.
    raw: InMutants<Option<Box<Point>>>,
}

impl Place {
    /// Checks a cell, which must have resolution 6.
    pub(crate) fn of(cell: &GeoCell) -> Result<Self, Code> {
        #[expect(clippy::disallowed_methods, reason = "this is the reader")]
        let cell = CellIndex::try_from(cell.index()).map_err(|_| Code::CellRefused)?;
        if cell.resolution() != RESOLUTION {
            return Err(Code::CellRefused);
        }
        let centre = LatLng::from(cell);
        let (point, country) = (Box::new(Point::of(centre)), country_at(centre));
        Ok(Self { point, country, raw: Default::default() })
    }

    pub(crate) fn country(&self) -> Option<Country> {
        self.country
    }

    pub(super) fn point(&self) -> &Point {
        &self.point
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.point.wipe();
    }
}

/// Says nothing.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell_of(lat: f64, lon: f64, resolution: Resolution) -> GeoCell {
        GeoCell::new(LatLng::new(lat, lon).unwrap().to_cell(resolution).into())
    }

    #[test]
    fn only_cells_of_resolution_six_are_taken() {
        for resolution in (0..=15).map(|number| Resolution::try_from(number).unwrap()) {
            let judged = Place::of(&cell_of(44.8, 20.46, resolution));
            assert_eq!(judged.is_ok(), resolution == RESOLUTION, "{resolution}");
        }
        for index in [0, 1, u64::MAX, 0x0fff_ffff_ffff_ffff, 0x7_ffff_ffff_ffff] {
            assert_eq!(Place::of(&GeoCell::new(index)).unwrap_err(), Code::CellRefused, "{index:x}");
        }
    }

    #[test]
    fn an_index_with_other_bits_is_no_cell() {
        #[expect(clippy::disallowed_methods, reason = "the reader's test")]
        let good = snap(44.8, 20.46).unwrap().index();
        // The mode, the reserved bits, the highest bit, and a digit below the resolution.
        for bit in [63, 59, 60, 56, 57, 58, 0, 26] {
            assert!(Place::of(&GeoCell::new(good ^ (1 << bit))).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn pentagons_and_poles_are_cells_like_others() {
        let pentagons = CellIndex::base_cells().filter(|cell| cell.is_pentagon());
        let pentagons: Vec<_> = pentagons.filter_map(|cell| cell.center_child(RESOLUTION)).collect();
        assert_eq!(pentagons.len(), 12);
        for cell in pentagons {
            assert!(cell.is_pentagon() && Place::of(&GeoCell::new(cell.into())).is_ok());
        }
        for lat in [-90.0, 90.0] {
            assert!(Place::of(&snap(lat, 0.0).unwrap()).is_ok());
        }
        assert!(snap(0.0, 180.0).is_ok() && snap(0.0, -180.0).is_ok());
    }

    #[test]
    fn what_is_no_position_is_not_snapped() {
        for (lat, lon) in [(90.1, 0.0), (0.0, 180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY), (-91.0, 0.0)] {
            assert_eq!(snap(lat, lon), Err(NoPosition), "{lat} {lon}");
        }
    }

    #[test]
    fn the_country_is_that_of_the_centre() {
        let country = |lat, lon| Place::of(&snap(lat, lon).unwrap()).unwrap().country();
        let named = |lat, lon| country(lat, lon).map(|country| country.as_str().to_owned());
        assert_eq!(named(44.8, 20.46).as_deref(), Some("RS"));
        assert_eq!(named(52.52, 13.40).as_deref(), Some("DE"));
        assert_eq!(named(40.71, -74.0).as_deref(), Some("US"));
        assert_eq!(named(30.0, -40.0), None, "the Atlantic");
    }
}
