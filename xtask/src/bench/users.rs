//! Virtual users: one run of `tenfour-fanout`.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::servers::{USERS_CORE, pinned};
use crate::shell::target;

/// What one run measured.
#[derive(Debug, Clone)]
pub(crate) struct Figures(pub(crate) Value);

impl Figures {
    /// The number at `path`, names with dots between.
    pub(crate) fn number(&self, path: &str) -> f64 {
        let found = path.split('.').fold(&self.0, |value, name| &value[name]);
        found.as_f64().unwrap_or(f64::NAN)
    }
}

/// Runs `tenfour-fanout` with these flags beside a server, on the users' core.
pub(crate) fn run(flags: &str) -> Result<Figures> {
    run_with(flags, &[])
}

/// The same with more flags, in which spaces do not part words.
pub(crate) fn run_with(flags: &str, more: &[&str]) -> Result<Figures> {
    let mut users = pinned(USERS_CORE, &target().join("release/tenfour-fanout"));
    let output = users.args(flags.split_whitespace()).args(more).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start tenfour-fanout")?;
    ensure!(output.status.success(), "tenfour-fanout {flags}: {}", output.status);
    Ok(Figures(serde_json::from_slice(&output.stdout).context("tenfour-fanout printed no figures")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_found_by_their_path_and_missing_ones_are_none() {
        let figures = Figures(json!({ "cpu": 1, "channel": { "p99_ms": 2.5 } }));
        assert_eq!((figures.number("cpu"), figures.number("channel.p99_ms")), (1.0, 2.5));
        assert!(figures.number("channel.nothing").is_nan());
    }
}
