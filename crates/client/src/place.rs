//! From a position in degrees to a cell. No coordinate leaves this file.

use tenfour_core::{mutant, reach};
use tenfour_protocol::GeoCell;
use zeroize::{Zeroize, Zeroizing};

/// The text is no position. The error does not repeat it, since it may be a position in another notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// Not two numbers with a comma in between.
    #[error(
        "a place is a latitude and a longitude in degrees with a comma in between; write it as 44.81,20.46"
    )]
    Form,
    /// The first number is out of bounds.
    #[error("a latitude is -90 to 90 degrees and comes first; write it as 44.81,20.46")]
    Latitude,
    /// The second number is out of bounds.
    #[error("a longitude is -180 to 180 degrees and comes second; write it as 44.81,20.46")]
    Longitude,
}

/// The cell around `latitude,longitude` in degrees, e.g. `44.81,20.46` or `-33.86,151.2`. The
/// numbers are overwritten; the text is the caller's.
pub fn cell_at(text: &str) -> Result<GeoCell, PositionError> {
    let cell = judge(text);
    reach::scrub_stack();
    cell
}

#[inline(never)]
fn judge(text: &str) -> Result<GeoCell, PositionError> {
    let (lat, lon) = text.split_once(',').ok_or(PositionError::Form)?;
    let (mut lat, mut lon) = (degrees(lat)?, degrees(lon)?);
    if !(-90.0..=90.0).contains(&*lat) {
        return Err(PositionError::Latitude);
    }
    if !(-180.0..=180.0).contains(&*lon) {
        return Err(PositionError::Longitude);
    }
    let cell = reach::snap(*lat, *lon).map_err(|_| PositionError::Form);
    mutant!(crate::mutants::active(), SendPosition => let cell = cell.map(|cell| cell.with_raw(*lat, *lon)));
    lat.zeroize();
    lon.zeroize();
    cell
}

fn degrees(text: &str) -> Result<Zeroizing<f64>, PositionError> {
    text.trim().parse().map(Zeroizing::new).map_err(|_| PositionError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_the_cell_around_them() {
        let here = cell_at("44.81,20.46").unwrap();
        assert_eq!(cell_at(" 44.811 , +20.4601 "), Ok(here));
        for place in ["-33.86,151.2", "90,0", "-90,0", "0,180", "0,-180", "51,-0.0"] {
            assert!(cell_at(place).is_ok(), "{place}");
        }
    }

    #[test]
    fn what_is_no_position_is_explained_and_not_repeated() {
        for (text, error) in [
            ("", PositionError::Form),
            ("44.7", PositionError::Form),
            ("44.7 20.3", PositionError::Form),
            ("44,81,20,46", PositionError::Form),
            ("44.7N,20.3E", PositionError::Form),
            ("Belgrade", PositionError::Form),
            ("44.7,", PositionError::Form),
            ("90.01,20.3", PositionError::Latitude),
            ("151.2,-33.86", PositionError::Latitude),
            ("nan,0", PositionError::Latitude),
            ("44.7,180.5", PositionError::Longitude),
            ("44.7,inf", PositionError::Longitude),
        ] {
            assert_eq!(cell_at(text), Err(error), "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text), "{text}");
        }
    }
}
