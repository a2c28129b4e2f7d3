//! The policy, proven: each clause's tests, clean and against the programs that break the clause.

pub(crate) mod results;
mod table;

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Result, bail};
use tenfour_policy::{Clause, Mutant, Proof, Table};

use crate::runners::{Count, playwright, unit_tests_of, vitest, web_tests};
use crate::shell::{command, watch};
use crate::{packages, run};
use results::{MUTANTS, NEXTEST, Results, VITEST_MUTANTS};

/// The crates whose tests a mutant may meet. One build has all mutants; a process is told at its
/// start which of them to be.
pub(crate) const BROKEN: &str = "--package tenfour-cli --package tenfour-server --package tenfour-core --package tenfour-sim \
     --package tenfour-attack --package tenfour-client --no-default-features --features mutants";

/// `cargo xtask policy`: runs the tests of the table, then the mutants, and prints what came of it.
pub(crate) fn policy() -> Result<()> {
    packages::require_all()?;
    run::build()?;
    let table = Table::published();
    let (in_browser, others): (BTreeSet<_>, BTreeSet<_>) =
        table.clauses.iter().flat_map(|clause| &clause.tests).cloned().partition(Proof::is_in_browser);
    unit_tests_of(&filter(&others))?;
    web_tests()?;
    playwright(&browser_flags(&in_browser))?;
    let count = prove(&table)?;
    if count.failed > 0 {
        bail!("the policy is not proven; see above");
    }
    Ok(())
}

/// With the results of the tests that have just run: the mutants, and the table. A clause whose
/// tests are green and a mutant that is caught count as passed.
pub(crate) fn prove(table: &Table) -> Result<Count> {
    let clean = Results::of_the_last_runs()?;
    let broken: Vec<_> = table.clauses.iter().flat_map(|clause| &clause.mutants).collect();
    let all: BTreeSet<_> = broken.iter().flat_map(|mutant| &mutant.tests).cloned().collect();
    // A build that is red by itself would catch everything.
    let control = run_broken(None, &all)?;
    let mut caught = BTreeSet::new();
    for mutant in &broken {
        if all_passed(&control, &mutant.tests) && is_caught(mutant)? {
            caught.insert(mutant.name.clone());
        }
    }
    table::print(table, &clean, &caught);
    let green = |clause: &&Clause| all_passed(&clean, &clause.tests);
    let clauses = table.clauses.iter().filter(green).count();
    println!(
        "{clauses} of {} clauses green, {} of {} mutants caught",
        table.clauses.len(),
        caught.len(),
        broken.len()
    );
    let wanted = table.clauses.len() + broken.len();
    let passed = clauses + caught.len();
    let red =
        table.clauses.iter().filter(|clause| !green(clause)).map(|clause| format!("clause {}", clause.id));
    let missed = broken.iter().filter(|mutant| !caught.contains(&mutant.name));
    let missed = missed.map(|mutant| format!("mutant {} is not caught", mutant.name));
    Ok(Count { passed, failed: wanted - passed, failures: red.chain(missed).collect() })
}

fn all_passed<'a>(results: &Results, tests: impl IntoIterator<Item = &'a Proof>) -> bool {
    tests.into_iter().all(|test| results.of(test) == Some(true))
}

/// Each test that is to notice has run, and is red.
fn is_caught(mutant: &Mutant) -> Result<bool> {
    let tests = mutant.tests.iter().cloned().collect();
    let results = run_broken(Some(&mutant.name), &tests)?;
    Ok(mutant.tests.iter().all(|test| results.of(test) == Some(false)))
}

/// Runs tests of the build that has the mutants, and tests of the page's parts, with one of the
/// mutants or none. Both kinds of process are told by their environment.
fn run_broken(mutant: Option<&str>, tests: &BTreeSet<Proof>) -> Result<Results> {
    results::forget(MUTANTS)?;
    results::forget(VITEST_MUTANTS)?;
    let told = |command: &mut Command| {
        command.env("TENFOUR_MUTANT", mutant.unwrap_or_default());
        // Red is what is hoped for: the report says which.
        watch(command)
    };
    println!("\nmutant: {}", mutant.unwrap_or("none"));
    let mut nextest = command(&format!("cargo nextest run {BROKEN} --profile mutants --cargo-quiet"));
    told(nextest.args(["-E", &filter(tests)]))?;
    let files: BTreeSet<_> = tests.iter().filter_map(file_of_the_page).collect();
    if !files.is_empty() {
        told(vitest(VITEST_MUTANTS).args(files))?;
    }
    Results::of_mutants()
}

/// Where a test of the page is that no browser runs, from `web/`.
fn file_of_the_page(test: &Proof) -> Option<&str> {
    match test {
        Proof::Page { file, .. } if !test.is_in_browser() => file.strip_prefix("web/"),
        Proof::Page { .. } | Proof::Rust { .. } => None,
    }
}

/// The Rust tests among these, in nextest's language.
fn filter(tests: &BTreeSet<Proof>) -> String {
    let terms = tests.iter().filter_map(|test| match test {
        Proof::Rust { binary, test } => Some(format!("(binary_id(={binary}) & test(={test}))")),
        Proof::Page { .. } => None,
    });
    terms.collect::<Vec<_>>().join(" | ")
}

/// Files and titles for Playwright.
fn browser_flags(tests: &BTreeSet<Proof>) -> Vec<String> {
    let mut files = BTreeSet::new();
    let mut titles = Vec::new();
    for test in tests {
        if let Proof::Page { file, title } = test {
            files.insert(file.trim_start_matches("web/e2e/").to_owned());
            titles.push(escaped(title));
        }
    }
    files.into_iter().chain(["-g".into(), titles.join("|")]).collect()
}

/// For a regular expression.
fn escaped(title: &str) -> String {
    let escape = |c: char| if c.is_alphanumeric() || c == ' ' { vec![c] } else { vec!['\\', c] };
    title.chars().flat_map(escape).collect()
}

/// Old reports say nothing of this run.
pub(crate) fn forget_reports() -> Result<()> {
    results::forget(NEXTEST)?;
    results::forget(results::VITEST)?;
    results::forget(results::PLAYWRIGHT)
}
