//! Cells where the target may be, if everybody is snapped to the grid, and the questions that tell them apart.

use fastrand::Rng;
use h3o::CellIndex;
use tenfour_protocol::Range;

use crate::constraint::Constraint;
use crate::geo::{EARTH_KM, Spot, centre, centroid, chord2_of};

/// Kilometres between the centres of neighbours, at the least.
const SPACING_KM: f64 = 4.6;
/// Questions that are weighed for the next one.
const PROPOSALS: usize = 24;

/// The cells that all answers allow.
pub struct Cells {
    cells: Vec<(CellIndex, Spot)>,
}

impl Cells {
    /// All cells around a spot that `constraints` allow, each as a server means it that snaps to the grid.
    pub fn around(spot: Spot, km: f64, constraints: &[Constraint]) -> Self {
        let steps = (km / SPACING_KM).ceil() as u32 + 1;
        let all = spot.cell().grid_disk::<Vec<_>>(steps);
        let constraints: Vec<_> = constraints.iter().map(Constraint::snapped).collect();
        let mut cells: Vec<_> = all.into_iter().map(|cell| (cell, centre(cell))).collect();
        cells.retain(|(_, centre)| constraints.iter().all(|constraint| constraint.allows(*centre)));
        Self { cells }
    }

    /// Takes in an answer.
    pub fn learn(&mut self, constraint: &Constraint) {
        let constraint = constraint.snapped();
        self.cells.retain(|(_, centre)| constraint.allows(*centre));
    }

    /// How many are left.
    pub fn count(&self) -> usize {
        self.cells.len()
    }

    /// Those that are left.
    pub fn left(&self) -> impl Iterator<Item = CellIndex> + '_ {
        self.cells.iter().map(|(cell, _)| *cell)
    }

    /// The best answer: the middle of the area that is left.
    pub fn middle(&self) -> Option<Spot> {
        Spot::mean(self.cells.iter().map(|(cell, _)| centroid(*cell)))
    }

    /// A question with one of `rings` that splits what is left, as evenly as some tries can find.
    pub fn question(&self, rings: &[Range], rng: &mut Rng) -> Option<(Spot, Range)> {
        if self.cells.len() < 2 {
            return None;
        }
        let split = |&(at, range): &(Spot, Range)| {
            let (at, chord2) = (centre(at.cell()), chord2_of(range.km().map_or(20_000.0, f64::from)));
            let inside = self.cells.iter().filter(|(_, centre)| at.chord2(*centre) <= chord2).count();
            inside.min(self.cells.len() - inside)
        };
        let proposals: Vec<_> = (0..PROPOSALS).map(|_| self.proposal(rings, rng)).collect();
        proposals.into_iter().max_by_key(split).filter(|best| split(best) > 0)
    }

    /// A ring whose border runs between two of the cells.
    fn proposal(&self, rings: &[Range], rng: &mut Rng) -> (Spot, Range) {
        let (one, other) = (rng.usize(..self.cells.len()), rng.usize(..self.cells.len()));
        let (one, other) = (self.cells[one].1, self.cells[other].1);
        let range = rings[rng.usize(..rings.len())];
        let km = range.km().map_or(EARTH_KM, f64::from) - one.km_to(other) / 2.0;
        let bearing = if one == other { 0.0 } else { other.bearing_to(one) } + (rng.f64() - 0.5);
        (one.towards(bearing, km.max(0.0)), range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constraint::Band;

    #[test]
    fn cells_are_told_apart_by_yes_and_no() {
        let mut rng = Rng::with_seed(2);
        let rings = [Range::Km10, Range::Km25, Range::Km100];
        for _ in 0..40 {
            let rumour = Spot::at(rng.f64() * 130.0 - 60.0, rng.f64() * 360.0);
            let truth = rumour.towards(rng.f64() * 6.3, rng.f64() * 100.0);
            let home = centre(truth.cell());
            let mut cells = Cells::around(rumour, 100.0, &[]);
            let mut questions = 0;
            while let Some((at, range)) = cells.question(&rings, &mut rng) {
                let within = centre(at.cell()).km_to(home) <= f64::from(range.km().unwrap());
                cells.learn(&Constraint::ring(at, Band::of_range(range, within)));
                questions += 1;
            }
            assert!(cells.left().any(|cell| cell == truth.cell()));
            assert!(cells.count() <= 2 && questions < 40, "{} after {questions}", cells.count());
        }
    }
}
