//! Runs tests against the programs that break the policy on purpose.
//!
//! The build of the tests has all mutants, and a process is told at its start which of them to be. Each test is a
//! process of its own, started without a runner: finding the tests anew for each mutant took longer than running them.
//! As many mutants are tried at a time as there are cores, but searches of memory have the machine to themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tenfour_policy::{Mutant, Proof};

use super::results::{self, Results, VITEST_MUTANTS};
use crate::runners::{BUILD_OF_TESTS, vitest};
use crate::shell::{command, root, watch};

/// The variable that tells a process which mutant it is: `tenfour_core::mutants::VARIABLE`.
const VARIABLE: &str = "TENFOUR_MUTANT";
/// As `.config/nextest.toml` has it: a test that a mutant holds up has noticed it.
const TIMEOUT: Duration = Duration::from_secs(180);
/// How often a test is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Tests that have the machine to themselves, as in `.config/nextest.toml`.
const ALONE: &str = "tenfour-cli::secrets";

/// Where the tests are: the program of each binary identifier.
pub(super) struct Binaries {
    programs: BTreeMap<String, PathBuf>,
    /// Who tries a mutant holds it for reading, and for writing when nothing else may run.
    machine: RwLock<()>,
}

impl Binaries {
    /// Asks nextest, which has built them.
    pub(super) fn built() -> Result<Self> {
        let list = format!("cargo nextest list {BUILD_OF_TESTS} --cargo-quiet --list-type binaries-only");
        let output = command(&format!("{list} --message-format json")).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("{list}: {}", output.status);
        }
        let list: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let binaries = list["rust-binaries"].as_object().context("nextest listed no binaries")?;
        let path = |binary: &serde_json::Value| binary["binary-path"].as_str().map(PathBuf::from);
        let programs = binaries.iter().filter_map(|(id, binary)| Some((id.clone(), path(binary)?))).collect();
        Ok(Self { programs, machine: RwLock::new(()) })
    }

    /// A test with a mutant, in the folder in which cargo runs it.
    fn start(&self, binary: &str, test: &str, mutant: &str) -> Result<Child> {
        let program = self.programs.get(binary).with_context(|| format!("there is no binary {binary}"))?;
        let package = binary.split("::").next().unwrap_or(binary).trim_start_matches("tenfour-");
        let mut command = Command::new(program);
        command.args(["--exact", test]).env(VARIABLE, mutant);
        command.current_dir(root().join("crates").join(package));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().with_context(|| program.display().to_string())
    }

    /// Whether the test is green without the mutant, started in the same way, and red with it.
    fn notices(&self, binary: &str, test: &str, mutant: &str) -> Result<bool> {
        let alone = binary == ALONE;
        let _shared = (!alone).then(|| self.machine.read().expect("nobody panics with it"));
        let _whole = alone.then(|| self.machine.write().expect("nobody panics with it"));
        Ok(!self.is_red(binary, test, "")? && self.is_red(binary, test, mutant)?)
    }

    fn is_red(&self, binary: &str, test: &str, mutant: &str) -> Result<bool> {
        let mut child = self.start(binary, test, mutant)?;
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            if let Some(status) = child.try_wait()? {
                return Ok(!status.success());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        child.kill()?;
        child.wait()?;
        Ok(true)
    }
}

/// The names of the mutants that all of their tests notice.
pub(super) fn caught(mutants: &[&Mutant], binaries: &Binaries) -> Result<BTreeSet<String>> {
    let left = Mutex::new(mutants.iter());
    let try_them = || {
        let mut caught = BTreeSet::new();
        // The lock is open again before the mutant is tried.
        while let Some(mutant) = { left.lock().expect("nobody panics with it").next() } {
            let start = Instant::now();
            let word = if is_caught(mutant, binaries)? {
                caught.insert(mutant.name.clone());
                "caught"
            } else {
                "MISSED"
            };
            println!("mutant {}: {word}, {:.1} s", mutant.name, start.elapsed().as_secs_f32());
        }
        anyhow::Ok(caught)
    };
    thread::scope(|scope| {
        let threads = (0..thread::available_parallelism()?.get()).map(|_| scope.spawn(try_them));
        let threads: Vec<_> = threads.collect();
        let each = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        each.collect::<Result<Vec<_>>>().map(|each| each.into_iter().flatten().collect())
    })
}

fn is_caught(mutant: &Mutant, binaries: &Binaries) -> Result<bool> {
    let page = results_of_the_page(mutant, binaries)?;
    for test in &mutant.tests {
        let notices = match test {
            Proof::Rust { binary, test } => binaries.notices(binary, test, &mutant.name)?,
            Proof::Page { .. } => page.of(test) == Some(false),
        };
        if !notices {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How the tests of the page's parts go with the mutant; nothing when none of them is to notice it.
fn results_of_the_page(mutant: &Mutant, binaries: &Binaries) -> Result<Results> {
    let files: BTreeSet<_> = mutant.tests.iter().filter_map(file_of_the_page).collect();
    if files.is_empty() {
        return Ok(Results::default());
    }
    let _whole = binaries.machine.write().expect("nobody panics with it");
    results::forget(VITEST_MUTANTS)?;
    watch(vitest(VITEST_MUTANTS).args(files).env(VARIABLE, &mutant.name))?;
    Results::of_mutants()
}

/// Where a test of the page is that no browser runs, from `web/`.
fn file_of_the_page(test: &Proof) -> Option<&Path> {
    match test {
        Proof::Page { file, .. } if !test.is_in_browser() => file.strip_prefix("web/").map(Path::new),
        Proof::Page { .. } | Proof::Rust { .. } => None,
    }
}
