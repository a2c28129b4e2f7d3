//! Starting things.

use anyhow::Result;

use crate::shell::{run as run_command, sh, target};
use crate::web;

/// Builds the page and the binary, then serves.
pub(crate) fn run(flags: &[String]) -> Result<()> {
    build()?;
    // Ctrl-C reaches both processes; the server stops by itself, and we wait for it.
    run_command(std::process::Command::new(target().join("debug/tenfour")).arg("serve").args(flags))
}

/// Builds the page, then the binary that embeds it.
pub(crate) fn build() -> Result<()> {
    web::build()?;
    sh("cargo build --package tenfour-cli")
}
