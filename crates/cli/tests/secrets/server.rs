//! A server as a process of its own, and clients of the same binary.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

use crate::http::PATIENCE;

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    data: PathBuf,
    url: String,
    /// Of its certificate, under TLS.
    fingerprint: Option<String>,
}

impl Server {
    /// Logs everything it has to say.
    pub(crate) fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// Speaks TLS.
    pub(crate) fn start_secure() -> Self {
        Self::start_with(&["--tls", "self-signed"], &[])
    }

    /// Lets `origin` log in, too.
    pub(crate) fn start_for(origin: &str) -> Self {
        Self::start_with(&[], &[("TENFOUR_ORIGINS", origin)])
    }

    /// Keeps its data in `data`, and voice for `hold`.
    pub(crate) fn start_in(data: &Path, hold: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_on(folder, data.to_owned(), &[], &[("TENFOUR_HOLD", hold)])
    }

    pub(crate) fn start_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        Self::start_on(folder, data, flags, variables)
    }

    fn start_on(folder: TempDir, data: PathBuf, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut serve = tenfour();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        serve.args(flags).envs([("TENFOUR_LOG", "trace"), ("TENFOUR_WORKERS", "4")]);
        serve.envs(variables.iter().copied());
        let log = File::create(folder.path().join("log")).expect("a file");
        let mut child =
            serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("a URL").to_owned();
        let said = std::fs::read_to_string(folder.path().join("log")).expect("text");
        let mut said = said.lines().skip_while(|line| !line.ends_with("fingerprint is"));
        let fingerprint = said.nth(1).map(str::to_owned);
        Self { child, folder, data, url, fingerprint }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.split_once("://").expect("a URL").1.parse().expect("an address")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// All it has logged so far.
    pub(crate) fn log(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("log")).expect("a file")
    }

    /// Stops it in order. Its folder stays.
    pub(crate) fn stop(&mut self) {
        terminate(&self.child);
        assert!(self.child.wait().expect("it ends").success());
    }

    /// `tenfour listen --at`, which talks to the server at `url`.
    pub(crate) fn listener(&self, url: &str, name: &str, at: &str) -> Listener {
        let mut listen = tenfour();
        listen.args(["listen", "--rx-range", "25km", "--handle", name, "--key"]);
        listen.arg(self.folder.path().join(format!("{name}.key")));
        listen.args(["--server", url, &format!("--at={at}")]);
        listen.args(self.fingerprint.iter().flat_map(|fingerprint| ["--trust", fingerprint]));
        let mut child = listen
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (give, said) = channel();
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| give.send(line)));
        Listener { child, said }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listener that runs.
pub(crate) struct Listener {
    child: Child,
    said: Receiver<String>,
}

impl Listener {
    /// Waits until the server knows where it is.
    pub(crate) fn located(&self) {
        let said = || self.said.recv_timeout(PATIENCE).expect("it says that it is located");
        while !said().starts_with("Located in") {}
    }

    /// Ends it as if the machine had lost its power, all but the kernel.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Ends it as its user does.
    pub(crate) fn stop(mut self) {
        terminate(&self.child);
        self.child.wait().expect("it ends");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    kill_process(Pid::from_child(child), Signal::TERM).expect("it runs");
}

/// The binary, untouched by the settings of whoever runs the tests.
fn tenfour() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tenfour"));
    let settings = |name: &str| name.starts_with("TENFOUR_") && name != "TENFOUR_MUTANT";
    for (name, _) in std::env::vars_os().filter(|(name, _)| settings(&name.to_string_lossy())) {
        program.env_remove(name);
    }
    program
}
