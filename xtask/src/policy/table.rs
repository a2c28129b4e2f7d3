//! The table that people look at.

use std::collections::BTreeSet;

use tenfour_policy::{Clause, Proof, Table};

use super::results::Results;

/// Prints a row for each test: clause, test, how it went, and which mutants it caught.
pub(crate) fn print(table: &Table, clean: &Results, caught: &BTreeSet<String>) {
    let tests = table.clauses.iter().flat_map(|clause| &clause.tests);
    let width = tests.map(|test| test.to_string().chars().count()).max().unwrap_or_default();
    println!("\n{:6}  {:width$}  {:12}  mutants", "clause", "test", "clean");
    for clause in &table.clauses {
        for (index, test) in clause.tests.iter().enumerate() {
            let id = if index == 0 { clause.id.as_str() } else { "" };
            let went = match clean.of(test) {
                Some(true) => "passed",
                Some(false) => "FAILED",
                None => "DID NOT RUN",
            };
            let row =
                format!("{id:6}  {:width$}  {went:12}  {}", test.to_string(), noticed(clause, test, caught));
            println!("{}", row.trim_end());
        }
    }
    println!();
}

/// The mutants that the test is to notice.
fn noticed(clause: &Clause, test: &Proof, caught: &BTreeSet<String>) -> String {
    let own = clause.mutants.iter().filter(|mutant| mutant.tests.contains(test));
    let said = own.map(|mutant| {
        let word = if caught.contains(&mutant.name) { "caught" } else { "MISSED" };
        format!("{} {word}", mutant.name)
    });
    said.collect::<Vec<_>>().join(", ")
}
