//! Arrival timing. Two listeners on opposite sides of a place get the same burst: a server that
//! serves the nearest first says on which side of the line between them the talker is. Lines
//! that halve what is left lead to the talker.

use std::time::Duration;

use tenfour_protocol::Range;

use super::{Doors, Kind, Program};
use crate::air::{Act, Air, Heard};
use crate::constraint::Constraint;
use crate::geo::Spot;
use crate::hunt::{Clue, POINT_KM, RUMOUR_KM, hunt};
use crate::oracle::{Listening, receiving};
use crate::patch::Patch;

/// How far the two listeners are from the line.
const ARM_KM: f64 = 300.0;
const QUESTIONS: usize = 80;
/// Lines that are drawn just beside a place to put it to the test, and how far beside.
const TESTS: usize = 16;
const TEST_KM: f64 = 0.012;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "arrival timing",
    idea: "see which of two listeners is served first, and halve along the line between; listen if it is chance",
    sees: "order and time of delivery among listeners",
    kind: Kind::Still,
    doors: Doors { order: true, ..Doors::SHUT },
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut patch = Patch::around(clue.rumour, RUMOUR_KM, clue.rng());
    for _ in 0..QUESTIONS {
        if patch.is_gone() || patch.size() < POINT_KM {
            break;
        }
        let (middle, axis) = (patch.middle(), patch.axis());
        let constraint = race(air, middle.towards(axis, ARM_KM), middle.towards(axis, -ARM_KM));
        patch.learn(constraint);
    }
    if !patch.is_gone() && holds(air, patch.middle()) {
        return vec![(Duration::ZERO, patch.middle())];
    }
    vec![(Duration::ZERO, hunt(air, &mut Listening, clue))]
}

/// Who of two hears the target's next burst first.
fn race(air: &mut dyn Air, one: Spot, other: Spot) -> Constraint {
    air.target(Act::Hush);
    // Who came first must not matter.
    let agents = [one, other].map(|at| air.join(at, receiving(Range::Unlimited)));
    air.target(Act::Talk);
    let [first, second] = agents.map(|agent| arrival(&air.heard(agent)));
    agents.into_iter().for_each(|agent| air.leave(agent));
    let (near, far) = if first <= second { (one, other) } else { (other, one) };
    Constraint::Nearer { near, far }
}

/// When the last burst came, by the clock and then by order.
fn arrival(heard: &[Heard]) -> Option<(tenfour_core::Time, u64)> {
    let started =
        |heard: &&Heard| matches!(heard.message, tenfour_protocol::ServerMessage::BurstStarted { .. });
    heard.iter().rev().find(started).map(|heard| (heard.at, heard.order))
}

fn holds(air: &mut dyn Air, spot: Spot) -> bool {
    (0..TESTS).all(|test| {
        let bearing = std::f64::consts::TAU * test as f64 / TESTS as f64;
        let beside = spot.towards(bearing, TEST_KM);
        race(air, beside.towards(bearing, ARM_KM), beside.towards(bearing, -ARM_KM)).allows(spot)
    })
}
