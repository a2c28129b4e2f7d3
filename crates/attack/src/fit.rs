//! The point that lies at given distances from given spots.

use crate::geo::Spot;

/// Steps of the approximation; each gains about as many digits as there are.
const STEPS: usize = 12;

/// The least squares, from a first guess. Distances are kilometres.
pub fn fit(measured: &[(Spot, f64)], guess: Spot) -> Spot {
    let mut point = guess;
    for _ in 0..STEPS {
        let (mut ee, mut en, mut nn, mut er, mut nr) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(spot, km) in measured {
            let (east, north) = point.offset_to(spot);
            let distance = east.hypot(north).max(1e-9);
            // Going away from the spot makes the distance longer.
            let (east, north, rest) = (-east / distance, -north / distance, km - distance);
            ee += east * east;
            en += east * north;
            nn += north * north;
            er += east * rest;
            nr += north * rest;
        }
        let determinant = ee * nn - en * en;
        if determinant.abs() < 1e-12 {
            return point;
        }
        point = point.shifted((er * nn - nr * en) / determinant, (nr * ee - er * en) / determinant);
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_distances_are_a_point() {
        let mut rng = fastrand::Rng::with_seed(4);
        for _ in 0..200 {
            let truth = Spot::at(rng.f64() * 130.0 - 60.0, rng.f64() * 360.0);
            let measured: Vec<_> = (0..3)
                .map(|number| {
                    let spot = truth.towards(f64::from(number) * 2.1 + rng.f64(), 20.0 + rng.f64() * 400.0);
                    (spot, spot.km_to(truth))
                })
                .collect();
            let guess = truth.towards(rng.f64() * 6.0, 15.0);
            assert!(fit(&measured, guess).km_to(truth) < 1e-6);
        }
    }
}
