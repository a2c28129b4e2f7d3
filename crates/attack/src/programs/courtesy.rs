//! Courtesy. A talker is told when somebody whom they would hear wants to talk: an invented talker who is on the air
//! when the target presses is told of it, or is not. That ends at the cell, as listening does.

use std::time::Duration;

use tenfour_protocol::{Range, Ranges, ServerMessage};

use super::floor::press;
use super::side_door::SideDoor;
use super::{Doors, Kind, Program};
use crate::air::{Act, Air};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "courtesy",
    idea: "talk in many places, one after the other, until the target presses",
    sees: "`burst.others_wait`, or nothing",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut SideDoor::new(Waiting, clue.rumour), clue))]
}

struct Waiting;

impl Oracle for Waiting {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.target(Act::Hush);
        let agent = air.join(at, Ranges { tx: Range::Km10, ..receiving(ring) });
        press(air, agent);
        air.target(Act::Talk);
        let heard = air.heard(agent);
        air.leave(agent);
        let told = heard.iter().any(|heard| matches!(heard.message, ServerMessage::OthersWait { .. }));
        Band::of_range(ring, told)
    }
}
