//! Reconnect as a free move. The target's link drops each few minutes, and each new connection
//! sends a first cell, which takes effect at once. The attacker moves in the same way: it drops
//! its link and sends another cell, with one key for a dozen places.

use std::time::Duration;

use tenfour_protocol::Range;
use tenfour_protocol::limits::FIRST_CELLS_PER_HOUR;

use super::follow::follow;
use super::{Doors, Kind, Program};
use crate::air::{Act, Agent, Air};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::Clue;
use crate::oracle::{Oracle, begun, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "reconnect as a free move",
    idea: "the same with somebody whose link drops each 100 s, and moving by reconnecting oneself",
    sees: "whether a voice comes, also just after each drop",
    kind: Kind::Dropping,
    doors: Doors { moves: true, ..Doors::DISTANCE },
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    follow(air, &mut Reconnecting::default(), clue)
}

/// A key that moves by new connections, until it is told that it moved too often.
#[derive(Default)]
struct Reconnecting {
    agent: Option<Agent>,
    moved: usize,
}

impl Oracle for Reconnecting {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.target(Act::Talk);
        let agent = match self.agent.take().filter(|_| self.moved < FIRST_CELLS_PER_HOUR) {
            Some(agent) => {
                air.reopen(agent);
                air.enter(agent, Some(at), receiving(ring), None);
                agent
            }
            None => {
                self.moved = 0;
                air.join(at, receiving(ring))
            }
        };
        self.moved += 1;
        let band = Band::of_range(ring, begun(&air.heard(agent)).is_some());
        if self.moved >= FIRST_CELLS_PER_HOUR {
            air.leave(agent);
        } else {
            self.agent = Some(agent);
        }
        band
    }
}
