//! The simulated world.

use anyhow::Result;

use crate::shell::{command, run};

/// Runs the simulation with its own flags. A hub that is broken on purpose has to be built in.
pub(crate) fn simulate(flags: &[String]) -> Result<()> {
    let broken = flags.iter().any(|flag| flag == "--mutant" || flag.starts_with("--mutant="));
    let features = if broken { "--features mutants" } else { "" };
    run(command(&format!("cargo run --quiet --package tenfour-sim {features} --")).args(flags))
}
