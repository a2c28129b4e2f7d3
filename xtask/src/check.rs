//! What "checked" means, in one place.

use anyhow::{Result, bail};

use crate::runners::BUILD_OF_TESTS;
use crate::shell::{command, has, run, sh};
use crate::{circles, generate, packages, web};

/// Formatting, circles of imports, lints, types, generated files, dependencies: fails at the first that is not in order.
pub(crate) fn check() -> Result<()> {
    sh("cargo fmt --all --check")?;
    circles::check()?;
    web::install()?;
    run(&mut web::npm("run check"))?;
    // The page comes first: the server embeds it, and so does a lint of the server.
    web::build()?;
    // With all that can be built, and with nothing that can be left out.
    sh(&format!("cargo clippy {BUILD_OF_TESTS} --all-targets -- -D warnings"))?;
    sh("cargo clippy --package tenfour-cli --no-default-features -- -D warnings")?;
    no_release_has_mutants()?;
    packages::require_nextest()?;
    generate::generate(true)?;
    if has("cargo-deny", "--version") {
        sh("cargo deny --offline check bans licenses sources")?;
    } else {
        eprintln!("note: cargo-deny is not installed; deny.toml was not applied.");
    }
    Ok(())
}

/// What the compiler is to say when somebody builds a release that breaks promises on purpose.
const REFUSAL: &str = "the feature `mutants` breaks promises on purpose and is not for a release build";

/// Every crate that has the feature, but for `tenfour-tls`, hands it down to the protocol, which refuses it.
fn no_release_has_mutants() -> Result<()> {
    let line = "cargo check --quiet --release --package tenfour-protocol --features mutants";
    eprintln!("\n> {line}, which has to fail");
    let output = command(line).output()?;
    if output.status.success() || !String::from_utf8_lossy(&output.stderr).contains(REFUSAL) {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{line} has to be refused with the words: {REFUSAL}. It ended with {}:\n{said}", output.status);
    }
    Ok(())
}
