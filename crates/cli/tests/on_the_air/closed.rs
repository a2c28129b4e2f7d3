//! Pipes that nobody reads any more, and devices that are full: no reason to die.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::host::{Host, tenfour};
use crate::speech::{speech, write};

/// Longest that anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A pipe whose other end is closed.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// How it ends, and what it says on standard error.
fn ends(command: &mut Command, out: Stdio) -> (ExitStatus, String) {
    let output = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_command_whose_reader_has_gone_ends_well_and_one_that_cannot_write_says_so() {
    let host = Host::start();
    for command in ["whoami", "channels", "export"] {
        let mut command = match command {
            // It is for somebody who is there already.
            "export" => {
                let mut program = tenfour();
                program.args(["export", "--server", &host.url, "--key"]).arg(host.path("Ann.key"));
                program
            }
            _ => host.command("Ann", command, &[]),
        };
        let (status, words) = ends(&mut command, closed());
        assert_eq!(status.code(), Some(0), "{command:?}: {words}");
        assert!(!words.contains("panicked"), "{command:?}: {words}");
        let (status, words) = ends(&mut command, full());
        assert_eq!(status.code(), Some(1), "{command:?}: {words}");
        assert!(words.contains("standard output") && words.contains("No space left"), "{command:?}: {words}");
    }
}

#[test]
fn a_listener_whose_reader_has_gone_leaves() {
    let host = Host::start();
    let mut listener = host.command("Bob", "listen", &["--json"]);
    let mut child = listener.stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut words = String::new();
    while !words.contains("Ready:") {
        assert_ne!(errors.read_line(&mut words).unwrap(), 0, "{words}");
    }
    write(&host.path("said.wav"), &speech(0.5));
    let said = host.path("said.wav");
    // What nobody reads of a talk does not end it either.
    let (status, said) = ends(&mut host.command("Ann", "talk", &[said.to_str().unwrap()]), closed());
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(ended(&mut child).code(), Some(0));
}

#[test]
fn a_server_that_can_print_nothing_serves_and_tells_when_it_stops() {
    for out in [full, closed] {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut serve = tenfour();
        serve.args(["serve", "--listen", &address.to_string(), "--data"]).arg(folder.path());
        let mut server = serve.stdin(Stdio::null()).stdout(out()).stderr(closed()).spawn().unwrap();
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begin.elapsed() < PATIENCE && server.try_wait().unwrap().is_none(), "it does not serve");
            std::thread::yield_now();
        }
        let mut listen = tenfour();
        listen.args(["listen", "--server", &format!("http://{address}"), "--handle", "Bob", "--key"]);
        listen.arg(folder.path().join("Bob.key"));
        let listener = crate::host::Running::start(listen);
        listener.said("Ready:");
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        listener.said("The server stops");
        assert_eq!(ended(&mut server).code(), Some(0));
    }
}

fn ended(child: &mut Child) -> ExitStatus {
    let begin = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None => assert!(begin.elapsed() < PATIENCE, "it does not end"),
        }
        std::thread::yield_now();
    }
}
