//! Where a pair of worlds plays: the victim's cells lie on borders of countries, and the observers where a step of
//! range or of the S-meter runs through the victim's cell, so that a leak would show.

use std::f64::consts::TAU;
use std::time::Duration;

use fastrand::Rng;
use h3o::{CellIndex, Resolution};
use tenfour_protocol::{Range, Ranges};

use crate::place::{Position, Region};

/// Towns of neighbouring countries: a border or a coast lies between any two.
const NEIGHBOURS: [&[(f64, f64)]; 6] = [
    &[(44.8, 20.5), (45.8, 16.0), (47.5, 19.0), (44.4, 26.1), (42.7, 23.3), (42.0, 21.4), (43.9, 18.4)],
    &[(50.8, 4.4), (52.4, 4.9), (50.9, 6.9), (49.6, 6.1), (48.6, 7.8), (47.6, 7.6), (47.1, 9.5)],
    &[(-34.6, -58.4), (-34.9, -56.2), (-25.3, -57.6), (-30.0, -51.2), (-19.0, -65.3)],
    &[(13.8, 100.5), (18.0, 102.6), (11.6, 104.9), (16.8, 96.2), (10.8, 106.7)],
    &[(-1.3, 36.8), (0.3, 32.6), (-6.2, 35.7), (-1.9, 30.1), (-3.4, 29.4)],
    &[(42.3, -83.0), (43.7, -79.4), (32.5, -117.0), (34.1, -118.2), (49.3, -123.1)],
];
/// How far an observer is from where a step runs through the centre of the victim's cell, at most.
const NEAR_KM: f64 = 3.0;
/// Steps of range that are steps of the S-meter too.
const STEPS: [Range; 5] = [Range::Km10, Range::Km25, Range::Km50, Range::Km100, Range::Km250];

/// What both worlds of a pair have in common.
pub(super) struct Scene {
    /// Where the victim goes, one after the other.
    pub(super) cells: [CellIndex; 2],
    /// Places that observers invent.
    pub(super) invented: Vec<Position>,
    /// The step that most of them are near to.
    pub(super) step: Range,
    /// Time to the boundary.
    pub(super) boundary: Duration,
    /// From when to when something is done.
    pub(super) busy: Vec<(Duration, Duration)>,
}

impl Scene {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let home = home(rng);
        let centre = Position::centre(home);
        let step = STEPS[rng.usize(0..STEPS.len())];
        let away = centre.towards(rng.f64() * TAU, 4.0 + 20.0 * rng.f64());
        let cells = [home, away.cell()];
        let invented = (0..12).map(|at| near(Position::centre(cells[at % 4 / 3]), step, rng)).collect();
        let (boundary, busy) = times(rng);
        Self { cells, invented, step, boundary, busy }
    }

    /// Ranges that are near the distances of this scene.
    pub(super) fn any_ranges(&self, rng: &mut Rng) -> Ranges {
        let mut any = || match rng.u8(0..8) {
            0..3 => self.step,
            3 => Range::ALL[rng.usize(0..Range::ALL.len())],
            _ => Range::Unlimited,
        };
        Ranges { tx: any(), rx: any() }
    }

    pub(super) fn any_invented(&self, rng: &mut Rng) -> Position {
        self.invented[rng.usize(0..self.invented.len())]
    }
}

/// A time to the boundary, and times in which people do things before, around or after it.
fn times(rng: &mut Rng) -> (Duration, Vec<(Duration, Duration)>) {
    let ms = Duration::from_millis;
    match rng.u8(0..4) {
        0 => (ms(rng.u64(11_000..12_500)), vec![(ms(0), ms(2_000)), (ms(10_600), ms(13_000))]),
        1 | 2 => (ms(rng.u64(500..3_000)), vec![(ms(0), ms(3_000))]),
        _ => (ms(rng.u64(60_000..900_000)), vec![(ms(0), ms(3_000))]),
    }
}

/// At a distance at which the victim's cell has points on both sides of a step.
fn near(centre: Position, step: Range, rng: &mut Rng) -> Position {
    let step = if rng.u8(0..4) > 0 { step } else { STEPS[rng.usize(0..STEPS.len())] };
    let km = f64::from(step.km().expect("a limited one")) + NEAR_KM * (2.0 * rng.f64() - 1.0);
    Position::centre(centre.towards(rng.f64() * TAU, km).cell())
}

fn home(rng: &mut Rng) -> CellIndex {
    match rng.u8(0..8) {
        0..5 => at_a_border(rng).cell(),
        5 | 6 => Region::any(rng).anywhere(rng).cell(),
        _ => {
            let pentagons: Vec<_> = CellIndex::base_cells().filter(|cell| cell.is_pentagon()).collect();
            let pentagon = pentagons[rng.usize(0..pentagons.len())];
            pentagon.center_child(Resolution::Six).expect("a finer one")
        }
    }
}

/// A point on a border, or at a coast, to some metres.
fn at_a_border(rng: &mut Rng) -> Position {
    let towns = NEIGHBOURS[rng.usize(0..NEIGHBOURS.len())];
    let mut any = || {
        let (lat, lon) = towns[rng.usize(0..towns.len())];
        Position::new(lat, lon).towards(rng.f64() * TAU, 80.0 * rng.f64())
    };
    let (mut here, mut there) = (any(), any());
    let (mine, theirs) = (here.country(), there.country());
    if mine == theirs {
        return here;
    }
    while here.km(there) > 0.1 {
        let middle = here.midway(there);
        if middle.country() == mine {
            here = middle;
        } else {
            there = middle;
        }
    }
    here
}
