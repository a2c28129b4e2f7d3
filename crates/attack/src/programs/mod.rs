//! The league: each program in a file of its own.

mod annuli;
mod bisect;
mod border;
mod courtesy;
mod edge;
mod floor;
mod follow;
mod grades;
mod list;
mod malformed;
mod mover;
mod reconnect;
mod resume;
mod sessions;
mod side_door;
mod sybils;
mod timing;

use std::time::Duration;

use crate::air::Air;
use crate::geo::Spot;
use crate::hunt::Clue;

/// An attacker.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// How it works, in a line.
    pub idea: &'static str,
    /// Which of the server's answers it uses.
    pub sees: &'static str,
    /// Whom it looks for.
    pub kind: Kind,
    /// What is opened for it when the defence is taken out.
    pub doors: Doors,
    /// Whether it also plays against a server over sockets.
    pub sockets: bool,
    /// Its answers: where the target was, at times since the start.
    pub hunt: fn(&mut dyn Air, &Clue) -> Vec<(Duration, Spot)>,
}

/// Whom a program looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who stays where they are.
    Still,
    /// Somebody who stays near a border of countries.
    Border,
    /// Somebody who drives on wandering ways.
    Driving,
    /// Somebody who drives on a motorway.
    Motorway,
    /// Somebody who drives and whose link drops often.
    Dropping,
}

impl Kind {
    /// Whether the target moves.
    pub fn moves(self) -> bool {
        matches!(self, Self::Driving | Self::Motorway | Self::Dropping)
    }
}

/// Ways in which a server may be broken, as far as a program asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doors {
    /// Distances are those of positions.
    pub distance: bool,
    /// Each session has a grid of its own.
    pub session_grid: bool,
    /// The country is that of the position.
    pub country: bool,
    /// The list of participants names those in range only.
    pub list: bool,
    /// The nearest are served first.
    pub order: bool,
    /// A new place is said and taken at once.
    pub moves: bool,
}

impl Doors {
    /// None: the release rules.
    pub const SHUT: Self = Self {
        distance: false,
        session_grid: false,
        country: false,
        list: false,
        order: false,
        moves: false,
    };

    /// Distances of positions: without them nothing finer than a cell is in a server.
    pub const DISTANCE: Self = Self { distance: true, ..Self::SHUT };

    /// Their names, for the table.
    pub fn names(self) -> String {
        let named = [
            (self.distance, "RawDistance"),
            (self.session_grid, "SessionGrid"),
            (self.country, "RawCountry"),
            (self.list, "ListByRange"),
            (self.order, "SortedFanOut"),
            (self.moves, "MovesAtOnce"),
        ];
        let open: Vec<_> = named.into_iter().filter(|(open, _)| *open).map(|(_, name)| name).collect();
        open.join(", ")
    }
}

/// All programs, in the order of the table.
pub const ALL: [Program; 15] = [
    bisect::PROGRAM,
    sybils::PROGRAM,
    sessions::PROGRAM,
    edge::PROGRAM,
    annuli::PROGRAM,
    mover::PROGRAM,
    list::PROGRAM,
    floor::PROGRAM,
    courtesy::PROGRAM,
    timing::PROGRAM,
    reconnect::PROGRAM,
    border::PROGRAM,
    malformed::PROGRAM,
    grades::PROGRAM,
    resume::PROGRAM,
];

/// What single doors, and ways that are easy to foresee, give away. No limits here.
pub const TOLD: [(&str, Program, Doors); 4] = [
    ("a grid drawn anew for each session", sessions::PROGRAM, Doors { session_grid: true, ..Doors::SHUT }),
    ("the country of the position", border::PROGRAM, Doors { country: true, ..Doors::SHUT }),
    ("cells said and taken at once", mover::PROGRAM, Doors { moves: true, ..Doors::SHUT }),
    (
        "nothing, but the target drives on a motorway",
        Program { kind: Kind::Motorway, ..mover::PROGRAM },
        Doors::SHUT,
    ),
];
