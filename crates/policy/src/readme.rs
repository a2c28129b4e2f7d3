//! `docs/privacy/README.md`: the policy and its proofs, for readers of the repository.

use std::fmt::Write;

use crate::facts::Facts;
use crate::table::{Clause, Table};

/// The policy of a server on which nothing is set, as Markdown.
pub fn readme(table: &Table) -> String {
    let (facts, newest) = (Facts::default(), table.newest());
    let mut text = format!(
        "# {}\n\nVersion {}, {}. Made by `cargo xtask gen` from [`clauses.toml`](clauses.toml); each server shows it at \
         `/privacy`, with its own settings. `cargo xtask policy` runs every proof.\n\n{}\n",
        table.title,
        newest.version,
        newest.date,
        facts.fill(&table.lead)
    );
    for clause in &table.clauses {
        // A string grows without failing.
        section(&mut text, clause, &facts).expect("a string");
    }
    text += "\n## What is kept\n\n| what | where | how long |\n|---|---|---|\n";
    for kept in &table.kept {
        let cells = [&kept.what, &kept.place, &kept.until].map(|cell| facts.fill(cell));
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text += "\n## What cannot be shown\n\n";
    for beyond in &table.beyond {
        text += &format!("* {}\n", beyond.text);
    }
    text
}

fn section(text: &mut String, clause: &Clause, facts: &Facts) -> std::fmt::Result {
    writeln!(text, "\n## {}: {}\n\n{}", clause.id, clause.title, clause.said(facts))?;
    if let Some(limit) = &clause.limit {
        writeln!(text, "\n*{}*", facts.fill(limit))?;
    }
    writeln!(text, "\n{}\n", facts.fill(&clause.proof))?;
    for test in &clause.tests {
        writeln!(text, "* `{test}`")?;
    }
    writeln!(text, "\n| mutant | what it does |\n|---|---|")?;
    for mutant in &clause.mutants {
        writeln!(text, "| `{}` | {} |", mutant.name, mutant.breaks)?;
    }
    Ok(())
}
