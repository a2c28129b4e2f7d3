//! Many Sybils. Rows of listeners come on the air before the target talks once; where a row falls
//! silent is a border. Each round stands closer around the place that the one before found.

use std::time::Duration;

use tenfour_protocol::Range;

use super::{Doors, Kind, Program};
use crate::air::{Act, Air};
use crate::constraint::{Band, Constraint};
use crate::fit::fit;
use crate::geo::Spot;
use crate::hunt::{Clue, RUMOUR_KM, km, settle};
use crate::oracle::{Listening, begun, receiving};

const RING: Range = Range::Km100;
/// Rows around the place, one for each bearing.
const ROWS: usize = 4;
/// Listeners in a row.
const IN_A_ROW: usize = 12;
/// How much closer each round is: less than a row can tell, since rows see bent borders.
const CLOSER: f64 = 5.0;
/// A round within this is the last.
const DONE_KM: f64 = 0.002;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "many Sybils",
    idea: "48 listeners at once in four rows across the border, closer around each round",
    sees: "which of them hear one and the same burst",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let (mut guess, mut around) = (clue.rumour, RUMOUR_KM);
    let mut constraints = Vec::new();
    while around > DONE_KM {
        air.target(Act::Hush);
        let places = rows(guess, around);
        let sybils: Vec<_> = places.iter().map(|row| row.map(|at| air.join(at, receiving(RING)))).collect();
        air.target(Act::Talk);
        let mut borders = Vec::new();
        for (row, agents) in places.iter().zip(&sybils) {
            let heard = agents.map(|agent| begun(&air.heard(agent)).is_some());
            constraints.extend(
                row.iter().zip(heard).map(|(&at, heard)| Constraint::ring(at, Band::of_range(RING, heard))),
            );
            let first_out = heard.iter().position(|heard| !heard).unwrap_or(IN_A_ROW);
            borders.extend(border(row, first_out).map(|at| (at, km(RING))));
        }
        sybils.into_iter().flatten().for_each(|agent| air.leave(agent));
        guess = fit(&borders, guess);
        around /= CLOSER;
    }
    vec![(Duration::ZERO, settle(air, &mut Listening, clue, guess, &constraints, &mut clue.rng()))]
}

/// Rows that stand across the border of a target near `guess`, from inside to outside.
fn rows(guess: Spot, around: f64) -> [[Spot; IN_A_ROW]; ROWS] {
    std::array::from_fn(|row| {
        let bearing = std::f64::consts::TAU * row as f64 / ROWS as f64;
        std::array::from_fn(|place| {
            let share = (place as f64 + 0.5) / IN_A_ROW as f64 * 2.0 - 1.0;
            guess.towards(bearing, (km(RING) + around * share * 1.1).max(0.0))
        })
    })
}

/// Between the last who hears and the first who does not.
fn border(row: &[Spot; IN_A_ROW], first_out: usize) -> Option<Spot> {
    Spot::mean([*row.get(first_out.checked_sub(1)?)?, *row.get(first_out)?])
}
