//! Every test, in the order in which they are quick to fail.

use anyhow::{Result, bail};
use tenfour_policy::Table;

use crate::runners::{Count, counted, nextest, number_before, passed_and_failed, playwright, web_tests};
use crate::shell::command;
use crate::{packages, policy, run};

/// Runs all tests, goes on after a failure, and ends with the sum.
pub(crate) fn test() -> Result<()> {
    packages::require_all()?;
    run::build()?;
    let mut total = Count::default();
    policy::forget_reports()?;
    // Mutants come last: they are built over the binary that the others test.
    for part in [unit_tests, doc_tests, web_tests, browser_tests, mutant_tests, proofs] {
        let count = part()?;
        total.passed += count.passed;
        total.failed += count.failed;
        total.failures.extend(count.failures);
    }
    for failure in &total.failures {
        println!("failed: {failure}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("{} tests failed; see above", total.failed);
    }
    Ok(())
}

/// Browser tests alone, with flags for Playwright.
pub(crate) fn e2e(flags: &[String]) -> Result<()> {
    packages::require_all()?;
    run::build()?;
    let count = playwright(flags)?;
    if count.failed > 0 {
        bail!("{} browser tests failed; see above", count.failed);
    }
    Ok(())
}

fn unit_tests() -> Result<Count> {
    nextest("--workspace", None)
}

/// Tests that know of mutants.
fn mutant_tests() -> Result<Count> {
    nextest(&format!("{} --profile mutants", policy::BROKEN), Some("binary(mutants) | binary(league)"))
}

/// The tests that do not, against each mutant of the policy.
fn proofs() -> Result<Count> {
    policy::prove(&Table::published())
}

fn doc_tests() -> Result<Count> {
    let mut doc = command("cargo test --workspace --doc --no-fail-fast");
    counted(&mut doc, |line| {
        let rest = line.strip_prefix("test result:")?;
        Some(passed_and_failed(number_before(rest, "passed"), number_before(rest, "failed")))
    })
}

fn browser_tests() -> Result<Count> {
    playwright(&[])
}
