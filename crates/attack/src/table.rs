//! The result of a season, in Markdown.

use std::fmt::Write;

use crate::league::Score;
use crate::programs::Program;

/// With the defence, the least median error for somebody who stays, in metres.
pub const STILL_MEDIAN: f64 = 2300.0;
/// The error that at most one answer in twenty may fall below.
pub const STILL_FIFTH: f64 = 650.0;
/// The least median error for somebody who drives.
pub const MOVER_MEDIAN: f64 = 1800.0;
/// The largest median error of a program without the defence.
pub const OUT_MEDIAN: f64 = 5.0;

/// One program's season.
pub struct Row {
    /// The program.
    pub program: Program,
    /// Against the release rules.
    pub on: Score,
    /// With its doors open; none in a build without the feature `mutants`.
    pub out: Option<Score>,
}

impl Row {
    /// Limits that are broken.
    pub fn faults(&self) -> Vec<String> {
        let (name, on) = (self.program.name, &self.on);
        let mut faults = Vec::new();
        let mut at_least = |what: &str, got: f64, least: f64| {
            if got < least || got.is_nan() {
                faults.push(format!("{name}: with the defence, {what} {got:.0} m is below {least:.0} m"));
            }
        };
        if self.program.kind.moves() {
            at_least("the median", on.median(), MOVER_MEDIAN);
        } else {
            at_least("the median", on.median(), STILL_MEDIAN);
            at_least("the 5th percentile", on.quantile(0.05), STILL_FIFTH);
        }
        if let Some(out) = self.out.as_ref().filter(|out| out.median() >= OUT_MEDIAN || out.median().is_nan())
        {
            faults.push(format!("{name}: without the defence, the median {:.1} m is no hit", out.median()));
        }
        faults
    }
}

/// The same program over sockets.
pub struct SocketRow {
    /// The program.
    pub program: Program,
    /// Against the release rules.
    pub on: Score,
    /// With its doors open; none in a build without the feature `mutants`.
    pub out: Option<Score>,
    /// Whether each answer is the one that it gave to the hub.
    pub same: bool,
}

impl SocketRow {
    /// Limits that are broken.
    pub fn faults(&self) -> Vec<String> {
        let differs = (!self.same).then(|| format!("{}: other answers over sockets", self.program.name));
        differs.into_iter().collect()
    }
}

/// A result without a limit.
pub struct ToldRow {
    /// What is open, or differs from the others.
    pub what: &'static str,
    /// The program.
    pub program: Program,
    /// The result.
    pub score: Score,
}

/// All of a season.
pub struct Season {
    /// Against the hub.
    pub rows: Vec<Row>,
    /// Against a server.
    pub sockets: Vec<SocketRow>,
    /// Single doors, and the like.
    pub told: Vec<ToldRow>,
    /// The seed.
    pub seed: u64,
    /// The command that plays it again.
    pub command: String,
}

impl Season {
    /// Limits that are broken.
    pub fn faults(&self) -> Vec<String> {
        let over_hub = self.rows.iter().flat_map(Row::faults);
        over_hub.chain(self.sockets.iter().flat_map(SocketRow::faults)).collect()
    }

    /// The report.
    pub fn markdown(&self) -> String {
        let mut text = introduction(self);
        text += "\n## Against the hub, in virtual time\n\n| # | program | idea | sees | answers | with the defence: median | 5th percentile | without: median | opened |\n|---|---|---|---|---|---|---|---|---|\n";
        for (number, row) in self.rows.iter().enumerate() {
            let Program { name, idea, sees, doors, .. } = row.program;
            let answers = row.on.errors.len();
            let (median, fifth) = (row.on.median(), row.on.quantile(0.05));
            let (out, doors) = (metres(row.out.as_ref()), doors.names());
            writeln!(
                text,
                "| {} | {name} | {idea} | {sees} | {answers} | {median:.0} m | {fifth:.0} m | {out} | {doors} |",
                number + 1
            )
            .expect("into text");
        }
        text += "\n## Against a server, over sockets\n\nThe first targets again, with the same program text. Each answer has to be the one that was given to the hub, to a\nmillimetre; so the limits above hold here too, though these are too few to show it by themselves.\n\n| program | targets | with the defence: median | without: median | same answers as the hub's |\n|---|---|---|---|---|\n";
        for row in &self.sockets {
            let (name, targets, median) = (row.program.name, row.on.errors.len(), row.on.median());
            let (out, same) = (metres(row.out.as_ref()), if row.same { "yes" } else { "**no**" });
            writeln!(text, "| {name} | {targets} | {median:.0} m | {out} | {same} |").expect("into text");
        }
        text += "\n## What rules are for\n\nNo limits here. The first rows open one door by itself, while distances are still those of cells. The last one opens\nnone: somebody who drives straight on for long can be foreseen from boundary to boundary (here on a way that turns by 1.5°\neach 10 s), and is found in hindsight to about half of the error of the cell alone. Cells and boundaries do\nnot hide that somebody keeps to a motorway; not sharing a place does.\n\n| program | what gives away | answers | median | 5th percentile |\n|---|---|---|---|---|\n";
        for row in &self.told {
            let (name, what, answers) = (row.program.name, row.what, row.score.errors.len());
            let (median, fifth) = (row.score.median(), row.score.quantile(0.05));
            writeln!(text, "| {name} | {what} | {answers} | {median:.0} m | {fifth:.0} m |")
                .expect("into text");
        }
        text
    }
}

fn introduction(season: &Season) -> String {
    format!(
        "# The attack league

Written by `cargo xtask attack`: do not edit. Programs of `crates/attack` look for somebody (the target) who shares no
more than a cell, with everything that a server lets an attacker do and see: any number of keys, invented places, the
grid known, and the model by which targets drive known too. Each is told a rumour to begin with: a point anywhere within
100 km of the target. The score is the distance between its answer and the target's true position.

The same program text plays against the release rules and, in a build with the feature `mutants`, against a server with
doors opened: distances of positions instead of cells, and the side door that the program watches. An attacker who
does not find the place then proves nothing by not finding it otherwise.

Limits: with the defence, a median error of at least {STILL_MEDIAN:.0} m and a 5th percentile of at least {STILL_FIFTH:.0} m for somebody who
stays; a median of at least {MOVER_MEDIAN:.0} m for somebody who drives. Without it, a median below {OUT_MEDIAN:.0} m. A guess at the middle of
the right cell is the best that the grid allows; so programs that name the cell have the same figures, since all play
against the same targets (those of the country border: against targets within 3 km of one).

Targets are uniform in longitude and, from 60° south to 70° north, in latitude. Movers drive for an hour at about
50 km/h, and turn by 9° (standard deviation) each 10 s. Their client is the real one (`tenfour_core::radio`). Each
minute of the drive counts as an answer, given in hindsight, after a quarter of an hour more. Without the defence their
client says each position at once, too. How well a mover is hidden depends on how much their way turns: see the end.

Seed {}. To repeat: `{}`.
",
        season.seed, season.command
    )
}

fn metres(score: Option<&Score>) -> String {
    score.map_or_else(|| "not built".into(), |score| format!("{:.1} m", score.median()))
}
