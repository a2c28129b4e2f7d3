//! Averaging over sessions. What is noise, or a grid drawn anew for each session, averages out:
//! the hunt is repeated with each of the target's sessions, and the answers are averaged.

use std::time::Duration;

use super::{Doors, Kind, Program};
use crate::air::{Act, Air};
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::Listening;

const SESSIONS: u64 = 8;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "averaging over sessions",
    idea: "find the target anew in each of eight sessions, and average",
    sees: "whether a voice comes, session after session",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut found = Vec::new();
    for session in 0..SESSIONS {
        let clue = Clue { seed: clue.seed ^ (session << 32), ..clue.clone() };
        found.push(hunt(air, &mut Listening, &clue));
        air.target(Act::Renew);
    }
    vec![(Duration::ZERO, Spot::mean(found).unwrap_or(clue.rumour))]
}
