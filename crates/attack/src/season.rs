//! Plays a season: every program, both halves, over the hub and over sockets.

use crate::league::{Ground, Score, play};
use crate::programs::{ALL, Doors, Program, TOLD};
use crate::table::{Row, Season, SocketRow, ToldRow};

/// How large a season is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Targets that stay, for each program.
    pub targets: u64,
    /// Targets that drive, for each program.
    pub drives: u64,
    /// Targets of the programs over sockets.
    pub sockets: u64,
    /// Whether the programs without limits are played too.
    pub told: bool,
    /// Seed of everything.
    pub seed: u64,
}

/// Answers over sockets and in virtual time may differ by so many metres: rounding.
const SAME: f64 = 0.001;

/// Plays it, and tells each result as it comes.
pub fn season(size: Size, command: String, tell: &mut dyn FnMut(String)) -> Season {
    let mut season =
        Season { rows: Vec::new(), sockets: Vec::new(), told: Vec::new(), seed: size.seed, command };
    for program in ALL {
        let row = over_hub(program, size);
        tell(line(program.name, "hub", &row.on, row.out.as_ref()));
        season.rows.push(row);
    }
    for program in ALL.into_iter().filter(|program| program.sockets && size.sockets > 0) {
        let row = over_sockets(program, size);
        tell(line(program.name, "sockets", &row.on, row.out.as_ref()));
        season.sockets.push(row);
    }
    let told = TOLD.into_iter().filter(|(_, _, doors)| size.told && may_open(*doors));
    for (what, program, doors) in told {
        let score = play(&program, doors, Ground::Hub, targets(&program, size), size.seed);
        tell(line(program.name, what, &score, None));
        season.told.push(ToldRow { what, program, score });
    }
    season
}

fn over_hub(program: Program, size: Size) -> Row {
    let played = |doors| play(&program, doors, Ground::Hub, targets(&program, size), size.seed);
    Row { program, on: played(Doors::SHUT), out: cfg!(feature = "mutants").then(|| played(program.doors)) }
}

/// The same targets against both, so that the answers can be compared.
fn over_sockets(program: Program, size: Size) -> SocketRow {
    let played = |doors, ground| play(&program, doors, ground, size.sockets, size.seed);
    let on = played(Doors::SHUT, Ground::Sockets);
    let out = cfg!(feature = "mutants").then(|| played(program.doors, Ground::Sockets));
    let same = are_same(&on, &played(Doors::SHUT, Ground::Hub))
        && out.as_ref().is_none_or(|out| are_same(out, &played(program.doors, Ground::Hub)));
    SocketRow { program, on, out, same }
}

fn are_same(one: &Score, other: &Score) -> bool {
    let pairs = one.errors.iter().zip(&other.errors);
    one.errors.len() == other.errors.len() && pairs.into_iter().all(|(one, other)| (one - other).abs() < SAME)
}

fn targets(program: &Program, size: Size) -> u64 {
    if program.kind.moves() { size.drives } else { size.targets }
}

fn line(name: &str, over: &str, on: &Score, out: Option<&Score>) -> String {
    let out = out.map_or_else(String::new, |out| format!("; without: median {:.1} m", out.median()));
    format!(
        "{name} ({over}, {} answers): median {:.0} m, 5th percentile {:.0} m{out}",
        on.errors.len(),
        on.median(),
        on.quantile(0.05)
    )
}

/// Doors can be opened in a build with the feature `mutants` only.
fn may_open(doors: Doors) -> bool {
    cfg!(feature = "mutants") || doors == Doors::SHUT
}
