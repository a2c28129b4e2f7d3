//! What most programs share: closing in on a position, testing it, and if it fails, asking which cell of the grid the
//! target is in.

use fastrand::Rng;
use tenfour_protocol::Range;

use crate::air::Air;
use crate::cells::Cells;
use crate::constraint::Constraint;
use crate::geo::Spot;
use crate::oracle::Oracle;
use crate::patch::Patch;

/// What an attacker knows to begin with: somebody said where the target is, roughly.
#[derive(Debug, Clone)]
pub struct Clue {
    /// A place within [`RUMOUR_KM`] of it.
    pub rumour: Spot,
    /// How much the target's way turns, if it drives: see [`crate::path`].
    pub turn: f64,
    /// Seed of the attacker's chance.
    pub seed: u64,
}

impl Clue {
    /// Chance.
    pub fn rng(&self) -> Rng {
        Rng::with_seed(self.seed)
    }
}

/// How far a rumour is off.
pub const RUMOUR_KM: f64 = 100.0;
/// A patch of this size is a point.
pub const POINT_KM: f64 = 0.001;
/// Most questions of one closing in.
const QUESTIONS: usize = 90;
/// How far inside and outside of a border a position is tested.
const TEST_KM: f64 = 0.012;
/// Directions in which it is tested.
const TESTS: usize = 8;
/// Directions from which a cell is tested.
const CELL_TESTS: usize = 5;
/// Most questions to find a cell.
const CELL_QUESTIONS: usize = 60;

/// Asks until the patch is a point, or gone. Each question's border runs through its middle,
/// across its longest axis.
pub fn close_in(air: &mut dyn Air, oracle: &mut dyn Oracle, patch: &mut Patch) {
    for _ in 0..QUESTIONS {
        let size = patch.size();
        if patch.is_gone() || size < POINT_KM {
            return;
        }
        let ring = ring_for(oracle.rings(), size);
        let constraint = oracle.learn(air, across(patch, ring), ring);
        patch.learn(constraint);
    }
}

/// A place from which the border of `ring` runs through the middle of the patch.
pub fn across(patch: &mut Patch, ring: Range) -> Spot {
    let turn = (patch.rng().f64() - 0.5) * 0.4;
    let opposite = if patch.rng().bool() { std::f64::consts::PI } else { 0.0 };
    patch.middle().towards(patch.axis() + turn + opposite, km(ring))
}

/// The smallest step whose border is about straight in a patch of that size.
fn ring_for(rings: &[Range], size: f64) -> Range {
    let fits = rings.iter().copied().filter(|ring| km(*ring) >= 1.5 * size).min();
    fits.unwrap_or_else(|| rings.iter().copied().max().expect("it can ask something"))
}

/// Closes in, and gives the point if it passes the test.
pub fn pin_down(
    air: &mut dyn Air,
    oracle: &mut dyn Oracle,
    patch: &mut Patch,
    rng: &mut Rng,
) -> Option<Spot> {
    close_in(air, oracle, patch);
    let point = Some(patch.middle()).filter(|_| !patch.is_gone() && patch.size() < 2.0 * POINT_KM);
    point.filter(|point| holds(air, oracle, *point, rng))
}

/// Whether the server answers as if the target were at `spot`, to some metres: borders of the
/// smallest step are put just inside and just outside of it.
pub fn holds(air: &mut dyn Air, oracle: &mut dyn Oracle, spot: Spot, rng: &mut Rng) -> bool {
    let ring = oracle.rings().iter().copied().min().expect("it can ask something");
    let turn = rng.f64();
    (0..TESTS).all(|test| {
        let bearing = std::f64::consts::TAU * (test as f64 + turn) / TESTS as f64;
        let mut fits = |off: f64| oracle.learn(air, spot.towards(bearing, km(ring) + off), ring).allows(spot);
        fits(-TEST_KM) && fits(TEST_KM)
    })
}

/// Asks until one cell is left, or no question can split those that are.
pub fn which_cell(air: &mut dyn Air, oracle: &mut dyn Oracle, cells: &mut Cells, rng: &mut Rng) {
    for _ in 0..CELL_QUESTIONS {
        let Some((at, ring)) = cells.question(oracle.rings(), rng) else { return };
        let constraint = oracle.learn(air, at, ring);
        cells.learn(&constraint);
    }
}

/// The best answer if everybody is snapped to the grid, after `constraints` that led to `guess`.
pub fn on_the_grid(
    air: &mut dyn Air,
    oracle: &mut dyn Oracle,
    clue: &Clue,
    guess: Spot,
    constraints: &[Constraint],
    rng: &mut Rng,
) -> Option<Cells> {
    for (middle, km) in [(guess, 12.0), (clue.rumour, RUMOUR_KM + 10.0)] {
        let mut cells = Cells::around(middle, km, constraints);
        which_cell(air, oracle, &mut cells, rng);
        if cells.count() > 0 && fits(air, oracle, &cells, rng) {
            return Some(cells);
        }
    }
    None
}

/// Whether the cell that is left is the right one: the target may be elsewhere than in any of the cells that were asked
/// about. Answers from its middle and from around it must be as foreseen.
pub fn fits(air: &mut dyn Air, oracle: &mut dyn Oracle, cells: &Cells, rng: &mut Rng) -> bool {
    let ring = oracle.rings().iter().copied().min().expect("it can ask something");
    let Some(middle) = cells.middle() else { return false };
    let turn = rng.f64();
    let around = (0..CELL_TESTS).map(|test| {
        let bearing = std::f64::consts::TAU * (test as f64 + turn) / CELL_TESTS as f64;
        middle.towards(bearing, km(ring))
    });
    std::iter::once(middle).chain(around).all(|at| {
        let constraint = oracle.learn(air, at, ring).snapped();
        cells.left().any(|cell| constraint.allows(crate::geo::centre(cell)))
    })
}

/// The whole hunt with one oracle: a position if one holds, else the middle of the cell.
pub fn hunt(air: &mut dyn Air, oracle: &mut dyn Oracle, clue: &Clue) -> Spot {
    let mut rng = clue.rng();
    let mut patch = Patch::around(clue.rumour, RUMOUR_KM, rng.fork());
    if let Some(point) = pin_down(air, oracle, &mut patch, &mut rng) {
        return point;
    }
    let guess = patch.middle();
    let cells = on_the_grid(air, oracle, clue, guess, patch.constraints(), &mut rng);
    cells.and_then(|cells| cells.middle()).unwrap_or(guess)
}

/// The end of a hunt: `guess` if that holds, else the middle of the cell that `constraints` and
/// more questions lead to.
pub fn settle(
    air: &mut dyn Air,
    oracle: &mut dyn Oracle,
    clue: &Clue,
    guess: Spot,
    constraints: &[Constraint],
    rng: &mut Rng,
) -> Spot {
    if holds(air, oracle, guess, rng) {
        return guess;
    }
    let cells = on_the_grid(air, oracle, clue, guess, constraints, rng);
    cells.and_then(|cells| cells.middle()).unwrap_or(guess)
}

/// A step in kilometres.
pub fn km(range: Range) -> f64 {
    range.km().map_or(20_000.0, f64::from)
}
