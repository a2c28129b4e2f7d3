//! The web client: npm in `web/`.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::packages;
use crate::shell::{command, run};

/// `npm args...` in `web/`.
pub(crate) fn npm(line: &str) -> Command {
    let mut npm = command(&format!("npm {line}"));
    npm.current_dir("web");
    npm
}

/// Installs the packages of the lock file, unless that was done.
pub(crate) fn install() -> Result<()> {
    packages::require_node()?;
    let (lock, done) = ("web/package-lock.json", "web/node_modules/.installed-lock");
    if fs::read(lock).ok().is_some_and(|wanted| fs::read(done).ok() == Some(wanted)) {
        return Ok(());
    }
    run(&mut npm("ci"))?;
    fs::copy(lock, done)?;
    Ok(())
}

/// Builds `web/dist`, which the server embeds.
pub(crate) fn build() -> Result<()> {
    install()?;
    run(&mut npm("run build"))
}
