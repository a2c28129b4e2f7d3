//! The attack league.

use anyhow::Result;

use crate::shell::{command, run};

const REPORT: &str = "docs/privacy/attack-league.md";

/// Plays a season with and without the defence, and writes the report. Fails when a limit is broken.
pub(crate) fn attack(flags: &[String]) -> Result<()> {
    let league = "cargo run --quiet --package tenfour-attack --features mutants -- --report";
    run(command(league).arg(REPORT).args(flags))
}
