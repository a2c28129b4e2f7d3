//! Participant-list diff. A careless server names those in range only: then the list of
//! participants finds somebody who never says a word.

use std::time::Duration;

use tenfour_protocol::{Range, ServerMessage};

use super::side_door::SideDoor;
use super::{Doors, Kind, Program};
use crate::air::{Air, TARGET};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "participant-list diff",
    idea: "compare the list of participants as seen from many places; listen if it is the same",
    sees: "who is listed in `tuned`, who is not",
    kind: Kind::Still,
    doors: Doors { list: true, ..Doors::DISTANCE },
    sockets: true,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut SideDoor::new(List, clue.rumour), clue))]
}

struct List;

impl Oracle for List {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        let agent = air.join(at, receiving(ring));
        let heard = air.heard(agent);
        air.leave(agent);
        let listed = heard.iter().any(|heard| match &heard.message {
            ServerMessage::Tuned { participants, .. } => {
                participants.iter().any(|other| other.person.handle.as_str() == TARGET)
            }
            _ => false,
        });
        Band::of_range(ring, listed)
    }
}
