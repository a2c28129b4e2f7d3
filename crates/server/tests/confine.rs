//! A process that has confined itself, tried from inside.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use tenfour_server::confine::{Confinement, confine};

/// Names the folder of the child, which is this program once more.
const FOLDER: &str = "CONFINED_FOLDER";

#[test]
fn a_confined_process_writes_below_its_folder_only_and_calls_nobody() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("outside"), "before").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "confined", "--ignored", "--nocapture"]).env(FOLDER, folder.path());
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("outside")).unwrap(), "before");
    assert_eq!(fs::read_to_string(folder.path().join("data/inside")).unwrap(), "after");
}

/// For the test above, in a process of its own: there is no way back.
#[test]
#[ignore = "confines the process that runs it"]
fn confined() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("called by the other test"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(TcpStream::connect(address).expect("before, calling works"));
    let nats = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let confinement = confine(&folder.join("data"), &[nats.port()]);
    assert_eq!(confinement, Confinement { writes: true, calls: true, memory: true }, "Linux 6.7 has it all");

    let denied = |result: std::io::Result<()>| {
        assert_eq!(result.expect_err("it is denied").kind(), ErrorKind::PermissionDenied);
    };
    let outside = folder.join("outside");
    denied(fs::write(&outside, "after"));
    denied(fs::write(folder.join("new"), "after"));
    denied(fs::create_dir(folder.join("folder")));
    denied(fs::remove_file(&outside));
    fs::write(folder.join("data/inside"), "before").unwrap();
    fs::rename(folder.join("data/inside"), folder.join("data/other")).unwrap();
    fs::rename(folder.join("data/other"), folder.join("data/inside")).unwrap();
    fs::write(folder.join("data/inside"), "after").unwrap();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "before", "reading stays allowed");

    denied(TcpStream::connect(address).map(drop));
    let named = TcpStream::connect(nats).expect_err("nobody listens there");
    assert_eq!(named.kind(), ErrorKind::ConnectionRefused, "a port that was named can be called");
    // A server listens and is called, also after that.
    TcpListener::bind("127.0.0.1:0").unwrap();
    // Threads that are started from now on are confined, too.
    std::thread::spawn(move || assert!(TcpStream::connect(address).is_err())).join().unwrap();
}
