//! Running other programs.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `program args...`, split at spaces.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words);
    command
}

/// Runs `line` and fails when it fails.
pub(crate) fn sh(line: &str) -> Result<()> {
    run(&mut command(line))
}

/// Runs a command, says which and how long it took, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    eprintln!("\n> {line}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start: {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    ended(line, start);
    Ok(())
}

/// The commands that have ended, in that order, and how long each took.
static STEPS: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

fn ended(line: String, start: Instant) {
    eprintln!("< {line}: {:.0} s", start.elapsed().as_secs_f32());
    STEPS.lock().expect("nobody panics with it").push((line, start.elapsed()));
}

/// Prints how long each command took so far.
pub(crate) fn print_timings() {
    println!("\n   seconds  command");
    for (line, took) in STEPS.lock().expect("nobody panics with it").iter() {
        println!("{:10.0}  {}", took.as_secs_f32(), line.chars().take(100).collect::<String>());
    }
}

/// What a command that was watched left behind.
pub(crate) struct Watched {
    /// Whether it ended well.
    pub(crate) success: bool,
    /// All it printed, both streams.
    pub(crate) output: String,
}

/// Runs a command, shows what it prints and keeps it too.
pub(crate) fn watch(command: &mut Command) -> Result<Watched> {
    let line = line_of(command);
    eprintln!("\n> {line}");
    let start = Instant::now();
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot start: {line}"))?;
    // The command keeps the pipe's writing end: replaced, so that reading ends with the child.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut output = String::new();
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        std::io::stdout().write_all(&bytes)?;
        output.push_str(&String::from_utf8_lossy(&bytes));
        bytes.clear();
    }
    let success = child.wait()?.success();
    ended(line, start);
    Ok(Watched { success, output })
}

/// True when `program` answers.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    let (out, err) = (Stdio::null(), Stdio::null());
    Command::new(program).arg(argument).stdout(out).stderr(err).status().is_ok_and(|status| status.success())
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
