//! Particle filter on a mover. Where somebody drives, and that they do so at some 50 km/h, says
//! more than each cell alone: of many invented drivers those are kept who were in the right cell
//! each time that the target said one.

use std::time::Duration;

use super::follow::follow;
use super::{Doors, Kind, Program};
use crate::air::Air;
use crate::geo::Spot;
use crate::hunt::Clue;
use crate::oracle::Listening;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "particle filter on a mover",
    idea: "find the target each minute for an hour; 1,200 invented drivers pass through the cells found",
    sees: "whether a voice comes, minute by minute",
    kind: Kind::Driving,
    doors: Doors { moves: true, ..Doors::DISTANCE },
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    follow(air, &mut Listening, clue)
}
