//! Floor-state diff. A careless server refuses a press while somebody in range talks: then the
//! answer to one's own press, given from many places, finds the talker. It is tried on a quiet
//! channel and on one that is full but for one.

use std::time::Duration;

use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::limits::CHANNEL_BURSTS;
use tenfour_protocol::{BurstNo, ClientMessage, Range, Ranges, ServerMessage};

use super::side_door::SideDoor;
use super::{Doors, Kind, Program};
use crate::air::{Act, Agent, Air, channel};
use crate::clause::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, hunt};
use crate::oracle::{Oracle, receiving};

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "floor-state diff",
    idea: "press the button in many places while the quarry talks; listen if all answers are the same",
    sees: "`channel_busy` or `burst.granted`, on a quiet and on a full channel",
    kind: Kind::Still,
    doors: Doors { floor: true, ..Doors::DISTANCE },
    sockets: false,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let crowd = crowd(air, clue.rumour.antipode(), clue.seed.is_multiple_of(2));
    let found = hunt(air, &mut SideDoor::new(Floor, clue.rumour), clue);
    crowd.into_iter().for_each(|agent| air.leave(agent));
    vec![(Duration::ZERO, found)]
}

/// The attacker's own talkers, whom nobody hears from afar: with the quarry they fill the channel.
fn crowd(air: &mut dyn Air, at: Spot, wanted: bool) -> Vec<Agent> {
    let own = if wanted { CHANNEL_BURSTS - 1 } else { 0 };
    let quiet = Ranges { tx: Range::Km10, rx: Range::Km10 };
    let crowd: Vec<_> = (0..own).map(|_| air.join(at.towards(1.0, 300.0), quiet)).collect();
    crowd.iter().for_each(|&agent| press(air, agent));
    crowd
}

fn press(air: &mut dyn Air, agent: Agent) {
    let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
    air.say(agent, ClientMessage::BurstStart { channel: channel(), burst: BurstNo(1), codec, frame_ms });
}

struct Floor;

impl Oracle for Floor {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.quarry(Act::Talk);
        let agent = air.join(at, receiving(ring));
        press(air, agent);
        let heard = air.heard(agent);
        air.leave(agent);
        let granted = heard.iter().any(|heard| matches!(heard.message, ServerMessage::BurstGranted { .. }));
        Band::of_range(ring, !granted)
    }
}
