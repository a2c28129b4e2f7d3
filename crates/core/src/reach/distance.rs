//! How far two centres are apart, in integers, so that every machine gets the same result.

use std::sync::LazyLock;

use h3o::LatLng;
use tenfour_protocol::{Range, SignalGrade};
use zeroize::Zeroize;

/// Mean radius of the earth in kilometres: the authalic one, which H3 uses.
const EARTH_KM: f64 = 6_371.007_180_918_475;
/// Length of the radius in a [`Point`]: a step is 1.2 cm, and squares of chords fit 64 bits.
const UNIT: f64 = (1_u32 << 29) as f64;

/// A point of the unit sphere.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Point([i32; 3]);

impl Point {
    pub(super) fn of(position: LatLng) -> Self {
        let (lat, lon) = (position.lat_radians(), position.lng_radians());
        let vector = [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()];
        Self(vector.map(|axis| (axis * UNIT).round() as i32))
    }

    /// Where it is. The centre of a cell gives the same cell again.
    pub(super) fn position(&self) -> LatLng {
        let [x, y, z] = self.0.map(f64::from);
        LatLng::from_radians(z.atan2(x.hypot(y)), y.atan2(x)).expect("a point of the sphere")
    }

    /// The `part`th of `parts` points from `from` on the way to `to`.
    pub(super) fn between(from: &Self, to: &Self, part: u32, parts: u32) -> Self {
        let share = f64::from(part) / f64::from(parts);
        let axis = |axis: usize| f64::from(from.0[axis]) * (1.0 - share) + f64::from(to.0[axis]) * share;
        let vector = [axis(0), axis(1), axis(2)];
        let length = vector.iter().map(|axis| axis * axis).sum::<f64>().sqrt();
        Self(vector.map(|axis| (axis / length * UNIT).round() as i32))
    }

    /// The square of the chord between two points, in square units.
    pub(super) fn chord2(&self, other: &Self) -> u64 {
        let square = |axis: usize| {
            let difference = i64::from(self.0[axis]) - i64::from(other.0[axis]);
            (difference * difference) as u64
        };
        square(0) + square(1) + square(2)
    }

    pub(super) fn wipe(&mut self) {
        self.0.zeroize();
    }
}

/// The squares of the chords of the steps of range.
static STEPS: LazyLock<[u64; Range::ALL.len()]> = LazyLock::new(|| {
    Range::ALL.map(|range| match range.km() {
        Some(km) => (2.0 * (f64::from(km) / EARTH_KM / 2.0).sin() * UNIT).powi(2) as u64,
        None => u64::MAX,
    })
});

/// The largest `chord2` of two points that are within `range`.
pub(super) fn step(range: Range) -> u64 {
    STEPS[range as usize]
}

/// The S-meter for a distance.
pub(super) fn grade(chord2: u64) -> SignalGrade {
    let beyond = STEPS[..=Range::Km250 as usize].iter().filter(|&&step| chord2 > step).count();
    SignalGrade::ALL[5 - beyond]
}

/// How far that is, in kilometres along the ground.
pub(super) fn km_of(chord2: u64) -> f64 {
    let half = ((chord2 as f64).sqrt() / UNIT / 2.0).min(1.0);
    2.0 * half.asin() * EARTH_KM
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, lon: f64) -> LatLng {
        LatLng::new(lat, lon).unwrap()
    }

    #[test]
    fn a_grade_falls_with_each_step_of_range() {
        let here = at(44.8, 20.46);
        let north = |km: f64| Point::of(at(44.8 + (km / EARTH_KM).to_degrees(), 20.46));
        let graded = |km| u8::from(grade(Point::of(here).chord2(&north(km))));
        for (km, expected) in
            [(0.0, 5), (9.99, 5), (10.01, 4), (25.01, 3), (50.01, 2), (99.99, 2), (100.01, 1), (250.01, 0)]
        {
            assert_eq!(graded(km), expected, "{km} km");
        }
        assert_eq!(u8::from(grade(Point::of(here).chord2(&Point::of(at(-44.8, -159.54))))), 0, "antipodes");
    }

    proptest! {
        #[test]
        fn chords_tell_great_circles_to_a_decimetre(
            a in (-90.0..90.0, -180.0..180.0),
            bearing in 0.0..std::f64::consts::TAU,
            off in -1.0..1.0_f64,
            range in 0..7_usize,
        ) {
            prop_assume!(off.abs() > 1e-4);
            let range = Range::ALL[range];
            // A point `km` from `a`, by the formula of the destination.
            let km = f64::from(range.km().unwrap()) + off;
            let (lat, lon, arc) = (f64::to_radians(a.0), f64::to_radians(a.1), km / EARTH_KM);
            let lat2 = (lat.sin() * arc.cos() + lat.cos() * arc.sin() * f64::cos(bearing)).asin();
            let lon2 = lon + (f64::sin(bearing) * arc.sin() * lat.cos()).atan2(arc.cos() - lat.sin() * lat2.sin());
            let (a, b) = (LatLng::from_radians(lat, lon).unwrap(), LatLng::from_radians(lat2, lon2).unwrap());
            prop_assert_eq!(Point::of(a).chord2(&Point::of(b)) <= step(range), off < 0.0);
        }
    }
}
