//! Resume as an oracle. A session that was dropped is resumed from elsewhere, and asks for the
//! burst again as if it had missed it: the server judges the burst by the new place.

use std::time::Duration;

use tenfour_protocol::limits::FIRST_CELLS_PER_HOUR;
use tenfour_protocol::{Range, ServerMessage};

use super::{Doors, Kind, Program};
use crate::air::{Act, Agent, Air, Heard};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, begun, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "resume as an oracle",
    idea: "drop the link and resume from elsewhere, so that the same burst is judged again and again",
    sees: "whether a missed burst is sent again",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: true,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut Resuming::default(), clue))]
}

/// A session that is resumed until its key may not move any more.
#[derive(Default)]
struct Resuming {
    session: Option<(Agent, String)>,
    moved: usize,
}

impl Oracle for Resuming {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.target(Act::Talk);
        let agent = match self.session.take().filter(|_| self.moved < FIRST_CELLS_PER_HOUR) {
            Some((agent, token)) => {
                self.moved += 1;
                air.resume(agent, token, at, receiving(ring), None);
                agent
            }
            None => {
                self.moved = 1;
                air.join(at, receiving(ring))
            }
        };
        let news = air.heard(agent);
        self.session = token(&news).map(|token| (agent, token));
        Band::of_range(ring, begun(&news).is_some())
    }
}

fn token(heard: &[Heard]) -> Option<String> {
    heard.iter().rev().find_map(|heard| match &heard.message {
        ServerMessage::Welcome { resume, .. } => Some(resume.clone()),
        _ => None,
    })
}
