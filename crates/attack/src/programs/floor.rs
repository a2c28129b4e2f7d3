//! Floor-state diff. A press is refused when its talker would hear three others: with two invented talkers
//! beside every invented place, the answer to a press says whether the target is within the presser's range.
//! That is what turning up a receiver says, too; and it ends at the cell.

use std::time::Duration;

use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::limits::BUSY;
use tenfour_protocol::{BurstNo, ClientMessage, Range, Ranges, ServerMessage};

use super::side_door::SideDoor;
use super::{Doors, Kind, Program};
use crate::air::{Act, Agent, Air, channel};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "floor-state diff",
    idea: "press the button in many places while the target and two invented talkers beside each place talk",
    sees: "`channel_busy` or `burst.granted`",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    vec![(Duration::ZERO, hunt(air, &mut SideDoor::new(Floor, clue.rumour), clue))]
}

/// Presses, and stays on the air as long as it may.
pub(super) fn press(air: &mut dyn Air, agent: Agent) {
    let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
    air.say(agent, ClientMessage::BurstStart { channel: channel(), burst: BurstNo(1), codec, frame_ms });
}

struct Floor;

impl Oracle for Floor {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        // They hear nobody from afar, so that they themselves are never refused.
        let near = Ranges { tx: Range::Km10, rx: Range::Km10 };
        let crowd: Vec<_> = (1..BUSY).map(|_| air.join(at, near)).collect();
        crowd.iter().for_each(|&agent| press(air, agent));
        air.target(Act::Talk);
        let agent = air.join(at, Ranges { tx: Range::Km10, ..receiving(ring) });
        press(air, agent);
        let heard = air.heard(agent);
        crowd.into_iter().chain([agent]).for_each(|agent| air.leave(agent));
        let granted = heard.iter().any(|heard| matches!(heard.message, ServerMessage::BurstGranted { .. }));
        Band::of_range(ring, !granted)
    }
}
