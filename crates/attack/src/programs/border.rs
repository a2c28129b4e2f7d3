//! Country border. Everybody sees the target's country. If that is the country of the position,
//! and not of the cell's centre, a border through the cell cuts off a part of it. The attacker
//! finds out which it is with a place of its own.

use std::time::Duration;

use fastrand::Rng;
use h3o::CellIndex;
use tenfour_protocol::{Country, ServerMessage};

use super::{Doors, Kind, Program};
use crate::air::{Air, TARGET};
use crate::borders::country_at;
use crate::geo::{Spot, centroid};
use crate::hunt::{Clue, hunt};
use crate::oracle::{Listening, receiving};

/// Spots that stand for the area of a cell.
const SAMPLES: usize = 400;
/// How far around a centroid they are looked for: no cell is larger.
const CELL_KM: f64 = 6.0;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "country border",
    idea: "cut the cell along the border that runs through it, on the side of the target's country",
    sees: "whether a voice comes, and the country in the list of participants",
    kind: Kind::Border,
    doors: Doors { country: true, ..Doors::DISTANCE },
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut rng = clue.rng();
    let found = hunt(air, &mut Listening, clue);
    let cell = found.cell();
    let middle = found.km_to(centroid(cell)) < 0.001;
    let spots = if middle { spots_in(cell, &mut rng) } else { Vec::new() };
    let told = country_of_target(air, found);
    let is_told = |spot: &&Spot| country_at(**spot) == told;
    // A place of one's own, in another country than the centre of its cell.
    let centre = country_at(crate::geo::centre(cell));
    let beyond = spots.iter().copied().find(|spot| country_at(*spot) != centre);
    let leaks = beyond.is_some_and(|spot| own_country(air, spot) == country_at(spot));
    let cut = Spot::mean(spots.iter().filter(is_told).copied()).filter(|_| leaks);
    vec![(Duration::ZERO, cut.unwrap_or(found))]
}

fn spots_in(cell: CellIndex, rng: &mut Rng) -> Vec<Spot> {
    let middle = centroid(cell);
    let anywhere = || middle.towards(rng.f64() * std::f64::consts::TAU, CELL_KM * rng.f64().sqrt());
    std::iter::repeat_with(anywhere)
        .take(SAMPLES * 8)
        .filter(|spot| spot.cell() == cell)
        .take(SAMPLES)
        .collect()
}

fn country_of_target(air: &mut dyn Air, at: Spot) -> Option<Country> {
    let agent = air.join(at, receiving(tenfour_protocol::Range::Unlimited));
    let heard = air.heard(agent);
    air.leave(agent);
    heard.iter().find_map(|heard| match &heard.message {
        ServerMessage::Tuned { participants, .. } => {
            let target = participants.iter().find(|other| other.person.handle.as_str() == TARGET)?;
            target.person.country
        }
        _ => None,
    })
}

fn own_country(air: &mut dyn Air, at: Spot) -> Option<Country> {
    let agent = air.join(at, receiving(tenfour_protocol::Range::Unlimited));
    let heard = air.heard(agent);
    air.leave(agent);
    heard.iter().find_map(|heard| match heard.message {
        ServerMessage::Located { country, .. } => country,
        _ => None,
    })
}
