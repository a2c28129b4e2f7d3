//! The runners of tests, and what they say of how it went.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;

use crate::policy::results::{PLAYWRIGHT, VITEST};
use crate::shell::{command, sh, target, watch};
use crate::web;

/// How many tests of a runner passed and failed.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// What failed, as the runner calls it: the last lines of a long run have to say it.
    pub(crate) failures: BTreeSet<String>,
}

/// What every command that builds tests is told, so that one build serves all of them: the features of a dependency
/// follow from the packages that are built. It has the mutants of the policy, none of which is active unless a process
/// is told so (ADR 34).
pub(crate) const BUILD_OF_TESTS: &str = "--workspace --features mutants";

/// Those of the tests of all crates that a filter of nextest names.
pub(crate) fn unit_tests_of(filter: &str) -> Result<Count> {
    nextest(Some(filter))
}

/// The tests of all crates, or those that a filter of nextest names.
pub(crate) fn nextest(filter: Option<&str>) -> Result<Count> {
    sh(&format!("cargo nextest run {BUILD_OF_TESTS} --no-run"))?;
    let mut nextest = command(&format!("cargo nextest run {BUILD_OF_TESTS} --no-fail-fast"));
    nextest.args(filter.into_iter().flat_map(|filter| ["-E", filter]));
    counted(nextest.env("TENFOUR_BIN", tenfour()), |line| {
        let rest = line.trim_start().strip_prefix("Summary")?.split_once("run:")?.1;
        let failed = number_before(rest, "failed") + number_before(rest, "timed out");
        Some(passed_and_failed(number_before(rest, "passed"), failed))
    })
}

/// The tests of the page's parts, all of them unless some are named; their report goes to `report`.
pub(crate) fn vitest(report: &str) -> Command {
    let mut vitest = web::npm("test -- --reporter=default --reporter=json");
    vitest.arg(format!("--outputFile.json={}", target().join(report).display()));
    vitest
}

pub(crate) fn web_tests() -> Result<Count> {
    counted(&mut vitest(VITEST), |line| {
        let rest = plain(line);
        let rest = rest.trim_start().strip_prefix("Tests")?;
        Some(passed_and_failed(number_before(rest, "passed"), number_before(rest, "failed")))
    })
}

/// Browser tests, with flags; their report goes where the policy looks for it.
pub(crate) fn playwright(flags: &[String]) -> Result<Count> {
    let mut npm = web::npm("run e2e -- --reporter=list,json");
    npm.env("PLAYWRIGHT_JSON_OUTPUT_FILE", target().join(PLAYWRIGHT));
    counted(npm.args(flags).env("TENFOUR_BIN", tenfour()), |line| {
        let line = plain(line);
        let (number, word) = line.trim().split_once(' ')?;
        let number = number.parse().ok()?;
        match word.split(' ').next()? {
            "passed" => Some(passed_and_failed(number, 0)),
            "failed" | "flaky" => Some(passed_and_failed(0, number)),
            _ => None,
        }
    })
}

/// Runs a test runner and adds up what `read` finds in its lines. A runner that fails without
/// saying how many tests failed counts as one failure, and so does one that ran nothing.
pub(crate) fn counted(command: &mut Command, read: fn(&str) -> Option<Count>) -> Result<Count> {
    let watched = watch(command)?;
    let mut sum = Count::default();
    for count in watched.output.lines().filter_map(read) {
        sum.passed += count.passed;
        sum.failed += count.failed;
    }
    sum.failures.extend(watched.output.lines().filter_map(failure));
    if sum.failed == 0 && !watched.success {
        sum.failed = 1;
    }
    Ok(sum)
}

pub(crate) fn passed_and_failed(passed: usize, failed: usize) -> Count {
    Count { passed, failed, failures: BTreeSet::new() }
}

/// What a runner calls a test in the line that says that it failed.
fn failure(line: &str) -> Option<String> {
    let line = plain(line);
    let line = line.trim();
    // nextest: "FAIL [   0.479s] ( 934/1084) tenfour-server::radio moment::..."
    let ended = ["FAIL [", "TIMEOUT [", "ABORT [", "SIG"].iter().any(|word| line.starts_with(word));
    if let Some((_, test)) = line.split_once("] ").filter(|_| ended) {
        let test = test.trim_start();
        return Some(test.split_once(") ").map_or(test, |(_, test)| test).to_owned());
    }
    // Playwright: "✘  12 [firefox] › e2e/talk.spec.ts:7:1 › ... (3.1s)"; Vitest: "FAIL  src/...".
    let page = line.strip_prefix('✘').or_else(|| line.strip_prefix("FAIL "));
    // rustdoc: "test crates/... - Name (line 12) ... FAILED"
    let doc = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"));
    // nextest shows what each failed test printed, and that has lines of this last kind.
    page.or(doc.filter(|test| test.contains("(line "))).map(|test| test.trim().to_owned())
}

/// The number that stands before `word`, or 0.
pub(crate) fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A line without colours.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    out + rest
}

fn tenfour() -> std::path::PathBuf {
    target().join("debug/tenfour")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_runners_lines() {
        let line = "     Summary [  34.5s] 120 tests run: 118 passed (1 slow), 2 failed, 3 skipped";
        let rest = line.split_once("run:").unwrap().1;
        assert_eq!((number_before(rest, "passed"), number_before(rest, "failed")), (118, 2));
        let failed = "        FAIL [   0.479s] ( 934/1084) tenfour-server::radio moment::a_turn";
        assert_eq!(failure(failed).unwrap(), "tenfour-server::radio moment::a_turn");
        let failed = "  \u{1b}[31m✘\u{1b}[39m  12 [firefox] › e2e/talk.spec.ts:7:1 › is heard (3.1s)";
        assert_eq!(failure(failed).unwrap(), "12 [firefox] › e2e/talk.spec.ts:7:1 › is heard (3.1s)");
        assert_eq!(failure("        PASS [   0.479s] tenfour-server::radio moment::a_turn"), None);
        assert_eq!(failure("    test moment::a_turn ... FAILED"), None);
        assert_eq!(plain("\u{1b}[32m  12 passed\u{1b}[39m (3s)"), "  12 passed (3s)");
    }
}
