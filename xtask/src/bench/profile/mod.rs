//! Where the server's time goes while one voice reaches a thousand.
//!
//! The release binary itself is profiled: `perf` unwinds its stacks by the tables that panics need anyway.

mod costs;
mod fold;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use self::fold::Sample;
use super::report::Section;
use super::turns::{AWAKE, Turn};
use super::users;
use crate::packages;
use crate::shell::{command, target};

/// Debian's package and the program in it.
const PERF: (&str, &str) = ("linux-perf", "/usr/bin/perf");
/// Samples in a second of the server's CPU; no multiple of what the server does regularly.
const SAMPLE_RATE: &str = "4999";
/// Stacks are copied up to this many bytes: ours are smaller.
const CALL_GRAPH: &str = "dwarf,4096";
/// Functions in the table.
const MAX_FUNCTIONS: usize = 10;
/// What is profiled, and where its stacks go.
const TURNS: [(Turn, &str); 2] = [(Turn::Plain, "profile.folded"), (Turn::Bundled, "profile-bundles.folded")];

/// Profiles the server under this work; `keep` says whether the report is replaced.
pub(super) fn profile(work: &str, keep: bool) -> Result<Section> {
    packages::install_if_possible(&[PERF])?;
    ensure!(Path::new(PERF.1).exists(), "perf is not installed (Debian: {})", PERF.0);
    let mut profiles = Vec::new();
    for (turn, file) in TURNS {
        let samples = record(turn, work)?;
        let path = target().join(file);
        fs::write(&path, fold::folded(&samples)).with_context(|| path.display().to_string())?;
        println!("stacks of {}, for a flame graph viewer: {}", turn.name(), path.display());
        profiles.push(samples);
    }
    let text = text(work, &profiles);
    Ok(Section { name: "profile", title: "Where the time goes", text, verdicts: Vec::new(), keep })
}

/// Stacks of the server while somebody talked.
fn record(turn: Turn, work: &str) -> Result<Vec<Sample>> {
    let data = tempfile::tempdir()?;
    let file = data.path().join("perf.data");
    let server = turn.start()?;
    let pid = server.pid().to_string();
    let mut perf = Command::new(PERF.1);
    perf.args(["record", "--quiet", "--clockid", "mono", "--freq", SAMPLE_RATE, "--call-graph", CALL_GRAPH]);
    perf.args(["--mmap-pages", "16M", "--pid", &pid, "--output"]).arg(&file);
    let mut perf = perf.stdin(Stdio::null()).spawn().context("cannot start perf")?;
    let users = format!("fanout {work} {AWAKE} {} --at {} --pid {pid}", turn.flags(), server.at);
    let figures = users::run(&users);
    // Told to stop, perf writes down what it has.
    command(&format!("kill -INT {}", perf.id())).status()?;
    perf.wait()?;
    let figures = figures?;
    let time = format!("{},{}", figures.number("talk_from_s"), figures.number("talk_to_s"));
    let mut script = Command::new(PERF.1);
    script.args(["script", "--no-inline", "--fields", "comm,ip,sym", "--time", &time, "--input"]).arg(&file);
    let script = script.stderr(Stdio::null()).output().context("cannot start perf")?;
    ensure!(script.status.success(), "perf script: {}", script.status);
    let samples = fold::samples(&String::from_utf8_lossy(&script.stdout));
    ensure!(!samples.is_empty(), "perf saw nothing of the server; the kernel's part needs root");
    Ok(samples)
}

fn text(work: &str, profiles: &[Vec<Sample>]) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let parts: Vec<_> = profiles.iter().map(|samples| costs::parts(samples)).collect();
    let program: Vec<_> = parts.iter().map(|parts| costs::share(parts, &costs::PROGRAM)).collect();
    let mut text = format!(
        "The server in the rows \"{}\" and \"{}\" of the fan-out, `{work} {AWAKE}`, sampled {SAMPLE_RATE} times in a \
         second of its CPU while somebody talks, {} and {} times in all. Its own instructions, with those of its libraries, are {} \
         and {}, the kernel's the rest. A timer samples: code that runs with interrupts off counts to the function that \
         enables them again, and an inlined function counts to its caller. Stacks for a flame graph viewer: {}.\n\n\
         | part of the work | {} | {} | what was done about it |\n|---|---|---|---|\n",
        TURNS[0].0.name(),
        TURNS[1].0.name(),
        profiles[0].len(),
        profiles[1].len(),
        percent(program[0]),
        percent(program[1]),
        TURNS.map(|(_, file)| format!("`target/{file}`")).join(", "),
        TURNS[0].0.name(),
        TURNS[1].0.name(),
    );
    for (part, share) in &parts[0] {
        let bundled = costs::share(&parts[1], part);
        text += &format!("| {} | {} | {} | {} |\n", part.name, percent(*share), percent(bundled), part.done);
    }
    text += &format!("\n| function, \"{}\" | of | by itself |\n|---|---|---|\n", TURNS[0].0.name());
    for (function, share) in costs::functions(&profiles[0]).into_iter().take(MAX_FUNCTIONS) {
        let of = if function.kernel { "kernel" } else { "program" };
        text += &format!("| `{}` | {of} | {} |\n", function.name, percent(share));
    }
    text
}
