//! Long runs of proofs that the tests run in short.

mod flood_table;
mod floods;

use anyhow::Result;

pub(crate) use floods::Floods;

use crate::packages;
use crate::shell::{command, run};

/// Sessions come and go on real servers, plain and under TLS, so many on each; after each, its memory is searched
/// for the cell. Fails when anything is found.
pub(crate) fn cells(sessions: usize, release: bool) -> Result<()> {
    let mut test = command("cargo test --package tenfour-cli --test secrets");
    if release {
        test.arg("--release");
    }
    test.args(["cells::soak", "--", "--ignored", "--exact", "--nocapture"]);
    run(test.env("TENFOUR_SOAK_SESSIONS", sessions.to_string()))
}

/// Voice is sent as canaries, whole and broken, plain and under TLS, and looked for after its time in memory, on
/// a raw disk, in the log and in the kernel's queues. Prints a table for each, and fails when anything is found.
pub(crate) fn canary(release: bool) -> Result<()> {
    packages::require_all()?;
    let mut test = command("cargo test --package tenfour-cli --test secrets");
    if release {
        test.arg("--release");
    }
    // One test at a time: on a busy machine, more than a second may pass until memory is clean.
    run(test.args(["at_length", "--", "--ignored", "--nocapture", "--test-threads=1"]))
}
