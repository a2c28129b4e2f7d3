//! `tenfour serve` as an operator starts and stops it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn serve(data: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenfour"));
    command.arg("serve").arg("--data").arg(data).args(flags);
    command.env_remove("TENFOUR_CONFIG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn terminate(child: &Child) {
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
}

fn refused(flags: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let Output { status, stderr, stdout } = serve(folder.path(), flags).output().unwrap();
    assert_eq!(stdout, b"", "an error is not for programs that read the address");
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_address_is_the_only_line_on_stdout_and_sigterm_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = serve(folder.path(), &["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("Tenfour is on the air: http://127.0.0.1:").expect(&line);
    assert_ne!(url.parse::<u16>().unwrap(), 0);
    terminate(&child);
    let stopped = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // Promised are two seconds; a busy machine gets more.
    assert!(stopped.elapsed() < Duration::from_secs(5), "{:?}", stopped.elapsed());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn what_is_wrong_is_said_once_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = refused(&["--listen", &address]);
    assert_eq!(code, Some(1));
    assert!(text.starts_with("tenfour: cannot listen on") && text.contains("--listen 127.0.0.1:"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let (code, text) = refused(&["--listen", "127.0.0.1:0", "--ops", &address]);
    assert_eq!(code, Some(1));
    assert!(text.contains("--ops 127.0.0.1:"), "{text}");
    let (code, text) = refused(&["--listen", "localhost"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("like 127.0.0.1:27185"), "{text}");
    let (code, text) = refused(&["--config", "/nowhere/tenfour.toml"]);
    assert_eq!(code, Some(1));
    assert_eq!(text.matches("No such file").count(), 1, "{text}");
}
