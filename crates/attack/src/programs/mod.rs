//! The league: each program in a file of its own.

mod annuli;
mod bisect;
mod border;
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
    /// How it goes about it, in a line.
    pub idea: &'static str,
    /// What it looks at.
    pub sees: &'static str,
    /// Whom it looks for.
    pub kind: Kind,
    /// What is opened for it when the defence is taken out.
    pub doors: Doors,
    /// Where it says the quarry was, each time it says so; the time counts from the start.
    pub hunt: fn(&mut dyn Air, &Clue) -> Vec<(Duration, Spot)>,
}

/// Whom a program looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who stays where they are.
    Still,
    /// Somebody who stays near a border of countries.
    Border,
    /// Somebody who drives.
    Driving,
    /// Somebody who drives and whose link drops often.
    Dropping,
}

impl Kind {
    /// Whether the quarry moves.
    pub fn moves(self) -> bool {
        matches!(self, Self::Driving | Self::Dropping)
    }
}

/// Ways in which a server may be broken, as far as a program asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doors {
    /// The country is that of the position.
    pub country: bool,
    /// The list of participants names those in range only.
    pub list: bool,
    /// A press is refused while somebody in range talks.
    pub floor: bool,
    /// The nearest are served first.
    pub order: bool,
    /// A new place is said and taken at once.
    pub moves: bool,
}

/// Each comes with distances of positions: without them nothing finer than a cell is in a server.
impl Doors {
    /// Distances alone.
    pub const DISTANCE: Self = Self { country: false, list: false, floor: false, order: false, moves: false };

    /// Their names, for the table.
    pub fn names(self) -> Vec<&'static str> {
        let named = [
            (true, "RawDistance"),
            (self.country, "RawCountry"),
            (self.list, "ListByRange"),
            (self.floor, "FloorByRange"),
            (self.order, "SortedFanOut"),
            (self.moves, "MovesAtOnce"),
        ];
        named.into_iter().filter(|(open, _)| *open).map(|(_, name)| name).collect()
    }
}

/// All programs, in the order of the table.
pub const ALL: [Program; 14] = [
    bisect::PROGRAM,
    sybils::PROGRAM,
    sessions::PROGRAM,
    edge::PROGRAM,
    annuli::PROGRAM,
    mover::PROGRAM,
    list::PROGRAM,
    floor::PROGRAM,
    timing::PROGRAM,
    reconnect::PROGRAM,
    border::PROGRAM,
    malformed::PROGRAM,
    grades::PROGRAM,
    resume::PROGRAM,
];
