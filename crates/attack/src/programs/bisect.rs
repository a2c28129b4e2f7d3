//! Bisecting trilateration. Along each of six bearings there is a place from which the target is
//! just heard: halving finds it, to less than a metre. The target is as far from each of those
//! places as the step of range says, and six distances are a point.

use std::f64::consts::TAU;
use std::time::Duration;

use tenfour_protocol::Range;

use super::{Doors, Kind, Program};
use crate::air::Air;
use crate::constraint::Constraint;
use crate::fit::fit;
use crate::geo::Spot;
use crate::hunt::{Clue, RUMOUR_KM, km, settle};
use crate::oracle::{Listening, Oracle};

const RING: Range = Range::Km250;
const BEARINGS: usize = 6;
/// Halvings of the 240 km in which a border is: to half a metre.
const HALVINGS: usize = 19;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "bisecting trilateration",
    idea: "halve the way to the border of a step of range along six bearings, and solve for the point",
    sees: "whether a voice comes, with one receive range",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: true,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut rng = clue.rng();
    let (mut constraints, mut borders) = (Vec::new(), Vec::new());
    let turn = rng.f64();
    for bearing in 0..BEARINGS {
        let bearing = TAU * (bearing as f64 + turn) / BEARINGS as f64;
        let (mut inside, mut outside) = (km(RING) - RUMOUR_KM, km(RING) + RUMOUR_KM);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(inside, outside);
            let constraint = Listening.learn(air, clue.rumour.towards(bearing, middle), RING);
            let heard = matches!(constraint, Constraint::Ring { band, .. } if band.upto.is_finite());
            *if heard { &mut inside } else { &mut outside } = middle;
            constraints.push(constraint);
        }
        borders.push((clue.rumour.towards(bearing, f64::midpoint(inside, outside)), km(RING)));
    }
    let guess = fit(&borders, clue.rumour);
    vec![(Duration::ZERO, settle(air, &mut Listening, clue, guess, &constraints, &mut rng))]
}
