//! Server and command line in a network that leads nowhere: no packet leaves, no name is looked up.
//! The page does the same in `web/e2e/parties.spec.ts`.
#![cfg(target_os = "linux")]

mod closed;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use closed::Closed;
use rustix::process::{Pid, Signal, kill_process};

/// The binary inside, untouched by the settings of whoever runs the tests.
fn tenfour(closed: &Closed) -> Command {
    let mut program = closed.command(env!("CARGO_BIN_EXE_tenfour"));
    let settings = |name: &str| name.starts_with("TENFOUR_") && name != "TENFOUR_MUTANT";
    for (name, _) in std::env::vars_os().filter(|(name, _)| settings(&name.to_string_lossy())) {
        program.env_remove(name);
    }
    program
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Running {
    /// Stops it in order.
    fn stop(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it runs");
        assert!(self.0.wait().expect("it ends").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server with all that is on by default, and its address.
fn serve(closed: &Closed, folder: &Path) -> (Running, String) {
    let mut serve = tenfour(closed);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--data"])
        .arg(folder.join("data"));
    let mut child = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("a URL").to_owned();
    (Running(child), url)
}

/// What a command of `who` prints.
fn run(closed: &Closed, folder: &Path, url: &str, who: &str, arguments: &[&str]) -> String {
    let output = client(closed, folder, url, who, arguments).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tenfour {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

fn client(closed: &Closed, folder: &Path, url: &str, who: &str, arguments: &[&str]) -> Command {
    let mut client = tenfour(closed);
    client.args(arguments).args(["--server", url, "--key"]).arg(folder.join(format!("{who}.key")));
    client.stdin(Stdio::null());
    client
}

/// A second of a tone.
fn tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).expect("a file");
    for at in 0..48_000_u32 {
        let sample = (f64::from(at) * 440.0 * std::f64::consts::TAU / 48_000.0).sin() * 9000.0;
        wav.write_sample(sample as i16).expect("written");
    }
    wav.finalize().expect("written");
}

#[test]
fn a_server_sends_nothing_elsewhere_when_it_starts_and_stops() {
    let (closed, folder) = (Closed::new(), tempfile::tempdir().expect("a folder"));
    let (mut server, url) = serve(&closed, folder.path());
    assert!(run(&closed, folder.path(), &url, "Ann", &["whoami", "--handle", "Ann"]).contains("Ann"));
    server.stop();
    assert_eq!(closed.left(), 0, "packets that would have left the machine");
}

#[test]
fn server_and_command_line_send_nothing_elsewhere_in_a_whole_visit() {
    let (closed, folder) = (Closed::new(), tempfile::tempdir().expect("a folder"));
    let folder = folder.path();
    let wav = folder.join("tone.wav");
    tone(&wav);
    let wav = wav.to_str().expect("text");
    let (mut server, url) = serve(&closed, folder);
    let run = |who: &str, arguments: &[&str]| run(&closed, folder, &url, who, arguments);

    run("Ann", &["whoami", "--handle", "Ann"]);
    let heard = folder.join("heard");
    let place = ["--at=44.81,20.46", "--bursts", "1", "--handle", "Bob", "--json"];
    let mut listen = client(&closed, folder, &url, "Bob", &[&["listen"][..], &place].concat());
    listen.arg("--out").arg(&heard).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut listener = Running(listen.spawn().expect("it starts"));
    let mut said = BufReader::new(listener.0.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("Ready:") {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "never ready");
    }
    run("Ann", &["talk", "--at=44.82,20.47", "--range", "25km", wav]);
    let mut json = String::new();
    listener.0.stdout.take().expect("piped").read_to_string(&mut json).expect("text");
    assert!(listener.0.wait().expect("it ends").success());
    assert!(json.contains("Ann") && heard.read_dir().expect("a folder").count() > 0, "{json}");

    run("Ann", &["channels"]);
    run("Ann", &["profile", "--description", "night shift"]);
    assert!(run("Ann", &["export"]).contains("night shift"));
    run("Ann", &["logout", "--all"]);
    run("Bob", &["erase", "--yes"]);
    server.stop();
    assert_eq!(closed.left(), 0, "packets that would have left the machine");
}

#[test]
fn what_leaves_is_counted_and_so_is_a_name_that_is_looked_up() {
    let closed = Closed::new();
    assert_eq!(closed.left(), 0);
    let send = |to: &str| {
        let sent = closed.command("bash").args(["-c", &format!("echo > /dev/udp/{to}")]).status();
        assert!(sent.expect("it runs").success());
    };
    send("127.0.0.1/9");
    assert_eq!(closed.left(), 0, "loopback is no place elsewhere");
    send("192.0.2.1/53");
    assert_eq!(closed.left(), 1);
    send("2001:db8:1::1/53");
    assert_eq!(closed.left(), 2);
    // Nobody answers: it fails after the packets that ask.
    closed.command("getent").args(["hosts", "tenfour.example"]).output().expect("it runs");
    assert!(closed.left() > 2);
}
