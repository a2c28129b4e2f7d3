//! The policy, proven: each clause's tests, clean and against the programs that break the clause.

mod broken;
pub(crate) mod results;
mod table;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use tenfour_policy::{Clause, Proof, Table};

use crate::runners::{Count, playwright, unit_tests_of, web_tests};
use crate::{packages, web};
use broken::Binaries;
use results::{NEXTEST, Results};

/// `cargo xtask policy`: runs the tests of the table, then the mutants, and prints what came of it.
pub(crate) fn policy() -> Result<()> {
    packages::require_all()?;
    web::build()?;
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
    let mutants: Vec<_> = table.clauses.iter().flat_map(|clause| &clause.mutants).collect();
    // A test that is red by itself would catch everything.
    let provable = mutants.iter().copied().filter(|mutant| all_passed(&clean, &mutant.tests));
    let caught = broken::caught(&provable.collect::<Vec<_>>(), &Binaries::built()?)?;
    table::print(table, &clean, &caught);
    let green = |clause: &&Clause| all_passed(&clean, &clause.tests);
    let clauses = table.clauses.iter().filter(green).count();
    println!(
        "{clauses} of {} clauses green, {} of {} mutants caught",
        table.clauses.len(),
        caught.len(),
        mutants.len()
    );
    let wanted = table.clauses.len() + mutants.len();
    let passed = clauses + caught.len();
    let red =
        table.clauses.iter().filter(|clause| !green(clause)).map(|clause| format!("clause {}", clause.id));
    let missed = mutants.iter().filter(|mutant| !caught.contains(&mutant.name));
    let missed = missed.map(|mutant| format!("mutant {} is not caught", mutant.name));
    Ok(Count { passed, failed: wanted - passed, failures: red.chain(missed).collect() })
}

fn all_passed<'a>(results: &Results, tests: impl IntoIterator<Item = &'a Proof>) -> bool {
    tests.into_iter().all(|test| results.of(test) == Some(true))
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
