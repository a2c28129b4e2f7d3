//! Where the target may be, if distances are those of positions: a patch of the earth in tiles.
//! Each answer takes away the tiles that cannot hold it; those that are left become smaller ones.

use fastrand::Rng;

use crate::constraint::Constraint;
use crate::geo::Spot;

/// With fewer tiles than this, each becomes four.
const TILES: usize = 40;
/// Tiles along a side of the first square.
const ACROSS: usize = 12;
/// No tile is smaller, in kilometres.
const SMALLEST_KM: f64 = 1e-7;
/// Tiles are laid out flat, and made so much wider that they have no gaps on the sphere.
const BENT: f64 = 1.01;

/// All tiles that no answer rules out.
pub struct Patch {
    origin: Spot,
    constraints: Vec<Constraint>,
    tiles: Vec<Tile>,
    /// Half the side of a tile, in kilometres.
    half: f64,
    last: Spot,
    rng: Rng,
}

/// Kilometres east and north of the origin, and where that is.
#[derive(Clone, Copy)]
struct Tile {
    east: f64,
    north: f64,
    middle: Spot,
}

impl Patch {
    /// A square with everything within `km`.
    pub fn around(origin: Spot, km: f64, rng: Rng) -> Self {
        let half = km * BENT / ACROSS as f64;
        let along = |number: usize| (2 * number + 1) as f64 * half - km * BENT;
        let tiles = (0..ACROSS * ACROSS)
            .map(|number| Tile::at(origin, along(number % ACROSS), along(number / ACROSS)));
        Self { origin, constraints: Vec::new(), tiles: tiles.collect(), half, last: origin, rng }
    }

    /// Takes in an answer.
    pub fn learn(&mut self, constraint: Constraint) {
        self.last = self.middle();
        self.constraints.push(constraint);
        let reach = self.reach();
        self.tiles.retain(|tile| constraint.may_allow(tile.middle, reach));
        while !self.tiles.is_empty() && self.tiles.len() < TILES && self.half > SMALLEST_KM {
            self.divide();
        }
    }

    /// Whether no place fits all answers.
    pub fn is_gone(&self) -> bool {
        self.tiles.is_empty()
    }

    /// What was answered so far.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// The middle of what is left, or was.
    pub fn middle(&self) -> Spot {
        Spot::mean(self.tiles.iter().map(|tile| tile.middle)).unwrap_or(self.last)
    }

    /// The farthest tile from the middle, in kilometres.
    pub fn size(&self) -> f64 {
        let middle = self.middle();
        self.tiles.iter().map(|tile| middle.km_to(tile.middle)).fold(self.half, f64::max)
    }

    /// The bearing along which it is longest, in radians.
    pub fn axis(&self) -> f64 {
        let count = self.tiles.len() as f64;
        let mean = |of: fn(&Tile) -> f64| self.tiles.iter().map(of).sum::<f64>() / count;
        let (east, north) = (mean(|tile| tile.east), mean(|tile| tile.north));
        let (mut ee, mut en, mut nn) = (0.0, 0.0, 0.0);
        for tile in &self.tiles {
            let (east, north) = (tile.east - east, tile.north - north);
            ee += east * east;
            en += east * north;
            nn += north * north;
        }
        // In bearings of the origin, which is near.
        (2.0 * en).atan2(nn - ee) / 2.0
    }

    /// Chance.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    fn reach(&self) -> f64 {
        self.half * std::f64::consts::SQRT_2 * BENT
    }

    fn divide(&mut self) {
        let half = self.half / 2.0;
        self.half = half;
        let (origin, reach) = (self.origin, self.reach());
        let corners = [(-half, -half), (-half, half), (half, -half), (half, half)];
        let quarters = self.tiles.iter().flat_map(|tile| {
            corners.map(|(east, north)| Tile::at(origin, tile.east + east, tile.north + north))
        });
        let constraints = &self.constraints;
        let allowed =
            |tile: &Tile| constraints.iter().rev().all(|constraint| constraint.may_allow(tile.middle, reach));
        let left = quarters.filter(allowed).collect();
        self.tiles = left;
    }
}

impl Tile {
    fn at(origin: Spot, east: f64, north: f64) -> Self {
        Self { east, north, middle: origin.shifted(east, north) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Band;
    use tenfour_protocol::Range;

    #[test]
    fn a_patch_closes_in_on_a_point_by_yes_and_no() {
        let mut rng = Rng::with_seed(1);
        let mut far = 0.0_f64;
        for _ in 0..100 {
            let rumour = Spot::at(rng.f64() * 130.0 - 60.0, rng.f64() * 360.0);
            let truth = rumour.towards(rng.f64() * 6.3, rng.f64() * 100.0);
            let mut patch = Patch::around(rumour, 100.0, rng.fork());
            for _ in 0..80 {
                if patch.size() < 0.001 {
                    break;
                }
                let at = patch.middle().towards(patch.axis(), 250.0);
                patch.learn(Constraint::ring(at, Band::of_range(Range::Km250, at.km_to(truth) <= 250.0)));
            }
            far = far.max(patch.middle().km_to(truth));
        }
        assert!(far < 0.002, "{far} km");
    }

    #[test]
    fn what_cannot_be_leaves_nothing() {
        let rumour = Spot::at(10.0, 10.0);
        let mut patch = Patch::around(rumour, 100.0, Rng::with_seed(1));
        patch.learn(Constraint::ring(rumour, Band::of_range(Range::Km10, true)));
        patch.learn(Constraint::ring(rumour.towards(1.0, 61.0), Band::of_range(Range::Km50, true)));
        assert!(patch.is_gone());
    }
}
