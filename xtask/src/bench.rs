//! Measuring: the radio under load, on this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::shell::{command, sh, target};
use crate::web;

/// The work, as flags of `tenfour-load`: what a large channel is like.
const LOADS: [(&str, &str); 2] = [
    ("1,000 listeners, one talker", "--listeners 1000 --talkers 1 --for 10s --gate-delivered 1.0"),
    ("1,000 listeners, three talkers at once", "--listeners 1000 --talkers 3 --for 10s --gate-delivered 1.0"),
];

const REPORT: &str = "docs/benchmarks.md";

/// Runs each load against a fresh server and writes the report. Fails when a gate fails.
pub(crate) fn bench() -> Result<()> {
    web::build()?;
    sh("cargo build --release --package tenfour-cli --package tenfour-loadgen")?;
    let mut report = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`: a release build, server and load on the same machine \
         over loopback, {} cores. A frame's latency counts from when it was due. Wall time on a shared machine \
         is noisy: compare rows of one run, not runs.\n",
        std::thread::available_parallelism()?
    );
    let mut failed = Vec::new();
    for (name, flags) in LOADS {
        let (line, success) = load(flags)?;
        println!("{name}: {line}");
        report += &format!("\n## {name}\n\n`tenfour-load {flags}`\n\n```json\n{line}\n```\n");
        if !success {
            failed.push(name);
        }
    }
    let (lines, success) = audience()?;
    report += &format!(
        "\n## Audience of a burst\n\n`cargo bench -p tenfour-core --bench audience`: from a press to the drained orders \
         of the hub, everybody in a cell of their own. Gates: 100,000 participants in 2 ms, 5 % of a core.\n\n\
         ```json\n{lines}```\n"
    );
    if !success {
        failed.push("audience");
    }
    fs::write(REPORT, report)?;
    println!("written: {REPORT}");
    ensure!(failed.is_empty(), "a gate failed: {}", failed.join("; "));
    Ok(())
}

/// What the hub's benchmark of audiences prints, and whether its gates held.
fn audience() -> Result<(String, bool)> {
    let mut bench = command("cargo bench --quiet --package tenfour-core --bench audience");
    let output = bench.stderr(Stdio::inherit()).output().context("cannot start cargo bench")?;
    let lines = String::from_utf8(output.stdout)?;
    print!("{lines}");
    Ok((lines, output.status.success()))
}

/// The JSON line of one load, and whether its gates held.
fn load(flags: &str) -> Result<(String, bool)> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let mut load = Command::new(target().join("release/tenfour-load"));
    load.args(["--server", &server.url]).args(flags.split_whitespace());
    let output = load.stderr(Stdio::inherit()).output().context("cannot start tenfour-load")?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().last().context("tenfour-load printed nothing")?;
    Ok((line.to_owned(), output.status.success()))
}

/// A server that ends with the value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(data: &std::path::Path) -> Result<Self> {
        let mut serve = Command::new(target().join("release/tenfour"));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = serve.stdout(Stdio::piped()).spawn().context("cannot start tenfour")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        let url =
            line.split_whitespace().find(|word| word.starts_with("http")).context("no address")?.to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A polite stop first, so that the log shows an ordinary end.
        let _ = command(&format!("kill -TERM {}", self.child.id())).status();
        let _ = self.child.wait();
    }
}
