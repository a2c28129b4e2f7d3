//! Points on the sphere that the server measures on.

use h3o::{CellIndex, LatLng, Resolution};

/// Radius of that sphere in kilometres.
pub const EARTH_KM: f64 = 6_371.007_180_918_475;

/// A point, as a unit vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot(pub [f64; 3]);

impl Spot {
    /// In degrees, north and east.
    pub fn at(lat: f64, lon: f64) -> Self {
        let (lat, lon) = (lat.to_radians(), lon.to_radians());
        Self([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()])
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        let [x, y, z] = self.0;
        z.atan2(x.hypot(y)).to_degrees()
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        self.0[1].atan2(self.0[0]).to_degrees()
    }

    /// The square of the chord to another point, in radii.
    pub fn chord2(self, other: Self) -> f64 {
        let [x, y, z] = [0, 1, 2].map(|axis| self.0[axis] - other.0[axis]);
        x * x + y * y + z * z
    }

    /// Great circle, in kilometres.
    pub fn km_to(self, other: Self) -> f64 {
        2.0 * EARTH_KM * (self.chord2(other).sqrt() / 2.0).min(1.0).asin()
    }

    /// The point that lies so many kilometres east and north, measured along a great circle.
    pub fn shifted(self, east_km: f64, north_km: f64) -> Self {
        let km = east_km.hypot(north_km);
        if km == 0.0 {
            return self;
        }
        let (east, north) = self.axes();
        let (sin, cos) = (km / EARTH_KM).sin_cos();
        Self::unit(
            [0, 1, 2]
                .map(|axis| cos * self.0[axis] + sin * (east_km * east[axis] + north_km * north[axis]) / km),
        )
    }

    /// The point `km` away on a bearing in radians, clockwise from north.
    pub fn towards(self, bearing: f64, km: f64) -> Self {
        self.shifted(km * bearing.sin(), km * bearing.cos())
    }

    /// Kilometres east and north to another point: the inverse of [`Spot::shifted`].
    pub fn offset_to(self, other: Self) -> (f64, f64) {
        let (east, north) = self.axes();
        let (e, n) = (dot(east, other.0), dot(north, other.0));
        let length = e.hypot(n);
        if length == 0.0 {
            return (0.0, 0.0);
        }
        let km = self.km_to(other);
        (e / length * km, n / length * km)
    }

    /// The bearing to another point, in radians.
    pub fn bearing_to(self, other: Self) -> f64 {
        let (east, north) = self.offset_to(other);
        east.atan2(north)
    }

    /// The point on the other side of the earth.
    pub fn antipode(self) -> Self {
        Self(self.0.map(|axis| -axis))
    }

    /// In the middle of several points that are not far apart.
    pub fn mean(spots: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut sum = [0.0; 3];
        for spot in spots {
            sum = [0, 1, 2].map(|axis| sum[axis] + spot.0[axis]);
        }
        (dot(sum, sum) > 0.0).then(|| Self::unit(sum))
    }

    /// The cell of the grid that everybody knows.
    pub fn cell(self) -> CellIndex {
        LatLng::new(self.lat(), self.lon()).expect("a position").to_cell(Resolution::Six)
    }

    fn unit(vector: [f64; 3]) -> Self {
        let length = dot(vector, vector).sqrt();
        Self(vector.map(|axis| axis / length))
    }

    /// Unit vectors to the east and to the north.
    fn axes(self) -> ([f64; 3], [f64; 3]) {
        let [x, y, z] = self.0;
        let level = x.hypot(y);
        if level < 1e-12 {
            return ([0.0, 1.0, 0.0], [-z, 0.0, 0.0]);
        }
        ([-y / level, x / level, 0.0], [-z * x / level, -z * y / level, level])
    }
}

/// Where the server takes somebody in `cell` to be.
pub fn centre(cell: CellIndex) -> Spot {
    let centre = LatLng::from(cell);
    Spot::at(centre.lat(), centre.lng())
}

/// The middle of a cell's area: what to answer when no more than the cell is known.
pub fn centroid(cell: CellIndex) -> Spot {
    let centre = centre(cell);
    let corners: Vec<_> =
        cell.boundary().iter().map(|corner| centre.offset_to(Spot::at(corner.lat(), corner.lng()))).collect();
    let (mut area, mut east, mut north) = (0.0, 0.0, 0.0);
    for (at, &(x, y)) in corners.iter().enumerate() {
        let (next_x, next_y) = corners[(at + 1) % corners.len()];
        let cross = x * next_y - next_x * y;
        area += cross / 2.0;
        east += (x + next_x) * cross / 6.0;
        north += (y + next_y) * cross / 6.0;
    }
    centre.shifted(east / area, north / area)
}

/// The square of the chord, in radii, that spans `km`.
pub fn chord2_of(km: f64) -> f64 {
    (2.0 * (km / EARTH_KM / 2.0).sin()).powi(2)
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots() -> impl Iterator<Item = (Spot, fastrand::Rng)> {
        let mut rng = fastrand::Rng::with_seed(5);
        std::iter::repeat_with(move || {
            let spot = Spot::at(rng.f64() * 178.0 - 89.0, rng.f64() * 360.0 - 180.0);
            (spot, rng.fork())
        })
        .take(500)
    }

    #[test]
    fn degrees_come_back() {
        for (lat, lon) in [(0.0, 0.0), (44.8, 20.46), (-69.9, -179.9), (89.9, 12.0)] {
            let spot = Spot::at(lat, lon);
            assert!((spot.lat() - lat).abs() < 1e-9 && (spot.lon() - lon).abs() < 1e-9);
        }
    }

    #[test]
    fn a_shift_is_as_long_as_it_says_and_is_found_again() {
        for (spot, mut rng) in spots() {
            let (east, north) = (rng.f64() * 600.0 - 300.0, rng.f64() * 600.0 - 300.0);
            let there = spot.shifted(east, north);
            assert!((spot.km_to(there) - east.hypot(north)).abs() < 1e-6);
            let (e, n) = spot.offset_to(there);
            assert!((e - east).abs() < 1e-5 && (n - north).abs() < 1e-5, "{e} {east}, {n} {north}");
        }
    }

    #[test]
    fn distances_are_those_of_the_grid_library() {
        for (spot, mut rng) in spots() {
            let other = spot.towards(rng.f64() * 6.0, rng.f64() * 9000.0);
            let [a, b] = [spot, other].map(|spot| LatLng::new(spot.lat(), spot.lon()).unwrap());
            assert!((spot.km_to(other) - a.distance_km(b)).abs() < 1e-6);
            assert!(chord2_of(spot.km_to(other)) - spot.chord2(other) < 1e-12);
        }
    }

    #[test]
    fn a_centroid_is_in_its_cell_and_near_its_centre() {
        for (spot, _) in spots() {
            let cell = spot.cell();
            assert_eq!(centroid(cell).cell(), cell);
            assert!(centroid(cell).km_to(centre(cell)) < 0.5);
        }
    }
}
