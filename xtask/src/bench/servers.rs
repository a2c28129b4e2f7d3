//! Starting servers, each on a core of its own, and ending them.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::shell::{command, target};

/// The core of the server, and that of its users.
pub(crate) const SERVER_CORE: &str = "0";
pub(crate) const USERS_CORE: &str = "1";
/// For programs that share both.
pub(crate) const ALL_CORES: &str = "0,1";
const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that ends with the value.
pub(crate) struct Server {
    child: Child,
    /// A URL for Tenfour, else address and port.
    pub(crate) at: String,
    /// Its files.
    _data: TempDir,
}

/// How Tenfour is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ours {
    pub(crate) tls: bool,
    pub(crate) workers: usize,
    /// Cores, as `taskset -c` takes them.
    pub(crate) cores: &'static str,
    /// How long somebody may talk.
    pub(crate) talk_limit: &'static str,
}

impl Ours {
    /// One worker on the server's core.
    pub(crate) const PLAIN: Self = Self { tls: false, workers: 1, cores: SERVER_CORE, talk_limit: "1m" };
}

impl Server {
    pub(crate) fn ours(ours: Ours) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut serve = pinned(ours.cores, &target().join("release/tenfour"));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        if ours.tls {
            serve.args(["--tls", "self-signed"]);
        }
        serve.env("TENFOUR_WORKERS", ours.workers.to_string()).env("TENFOUR_LOG", "warn");
        serve.env("TENFOUR_TALK_LIMIT", ours.talk_limit);
        Self::that_says_where(serve, data, |word| word.starts_with("http"))
    }

    pub(crate) fn floor() -> Result<Self> {
        let floor = pinned(SERVER_CORE, &target().join("release/tenfour-floor"));
        Self::that_says_where(floor, tempfile::tempdir()?, |word| word.starts_with("127."))
    }

    /// Starts the server of `command`, which is given a free address.
    pub(crate) fn at_free_port(command: impl FnOnce(SocketAddr, &Path) -> Result<Command>) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = command(address, data.path())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let mut server = Self { child, at: address.to_string(), _data: data };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{command:?} ended at once: {status}");
            }
            if begin.elapsed() > START_TIMEOUT {
                bail!("{command:?} does not answer at {address}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Starts a server that prints its address on the first line.
    fn that_says_where(mut command: Command, data: TempDir, is_address: fn(&str) -> bool) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Self { child, at: String::new(), _data: data };
        let mut line = String::new();
        BufReader::new(server.child.stdout.take().expect("piped")).read_line(&mut line)?;
        server.at = line.split_whitespace().find(|word| is_address(word)).context("no address")?.to_owned();
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A polite stop first, so that it ends as it does in operation.
        let _ = command(&format!("kill -TERM {}", self.child.id())).stderr(Stdio::null()).status();
        let begin = Instant::now();
        while begin.elapsed() < STOP_TIMEOUT {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether servers and users go before all other programs of the machine.
static REALTIME: AtomicBool = AtomicBool::new(false);

/// From now on servers and users go before all other programs of the machine. Only root may do that.
pub(crate) fn go_first() {
    REALTIME.store(true, Relaxed);
}

pub(crate) fn all_go_first() -> bool {
    REALTIME.load(Relaxed)
}

/// The program on these cores.
pub(crate) fn pinned(cores: &str, program: &Path) -> Command {
    let mut command;
    if REALTIME.load(Relaxed) {
        command = Command::new("chrt");
        command.args(["--rr", "1", "taskset"]);
    } else {
        command = Command::new("taskset");
    }
    command.args(["-c", cores]).arg(program);
    command
}
