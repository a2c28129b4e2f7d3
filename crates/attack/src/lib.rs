//! The attack league: programs that try to find somebody on the air, the target, who shares no more than the cell of
//! their place, by all that a server lets an attacker see.
//!
//! Each program is written against an [`air::Air`], and runs unchanged against the hub in virtual time and against a
//! server over sockets, with the defence and, in a build with the feature `mutants`, without it. With the defence no
//! program may do better than to name the cell. Without it the same programs have to find the place to a few metres, or
//! they prove nothing.
//!
//! * [`air`] - what an attacker can do; [`over_hub`] and [`over_sockets`] - against what
//! * [`target`], [`path`] - who is looked for, and how they drive
//! * [`geo`], [`constraint`], [`patch`], [`cells`], [`fit`], [`particles`] - what answers say of a place
//! * [`oracle`], [`hunt`] - asking, and closing in
//! * [`over_sockets::moment`] - does the moment at which a frame comes tell who else hears it? [`permutation`] judges
//! * [`programs`] - the league; [`league`] - a match; [`season`] - all of them; [`table`] - what came of it

pub mod air;
pub mod borders;
pub mod cells;
pub mod constraint;
pub mod fit;
pub mod geo;
pub mod hunt;
pub mod league;
pub mod oracle;
pub mod over_hub;
pub mod over_sockets;
pub mod particles;
pub mod patch;
pub mod path;
pub mod permutation;
pub mod programs;
pub mod season;
pub mod table;
pub mod target;
