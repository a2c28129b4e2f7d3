//! Intersection over ranges. One listener turns its receive range through all seven steps while
//! the target talks: the burst ends where the target is out of range and begins again where it is
//! not. So each place gives a ring, and few rings have a point in common.

use std::time::Duration;

use tenfour_protocol::{ClientMessage, Range};

use super::{Doors, Kind, Program};
use crate::air::{Act, Air};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, STEPS, begun, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "intersection over ranges",
    idea: "turn the receive range through all seven steps at each place, and intersect the rings",
    sees: "a burst that goes out of range and comes back during one press",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut AllSteps, clue))]
}

struct AllSteps;

impl Oracle for AllSteps {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, _: Range) -> Band {
        air.target(Act::Talk);
        let agent = air.join(at, receiving(Range::Unlimited));
        let mut news = air.heard(agent);
        let mut band = Band::ANYWHERE;
        for step in STEPS.into_iter().rev() {
            air.say(agent, ClientMessage::Range { tx: Range::Unlimited, rx: step });
            news.extend(air.heard(agent));
            band = band.and(Band::of_range(step, begun(&news).is_some()));
        }
        air.leave(agent);
        band
    }
}
