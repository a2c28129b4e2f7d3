//! Edge walk. One comes within the shortest range, goes out until the voice is lost, and then
//! walks along that border as along a wall, one hand on it. Every few steps the border is found
//! to the metre; it is a circle around the target.

use std::f64::consts::{PI, TAU};
use std::time::Duration;

use tenfour_protocol::Range;

use super::{Doors, Kind, Program};
use crate::air::Air;
use crate::constraint::Constraint;
use crate::fit::fit;
use crate::geo::Spot;
use crate::hunt::{Clue, RUMOUR_KM, across, km, settle};
use crate::oracle::{Listening, Oracle};
use crate::patch::Patch;

const RING: Range = Range::Km10;
/// Length of a step.
const STEP_KM: f64 = 2.0;
/// Steps: once around, with the detours.
const STEPS: usize = 60;
/// Each such step is where the border is found to the metre.
const STATION: usize = 5;
/// Halvings of a step at a station.
const HALVINGS: usize = 12;
/// Closing in is over when this is left.
const NEAR_KM: f64 = 4.0;
const QUESTIONS: usize = 40;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "edge walk",
    idea: "walk around the target along the border of 10 km, and find the middle of the walk",
    sees: "whether a voice comes, at each step of the walk",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

struct Walk<'a> {
    air: &'a mut dyn Air,
    constraints: Vec<Constraint>,
}

impl Walk<'_> {
    /// Whether the voice comes at a spot.
    fn hears(&mut self, at: Spot) -> bool {
        let constraint = Listening.learn(self.air, at, RING);
        self.constraints.push(constraint);
        matches!(constraint, Constraint::Ring { band, .. } if band.upto.is_finite())
    }

    /// The border between a spot inside and one outside.
    fn border(&mut self, inside: Spot, outside: Spot) -> Spot {
        let (mut inside, mut outside) = (inside, outside);
        for _ in 0..HALVINGS {
            let Some(middle) = Spot::mean([inside, outside]) else { break };
            *if self.hears(middle) { &mut inside } else { &mut outside } = middle;
        }
        Spot::mean([inside, outside]).unwrap_or(inside)
    }
}

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut rng = clue.rng();
    let mut patch = Patch::around(clue.rumour, RUMOUR_KM, rng.fork());
    for _ in 0..QUESTIONS {
        if patch.is_gone() || patch.size() < NEAR_KM {
            break;
        }
        let at = across(&mut patch, Range::Km250);
        patch.learn(Listening.learn(air, at, Range::Km250));
    }
    let start = patch.middle();
    let mut walk = Walk { air, constraints: patch.constraints().to_vec() };
    let stations = go_around(&mut walk, start, rng.f64() * TAU);
    let borders: Vec<_> = stations.into_iter().map(|station| (station, km(RING))).collect();
    let guess = fit(&borders, start);
    let Walk { air, constraints } = walk;
    vec![(Duration::ZERO, settle(air, &mut Listening, clue, guess, &constraints, &mut rng))]
}

/// Goes out on a bearing and then around, the inside to the left. Returns points of the border.
fn go_around(walk: &mut Walk<'_>, start: Spot, out: f64) -> Vec<Spot> {
    let mut inside = start;
    let Some(mut outside) = (1..40).map(|step| start.towards(out, STEP_KM * f64::from(step))).find(|&at| {
        let hears = walk.hears(at);
        if hears {
            inside = at;
        }
        !hears
    }) else {
        return Vec::new();
    };
    let mut stations = vec![walk.border(inside, outside)];
    for step in 1..=STEPS {
        // The third corner of a triangle over the last two spots, ahead.
        let side = inside.km_to(outside).clamp(STEP_KM / 2.0, STEP_KM);
        let ahead = inside.towards(inside.bearing_to(outside) - PI / 3.0, side);
        *if walk.hears(ahead) { &mut inside } else { &mut outside } = ahead;
        if step.is_multiple_of(STATION) {
            stations.push(walk.border(inside, outside));
        }
    }
    stations
}
