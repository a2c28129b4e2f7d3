//! The attack league.

use anyhow::Result;

use crate::shell::{command, run};

const REPORT: &str = "docs/privacy/attack-league.md";

/// Plays a season with and without the defence, and writes the report. Fails when a limit is broken.
/// `moment` asks whether the moment at which a frame comes tells who else hears it, and prints its answer.
pub(crate) fn attack(flags: &[String]) -> Result<()> {
    if flags.first().is_some_and(|flag| flag == "moment") {
        let moment = "cargo run --quiet --package tenfour-attack --features mutants --";
        return run(command(moment).args(flags));
    }
    let league = "cargo run --quiet --package tenfour-attack --features mutants -- --report";
    run(command(league).arg(REPORT).args(flags))
}
