//! Processes of the binary, and what they say.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longest that anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server and a folder for everybody's keys and recordings.
pub(crate) struct Host {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    server: Running,
    variables: Vec<(&'static str, &'static str)>,
}

impl Host {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings from the environment.
    pub(crate) fn start_with(variables: &[(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, url) = serve(&folder, "127.0.0.1:0", variables);
        Self { folder, url, server, variables: variables.to_vec() }
    }

    /// As if the machine lost its power, then came back.
    pub(crate) fn kill(&mut self) {
        self.server.signal(Signal::KILL);
        self.server.wait();
    }

    /// As an operator stops it: everything is written when it has ended.
    pub(crate) fn stop(&mut self) {
        self.server.signal(Signal::TERM);
        self.server.wait();
    }

    pub(crate) fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.server, _) = serve(&self.folder, &address, &self.variables);
    }

    /// Waits until the server tells the operator something with `words`.
    pub(crate) fn said(&self, words: &str) -> String {
        self.server.said(words)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of the binary as `who`.
    pub(crate) fn run(&self, who: &str, command: &str, arguments: &[&str]) -> Running {
        Running::start(self.command(who, command, arguments))
    }

    /// The same, not started yet.
    pub(crate) fn command(&self, who: &str, command: &str, arguments: &[&str]) -> Command {
        let mut program = tenfour();
        program.arg(command).args(["--server", &self.url, "--handle", who, "--key"]);
        program.arg(self.path(&format!("{who}.key"))).args(arguments);
        program
    }

    /// Runs a listener, and waits until it is ready.
    pub(crate) fn listen(&self, who: &str, arguments: &[&str]) -> Running {
        let listener = self.run(who, "listen", arguments);
        listener.said("Ready:");
        listener
    }

    pub(crate) fn talk(&self, who: &str, arguments: &[&str]) -> Running {
        self.run(who, "talk", arguments)
    }
}

fn serve(folder: &TempDir, address: &str, variables: &[(&str, &str)]) -> (Running, String) {
    let mut program = tenfour();
    program.args(["serve", "--listen", address, "--data"]).arg(folder.path().join("data"));
    program.envs(variables.iter().copied());
    let mut server = Running::start(program);
    let line = server.line();
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL").to_owned();
    (server, url)
}

/// The binary, untouched by the settings of whoever runs the tests.
pub(crate) fn tenfour() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tenfour"));
    let settings = |name: &str| name.starts_with("TENFOUR_") && name != "TENFOUR_MUTANT";
    for (name, _) in std::env::vars_os().filter(|(name, _)| settings(&name.to_string_lossy())) {
        program.env_remove(name);
    }
    program
}

/// A process. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    /// Lines of standard error.
    errors: Receiver<String>,
    lines: Option<Receiver<String>>,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error, as far as it was not asked for before.
    pub(crate) err: String,
}

impl Running {
    pub(crate) fn start(mut program: Command) -> Self {
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(program)
    }

    /// With a pipe to write to.
    pub(crate) fn with_input(mut program: Command) -> (Self, std::process::ChildStdin) {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Self::spawn(program);
        let input = running.child.stdin.take().expect("piped");
        (running, input)
    }

    fn spawn(mut program: Command) -> Self {
        let mut child = program.spawn().expect("the binary starts");
        let errors = lines(child.stderr.take().expect("piped"));
        Self { child, errors, lines: None }
    }

    /// Waits for a line on standard error that has `words`.
    pub(crate) fn said(&self, words: &str) -> String {
        wait_for(&self.errors, words)
    }

    /// Reads standard output up to `words`, which may stand in an open line.
    pub(crate) fn shows(&mut self, shown: &mut String, words: &str) {
        let from = shown.len();
        let out = self.child.stdout.as_mut().expect("piped");
        let mut byte = [0];
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(words) {
            out.read_exact(&mut byte).unwrap_or_else(|_| panic!("never shown: {words}"));
            bytes.push(byte[0]);
        }
        shown.insert_str(from, &String::from_utf8_lossy(&bytes));
    }

    /// Raw standard output: bytes that come while it runs.
    pub(crate) fn bytes(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("asked for once")
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let child = &mut self.child;
        let lines = self.lines.get_or_insert_with(|| lines(child.stdout.take().expect("piped")));
        lines.recv_timeout(PATIENCE).expect("a line")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait(&mut self) {
        self.child.wait().expect("it ends");
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let mut out = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut out).expect("text");
        }
        let code = self.child.wait().expect("it ends").code();
        Ended { code, out, err: self.errors.iter().collect::<Vec<_>>().join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (give, take) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if give.send(line).is_err() {
                return;
            }
        }
    });
    take
}

fn wait_for(lines: &Receiver<String>, words: &str) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {words}"));
        if line.contains(words) {
            return line;
        }
    }
}
