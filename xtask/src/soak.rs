//! Proofs at length.

use anyhow::Result;

use crate::packages;
use crate::shell::{command, run};

/// Sessions come and go on a real server; after each, its memory is searched for the cell. Fails
/// with the first hit.
pub(crate) fn cells(sessions: usize, release: bool) -> Result<()> {
    let mut test = command("cargo test --package tenfour-cli --test secrets");
    if release {
        test.arg("--release");
    }
    test.args(["cells::soak", "--", "--ignored", "--exact", "--nocapture"]);
    run(test.env("TENFOUR_SOAK_SESSIONS", sessions.to_string()))
}

/// Voice is sent as canaries, and looked for after its time in memory, on a raw disk, in the log and in
/// the kernel's queues. Prints the figures, and fails with the first hit.
pub(crate) fn canary(release: bool) -> Result<()> {
    packages::require_all()?;
    let mut test = command("cargo test --package tenfour-cli --test secrets");
    if release {
        test.arg("--release");
    }
    run(test.args(["canary::at_length", "--", "--ignored", "--exact", "--nocapture"]))
}
