//! S-meter only. Nobody has to be out of range: the grade of each burst says between which two
//! of five distances its talker is.

use std::time::Duration;

use tenfour_protocol::Range;

use super::{Doors, Kind, Program};
use crate::air::{Act, Air};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, begun, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "S-meter",
    idea: "intersect the rings that the grades of bursts say, with unlimited range",
    sees: "the grade of each burst",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: true,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut Meter, clue))]
}

struct Meter;

impl Oracle for Meter {
    fn rings(&self) -> &'static [Range] {
        &[Range::Km10, Range::Km25, Range::Km50, Range::Km100, Range::Km250]
    }

    fn ask(&mut self, air: &mut dyn Air, at: Spot, _: Range) -> Band {
        air.target(Act::Talk);
        let agent = air.join(at, receiving(Range::Unlimited));
        let heard = air.heard(agent);
        air.leave(agent);
        begun(&heard).and_then(|(_, grade)| grade).map_or(Band::ANYWHERE, Band::of_grade)
    }
}
