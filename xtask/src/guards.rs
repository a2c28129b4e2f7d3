//! Guards of the voice path: instructions, counted by valgrind, against those of before.
//!
//! They repeat whatever else the machine does, so a change of a few per cent is one of the program.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::packages;
use crate::shell::{command, sh};

/// Functions of `crates/core/benches/guards.rs`.
const GUARDS: [&str; 5] = ["parse", "door", "append", "write", "audience"];
/// What each took when somebody last looked, in instructions.
const KNOWN: &str = "docs/instructions.toml";
/// A guard may grow by this before it is a fault, in per cent.
const GROWTH: u64 = 5;

const HEADER: &str = "\
# Instructions of the voice path: 1,000 times each, but for one press in a channel of 1,000 (audience).
# `cargo xtask guards` counts them and fails when one has grown by more than 5 %; with --write it
# writes this file. crates/core/benches/guards.rs says what each is.

";

/// Counts, and compares or writes.
pub(crate) fn guards(write: bool) -> Result<()> {
    packages::require_all()?;
    sh("cargo build --quiet --release --package tenfour-core --bench guards")?;
    let program = program()?;
    let mut counted = BTreeMap::new();
    for guard in GUARDS {
        counted.insert(guard.to_owned(), count(&program, guard)?);
    }
    if write {
        let lines: String = counted.iter().map(|(guard, count)| format!("{guard} = {count}\n")).collect();
        return Ok(fs::write(KNOWN, format!("{HEADER}{lines}"))?);
    }
    compare(&fs::read_to_string(KNOWN).with_context(|| KNOWN.to_owned())?, &counted)
}

/// Prints each guard; fails when one has grown.
fn compare(known: &str, counted: &BTreeMap<String, u64>) -> Result<()> {
    let known: BTreeMap<String, u64> = toml::from_str(known).with_context(|| KNOWN.to_owned())?;
    let mut grown = Vec::new();
    for (guard, &count) in counted {
        let before = *known.get(guard).with_context(|| format!("{KNOWN} says nothing of {guard}"))?;
        let change = (count as f64 / before as f64 - 1.0) * 100.0;
        println!("{guard:10} {count:>10} instructions, {change:+.1} %");
        if count * 100 > before * (100 + GROWTH) {
            grown.push(guard.as_str());
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    bail!(
        "the voice path costs more than before: {}. Find out why, or write down the new figures with their reason: \
         cargo xtask guards --write",
        grown.join(", ")
    )
}

/// Where cargo put the benchmark.
fn program() -> Result<String> {
    let mut build =
        command("cargo build --quiet --release --package tenfour-core --bench guards --message-format=json");
    let output = build.stderr(Stdio::inherit()).output()?;
    let lines = String::from_utf8(output.stdout)?;
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "guards").then(|| message["executable"].as_str().map(str::to_owned))?
    };
    lines.lines().find_map(executable).context("cargo named no benchmark")
}

/// Instructions inside one guard.
fn count(program: &str, guard: &str) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--demangle=no"]);
    valgrind.arg(format!("--toggle-collect=*guarded_{guard}*")).args([program, guard]);
    let output = valgrind.stdout(Stdio::null()).output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{guard} ended badly under valgrind:\n{said}");
    }
    let line =
        said.lines().find_map(|line| line.split_once("Collected :")).context("valgrind counted nothing")?;
    let count: u64 = line.1.trim().parse().context("valgrind counted strangely")?;
    if count == 0 {
        bail!("valgrind found no function guarded_{guard}");
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_that_has_grown_is_a_fault() {
        let counted = |count| BTreeMap::from([("parse".to_owned(), count)]);
        assert!(compare("parse = 1000", &counted(1050)).is_ok());
        assert!(compare("parse = 1000", &counted(400)).is_ok());
        assert!(compare("parse = 1000", &counted(1051)).unwrap_err().to_string().contains("parse"));
        assert!(compare("door = 1000", &counted(1000)).is_err(), "one that nobody has looked at");
    }
}
