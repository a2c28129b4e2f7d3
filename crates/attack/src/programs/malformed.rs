//! Malformed cells. The attacker sends a place in every form that might be finer than a cell: other resolutions, other
//! bits, floats, coordinates, more fields. Each form that a server accepts is an oracle; if none is finer, the hunt ends
//! at the cell.

use std::time::Duration;

use h3o::{LatLng, Resolution};
use tenfour_protocol::{Range, ServerMessage};

use super::{Doors, Kind, Program};
use crate::air::{Act, Agent, Air, CHANNEL};
use crate::constraint::Band;
use crate::geo::Spot;
use crate::hunt::{Clue, RUMOUR_KM, hunt, pin_down};
use crate::oracle::{Listening, Oracle, begun};
use crate::patch::Patch;

/// The program.
pub(super) const PROGRAM: Program = Program {
    name: "malformed cells",
    idea: "say a place in each way that might be finer than a cell, and use what is taken",
    sees: "which of them a server takes, and whether a voice comes then",
    kind: Kind::Still,
    doors: Doors::DISTANCE,
    sockets: true,
    hunt: run,
};

fn run(air: &mut dyn Air, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut rng = clue.rng();
    air.target(Act::Talk);
    for way in ways() {
        let mut oracle = Said(way);
        // Not accepted, or taken for somewhere else.
        let near = oracle.ask(air, clue.rumour, Range::Km250).upto.is_finite();
        if !near || oracle.ask(air, clue.rumour.antipode(), Range::Km250).upto.is_finite() {
            continue;
        }
        let mut patch = Patch::around(clue.rumour, RUMOUR_KM, rng.fork());
        if let Some(point) = pin_down(air, &mut oracle, &mut patch, &mut rng) {
            return vec![(Duration::ZERO, point)];
        }
    }
    vec![(Duration::ZERO, hunt(air, &mut Listening, clue))]
}

/// A way to say a place.
#[derive(Clone, Copy)]
enum Way {
    /// A cell of another resolution.
    Resolution(Resolution),
    /// The right cell, with a bit of its index flipped.
    Bit(u32),
    /// The right cell, with the finer digits that follow from the position.
    FinerDigits,
    /// The cell and the position in one text.
    Text(&'static str),
    /// The place as another JSON value.
    Place(&'static str),
    /// The fields of `hello` after the cell.
    Fields(&'static str),
}

fn ways() -> Vec<Way> {
    let finer = [Resolution::Seven, Resolution::Nine, Resolution::Eleven, Resolution::Fifteen];
    let mut ways: Vec<_> = finer.into_iter().map(Way::Resolution).collect();
    ways.extend([0, 26, 52, 56, 57, 59, 60, 63].map(Way::Bit));
    ways.push(Way::FinerDigits);
    ways.extend(
        ["{cell}@{lat},{lon}", "{lat},{lon}", "{cell} {lat} {lon}", "{CELL}", "0x{cell}", "0{cell}"]
            .map(Way::Text),
    );
    ways.extend(
        [
            r#"{"lat":{lat},"lon":{lon}}"#,
            r#"{"cell":{"lat":{lat},"lon":{lon}}}"#,
            r#"{"cell":[{lat},{lon}]}"#,
            r#"{"cell":{lat}}"#,
            r#"{"cell":"{cell}","lat":{lat},"lon":{lon}}"#,
            r#"{"cell":"{cell}","cell":"{fine}"}"#,
            r#"["{cell}",null,{lat},{lon}]"#,
        ]
        .map(Way::Place),
    );
    ways.extend([r#","lat":{lat},"lon":{lon}"#, r#","position":[{lat},{lon}]"#].map(Way::Fields));
    ways
}

impl Way {
    /// The value of `place` in `hello`, and further fields.
    fn say(self, at: Spot) -> (String, String) {
        let position = LatLng::new(at.lat(), at.lon()).expect("a position");
        let index = |resolution| u64::from(position.to_cell(resolution));
        let cell = index(Resolution::Six);
        let quoted = |text: &str| (format!(r#"{{"cell":"{text}"}}"#), String::new());
        let fill = |text: &str| {
            let filled = text.replace("{lat}", &at.lat().to_string()).replace("{lon}", &at.lon().to_string());
            let filled = filled.replace("{fine}", &format!("{:x}", index(Resolution::Fifteen)));
            filled.replace("{CELL}", &format!("{cell:X}")).replace("{cell}", &format!("{cell:x}"))
        };
        match self {
            Self::Resolution(resolution) => quoted(&format!("{:x}", index(resolution))),
            Self::Bit(bit) => quoted(&format!("{:015x}", cell ^ (1 << bit))),
            Self::FinerDigits => {
                // Resolution 6 in the field that says it, all digits below.
                let field = 0xf << 52;
                quoted(&format!("{:x}", (index(Resolution::Fifteen) & !field) | (cell & field)))
            }
            Self::Text(text) => quoted(&fill(text)),
            Self::Place(text) => (fill(text), String::new()),
            Self::Fields(text) => (quoted(&format!("{cell:x}")).0, fill(text)),
        }
    }
}

struct Said(Way);

impl Oracle for Said {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.target(Act::Talk);
        let agent = air.open();
        let (place, more) = self.0.say(at);
        air.say_text(
            agent,
            &format!(
                r#"{{"type":"hello","client":"league 1","place":{place},"range":{{"tx":"unlimited","rx":"{ring}"}}{more}}}"#
            ),
        );
        let band = match is_located(air, agent) {
            true => {
                air.say_text(agent, &format!(r#"{{"type":"tune","channel":"{CHANNEL}"}}"#));
                Band::of_range(ring, begun(&air.heard(agent)).is_some())
            }
            false => Band::ANYWHERE,
        };
        air.leave(agent);
        band
    }
}

fn is_located(air: &mut dyn Air, agent: Agent) -> bool {
    let heard = air.heard(agent);
    heard.iter().any(|heard| matches!(heard.message, ServerMessage::Located { shared: true, .. }))
}
