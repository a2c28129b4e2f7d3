//! Every test, in the order in which they are quick to fail.

use anyhow::{Result, bail};
use tenfour_policy::Table;

use crate::policy::results::Results;
use crate::runners::{
    BUILD_OF_TESTS, Count, counted, nextest, number_before, passed_and_failed, playwright, web_tests,
};
use crate::shell::{command, print_timings};
use crate::{packages, policy, run, web};

/// Runs all tests, goes on after a failure, and ends with the sum; with `timings`, also says where the time went.
pub(crate) fn test(timings: bool) -> Result<()> {
    packages::require_all()?;
    web::build()?;
    let mut total = Count::default();
    policy::forget_reports()?;
    for part in [unit_tests, doc_tests, web_tests, browser_tests, proofs] {
        let count = part()?;
        total.passed += count.passed;
        total.failed += count.failed;
        total.failures.extend(count.failures);
    }
    if timings {
        print_timings();
        Results::of_the_last_runs()?.print_slowest();
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
    nextest(None)
}

/// The tests of the policy against each of its mutants.
fn proofs() -> Result<Count> {
    policy::prove(&Table::published())
}

fn doc_tests() -> Result<Count> {
    let mut doc = command(&format!("cargo test {BUILD_OF_TESTS} --doc --no-fail-fast"));
    counted(&mut doc, |line| {
        let rest = line.strip_prefix("test result:")?;
        Some(passed_and_failed(number_before(rest, "passed"), number_before(rest, "failed")))
    })
}

fn browser_tests() -> Result<Count> {
    playwright(&[])
}
