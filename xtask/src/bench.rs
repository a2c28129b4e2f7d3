//! Measuring: the radio under load, on this machine.

use anyhow::Result;

/// Runs the load of the issue and writes `docs/benchmarks.md`.
pub(crate) fn bench() -> Result<()> {
    anyhow::bail!("under construction")
}
