//! What cells and coordinates look like in memory, in files and on the wire.

use std::collections::BTreeSet;

use fastrand::Rng;
use h3o::{CellIndex, LatLng};
use tenfour_core::reach::snap;

use crate::search::Needle;

/// The form in which the hub holds a cell while its client is connected.
pub(crate) const HELD: &str = "centre as the hub holds it";
/// As `crates/core/src/reach/distance.rs` has it: the length of the radius.
const UNIT: f64 = (1_u32 << 29) as f64;

/// A position in millionths of a degree, as exact as a client's system gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    lat: i32,
    lon: i32,
}

impl Position {
    /// Somewhere far north or south. Sixty degrees at least, so that its text is found in no other number, and
    /// in no time of a log: `03:12:34.302` has the seconds of one.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let mut degrees = |most: i32| {
            let size = rng.i32(60_000_000..most * 1_000_000);
            if rng.bool() { size } else { -size }
        };
        Self { lat: degrees(85), lon: degrees(179) }
    }

    pub(crate) fn lat(self) -> f64 {
        f64::from(self.lat) / 1e6
    }

    pub(crate) fn lon(self) -> f64 {
        f64::from(self.lon) / 1e6
    }

    /// As a person writes it after `--at`.
    pub(crate) fn text(self) -> String {
        format!("{:.6},{:.6}", self.lat(), self.lon())
    }

    /// The cell, as it travels.
    pub(crate) fn cell(self) -> String {
        let cell = snap(self.lat(), self.lon()).expect("a position");
        serde_json::to_value(cell).expect("a string").as_str().expect("a string").to_owned()
    }

    /// Everything that a coordinate of this position may look like.
    pub(crate) fn needles(self, owner: usize) -> Vec<Needle> {
        let mut needles = Vec::new();
        for degrees in [self.lat(), self.lon()] {
            let texts: BTreeSet<_> = (3..=8).flat_map(|digits| texts(degrees.abs(), digits)).collect();
            needles.extend(texts.into_iter().map(|text| Needle::new(owner, format!("text {text}"), text)));
            for (unit, value) in [("degrees", degrees), ("radians", degrees.to_radians())] {
                needles.push(Needle::new(owner, format!("f64 of {unit}"), value.to_le_bytes()));
                needles.push(Needle::new(owner, format!("f64 of {unit}, big-endian"), value.to_be_bytes()));
            }
        }
        let (lat, lon) = (short_forms(self.lat()), short_forms(self.lon()));
        for (index, (lat, lon)) in lat.into_iter().zip(lon).enumerate() {
            // Four bytes are found by chance: they count when the other axis stands close.
            let pair = (owner * 100 + index) as u32;
            needles.push(Needle::new(owner, format!("short form {index}"), lat).half(pair, false));
            needles.push(Needle::new(owner, format!("short form {index}"), lon).half(pair, true));
        }
        needles
    }
}

/// Cut and rounded to so many digits, with a point and with a comma.
fn texts(degrees: f64, digits: usize) -> [String; 4] {
    let rounded = format!("{degrees:.digits$}");
    let exact = format!("{degrees:.9}");
    let cut = exact[..exact.len() - (9 - digits)].to_owned();
    [rounded.replace('.', ","), cut.replace('.', ","), rounded, cut]
}

/// Forms of four bytes: floating point of degrees and radians, fixed point of 5 to 7 digits.
fn short_forms(degrees: f64) -> Vec<[u8; 4]> {
    let floats = [degrees as f32, degrees.to_radians() as f32];
    let mut forms: Vec<_> =
        floats.into_iter().flat_map(|value| [value.to_le_bytes(), value.to_be_bytes()]).collect();
    for scale in [1e5, 1e6, 1e7] {
        for value in [(degrees * scale).round() as i32, (degrees * scale).trunc() as i32] {
            forms.extend([value.to_le_bytes(), value.to_be_bytes()]);
        }
    }
    forms
}

/// Everything that a cell may look like, and its centre.
pub(crate) fn cell_needles(owner: usize, cell: &str) -> Vec<Needle> {
    let index: CellIndex = cell.parse().expect("a cell");
    let number = u64::from(index);
    let centre = LatLng::from(index);
    let mut needles = vec![
        Needle::new(owner, HELD, held(centre)),
        Needle::new(owner, "text", cell),
        Needle::new(owner, "text in capitals", cell.to_uppercase()),
        Needle::new(owner, "u64", number.to_le_bytes()),
        Needle::new(owner, "u64, big-endian", number.to_be_bytes()),
    ];
    for (axis, value) in [
        ("latitude", centre.lat()),
        ("longitude", centre.lng()),
        ("latitude in radians", centre.lat_radians()),
        ("longitude in radians", centre.lng_radians()),
    ] {
        needles.push(Needle::new(owner, format!("{axis} of the centre"), value.to_le_bytes()));
    }
    needles
}

/// The hub's own form, worked out anew: a point of the sphere in whole numbers.
fn held(centre: LatLng) -> Vec<u8> {
    let (lat, lon) = (centre.lat_radians(), centre.lng_radians());
    let vector = [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()];
    vector.into_iter().flat_map(|axis| ((axis * UNIT).round() as i32).to_le_bytes()).collect()
}

#[test]
fn every_form_of_a_coordinate_is_found_where_it_is_planted() {
    let mut rng = Rng::with_seed(1);
    for owner in 0..50 {
        let position = Position::random(&mut rng);
        let needles = position.needles(owner);
        assert!(needles.len() > 40);
        let search = crate::search::Search::new(needles.clone());
        for needle in &needles {
            let other = needles.iter().filter(|other| other.form == needle.form);
            let planted: Vec<u8> =
                other.flat_map(|needle| [&[0; 7], needle.bytes()].concat()).chain([0; 7]).collect();
            let found = search.bytes("planted", &planted);
            assert!(found.hits.iter().any(|hit| hit.form == needle.form), "{}", needle.form);
        }
    }
}
