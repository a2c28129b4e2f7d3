//! Another program that runs while people talk.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A program that prints one JSON line. It is ended with the value.
pub(crate) struct Beside(Child);

impl Beside {
    /// Starts a command, split at spaces.
    pub(crate) fn start(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().context("a command beside")?);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(Self(command.spawn().with_context(|| format!("cannot start: {line}"))?))
    }

    /// Waits until it has ended: what it printed.
    pub(crate) fn end(mut self) -> Result<serde_json::Value> {
        let mut printed = String::new();
        self.0.stdout.take().expect("piped").read_to_string(&mut printed)?;
        let status = self.0.wait()?;
        ensure!(status.success(), "what ran beside: {status}");
        serde_json::from_str(&printed).context("what ran beside printed no figures")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
