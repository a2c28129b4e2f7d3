//! Where the server's time goes while one voice reaches a thousand: a flame graph, and the largest
//! costs.
//!
//! What is looked at is the binary that is measured and handed out: `perf` unwinds its stacks by the
//! tables that panics need anyway, so that no other build is needed.

mod costs;
mod draw;
mod fold;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use self::fold::{Node, Sample};
use super::report::Section;
use super::turns::{AWAKE, Turn};
use super::users;
use crate::packages;
use crate::shell::{command, target};

/// Debian's package and the program in it.
const PERF: (&str, &str) = ("linux-perf", "/usr/bin/perf");
/// Looks in a second of the server's CPU; no multiple of what the server does regularly.
const LOOKS: &str = "4999";
/// Stacks are copied up to this many bytes: ours are smaller.
const STACKS: &str = "dwarf,4096";
/// Functions that are named.
const FUNCTIONS: usize = 10;
/// Who is looked at, and where the graph goes.
const TURNS: [(Turn, &str); 2] = [(Turn::Plain, "flamegraph.svg"), (Turn::Bundled, "flamegraph-bundles.svg")];

/// Looks at the server under this work; `keep` says whether it is written down.
pub(super) fn profile(work: &str, keep: bool) -> Result<Section> {
    packages::install_if_possible(&[PERF])?;
    ensure!(Path::new(PERF.1).exists(), "perf is not installed (Debian: {})", PERF.0);
    let mut looks = Vec::new();
    for (turn, file) in TURNS {
        let samples = look(turn, work)?;
        let graph = target().join(file);
        fs::write(&graph, draw::flame(&format!("{}: {work}", turn.name()), &Node::of(&samples)))
            .with_context(|| graph.display().to_string())?;
        println!("flame graph of {}: {}", turn.name(), graph.display());
        looks.push(samples);
    }
    let text = text(work, &looks);
    Ok(Section { name: "profile", title: "Where the time goes", text, verdicts: Vec::new(), keep })
}

/// Stacks of the server while somebody talked.
fn look(turn: Turn, work: &str) -> Result<Vec<Sample>> {
    let data = tempfile::tempdir()?;
    let file = data.path().join("perf.data");
    let server = turn.start()?;
    let pid = server.pid().to_string();
    let mut perf = Command::new(PERF.1);
    perf.args(["record", "--quiet", "--clockid", "mono", "--freq", LOOKS, "--call-graph", STACKS]);
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

fn text(work: &str, looks: &[Vec<Sample>]) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let parts: Vec<_> = looks.iter().map(|samples| costs::parts(samples)).collect();
    let program: Vec<_> = parts.iter().map(|parts| costs::share(parts, &costs::PROGRAM)).collect();
    let mut text = format!(
        "The server in the rows \"{}\" and \"{}\" of the fan-out, `{work} {AWAKE}`, looked at {LOOKS} times in a second \
         of its CPU while somebody talks, {} and {} times in all. Its own instructions, with those of its libraries, are {} and {}, \
         the kernel's the rest. A timer looks: what runs with interrupts off counts to the function that lets them on \
         again, and what the compiler has put into another function counts to that. Flame graphs: {}.\n\n\
         | part of the work | {} | {} | what was done about it |\n|---|---|---|---|\n",
        TURNS[0].0.name(),
        TURNS[1].0.name(),
        looks[0].len(),
        looks[1].len(),
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
    for (function, share) in costs::functions(&looks[0]).into_iter().take(FUNCTIONS) {
        let of = if function.kernel { "kernel" } else { "program" };
        text += &format!("| `{}` | {of} | {} |\n", function.name, percent(share));
    }
    text
}
