//! The server that is attacked: a process of its own, on a core of its own where there are two.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;
use tenfour_server::Server;
use tenfour_server::config::{Config, LogLevel, Period, Settings};

use super::Plan;

/// The variable that names a mutant, as `tenfour_core::mutants` has it, where there are any.
const MUTANT: &str = "TENFOUR_MUTANT";
/// The mutant that serves as before.
const AS_BEFORE: &str = "serve-hearers-only";

/// A process that serves until it is dropped.
pub(super) struct Host {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Host {
    pub(super) fn start(plan: &Plan, as_before: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = match &plan.server {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
                command.env("TENFOUR_WORKERS", plan.workers.to_string()).env("TENFOUR_HOLD", "2s");
                command
            }
            None => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.arg("serve").arg(folder.path()).arg(plan.workers.to_string());
                command
            }
        };
        command.env(MUTANT, if as_before { AS_BEFORE } else { "" });
        // A process inherits the core of the thread that starts it.
        pin(0);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = process.expect("a server");
        pin(1);
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let url = said.lines().map_while(Result::ok).find_map(|line| {
            let at = line.find("http://")?;
            Some(line[at..].trim().to_owned())
        });
        Self { process, url: url.expect("it says where it is"), _folder: folder }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Runs in the process of a [`Host`], until its standard input ends.
pub fn serve(data: &std::path::Path, workers: usize) {
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().expect("an address")),
        data: Some(data.to_owned()),
        workers: Some(workers),
        hold: Some(Period(std::time::Duration::from_secs(2))),
        log: Some(LogLevel::Error),
        ..Settings::default()
    };
    let server = Server::start(Config::new(settings).expect("good settings")).expect("a server");
    println!("{}", server.url());
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
    server.stop();
}

/// Keeps this thread, and what it starts, on a core, unless there is only one.
fn pin(core: usize) {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) || core == 1 {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores).ok();
    }
}
