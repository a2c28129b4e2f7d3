//! What "checked" means, in one place.

use anyhow::Result;

use crate::shell::{has, run, sh};
use crate::{generate, packages, web};

/// Formatting, lints, types, generated files, dependencies: fails at the first that is not in order.
pub(crate) fn check() -> Result<()> {
    sh("cargo fmt --all --check")?;
    web::install()?;
    run(&mut web::npm("run check"))?;
    // The page comes first: the server embeds it, and so does a lint of the server.
    web::build()?;
    sh("cargo clippy --workspace --all-targets -- -D warnings")?;
    packages::require_nextest()?;
    generate::generate(true)?;
    if has("cargo-deny", "--version") {
        sh("cargo deny --offline check bans licenses sources")?;
    } else {
        eprintln!("note: cargo-deny is not installed; deny.toml was not applied.");
    }
    Ok(())
}
