//! A server as a process of its own, and clients of the same binary.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

use crate::http::PATIENCE;
use crate::line::{Door, Mode};
use crate::recorder::Recorder;

/// A server that runs.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    data: PathBuf,
    door: Door,
    /// Of its certificate, under TLS.
    fingerprint: Option<String>,
    /// Stands before it.
    recorder: Option<Recorder>,
}

/// How a server is started.
#[derive(Default)]
pub(crate) struct Setup<'a> {
    /// Where it keeps its data; in a folder of its own otherwise.
    pub(crate) data: Option<PathBuf>,
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// Stands before it: clients reach it there, too.
    pub(crate) recorder: Option<Recorder>,
}

/// What a client of the binary is told of a server.
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) fingerprint: Option<String>,
}

impl Server {
    /// Logs everything it has to say.
    pub(crate) fn start(mode: Mode) -> Self {
        Self::start_with(mode, Setup::default())
    }

    /// Keeps its data in `data`, and voice for `hold`.
    pub(crate) fn start_in(mode: Mode, data: PathBuf, hold: &str) -> Self {
        let variables = &[("TENFOUR_HOLD", hold)];
        Self::start_with(mode, Setup { data: Some(data), variables, ..Setup::default() })
    }

    /// With a recorder before it, to which clients talk by `front`.
    pub(crate) fn start_recorded(mode: Mode, front: Mode) -> Self {
        Self::start_with(mode, Setup { recorder: Some(Recorder::start(front)), ..Setup::default() })
    }

    pub(crate) fn start_with(mode: Mode, setup: Setup<'_>) -> Self {
        let Setup { data, variables, mut recorder } = setup;
        let folder = tempfile::tempdir().expect("a folder");
        let data = data.unwrap_or_else(|| folder.path().join("data"));
        // Clients of the binary speak the newest version that they can.
        if mode == Mode::Tls12 && recorder.is_none() {
            recorder = Some(Recorder::start(Mode::Plain));
        }
        let mut serve = tenfour();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        serve.args(mode.is_secure().then_some(["--tls", "self-signed"]).iter().flatten());
        serve.envs([("TENFOUR_LOG", "trace"), ("TENFOUR_WORKERS", "4")]);
        serve.envs(recorder.iter().map(|recorder| ("TENFOUR_ORIGINS", recorder.door().origin())));
        serve.envs(variables.iter().copied());
        let log = File::create(folder.path().join("log")).expect("a file");
        let mut child =
            serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("a URL");
        let address = url.split_once("://").expect("a URL").1.parse().expect("an address");
        let door = Door { address, mode };
        assert_eq!(door.origin(), url);
        let said = std::fs::read_to_string(folder.path().join("log")).expect("text");
        let mut said = said.lines().skip_while(|line| !line.ends_with("fingerprint is"));
        let fingerprint = said.nth(1).map(str::to_owned);
        recorder.iter().for_each(|recorder| recorder.pass_on_to(door, &data));
        Self { child, folder, data, door, fingerprint, recorder }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn door(&self) -> Door {
        self.door
    }

    /// Where clients of the binary, and of its library, find it.
    pub(crate) fn address(&self) -> Address {
        let door = self.recorder.as_ref().map_or(self.door, Recorder::door);
        let fingerprint = self.fingerprint.clone().filter(|_| door.mode.is_secure());
        Address { url: door.origin(), fingerprint }
    }

    /// The same, for the library.
    pub(crate) fn known(&self) -> tenfour_client::Server {
        let Address { url, fingerprint } = self.address();
        tenfour_client::Server::new(&url, fingerprint.as_deref()).expect("an address")
    }

    /// The one before it.
    pub(crate) fn recorder(&self) -> &Recorder {
        self.recorder.as_ref().expect("it was started with one")
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
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

    /// A command of the binary that goes to this server, with a key of its own for `name`.
    pub(crate) fn program(&self, command: &str, name: &str) -> Command {
        let Address { url, fingerprint } = self.address();
        let mut program = tenfour();
        program.args([command, "--server", &url, "--handle", name, "--key"]).arg(self.key(name));
        program.args(fingerprint.iter().flat_map(|fingerprint| ["--trust", fingerprint]));
        program
    }

    /// The file of the key of `name`.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    /// `tenfour listen --at`.
    pub(crate) fn listener(&self, name: &str, at: &str) -> Listener {
        let mut listen = self.program("listen", name);
        listen.args(["--rx-range", "25km", &format!("--at={at}")]);
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
