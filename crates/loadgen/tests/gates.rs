//! The load tool measures a real server, and its gates can fail.

use std::process::{Command, Output};

use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

/// A server on a free port, and a run of the tool against it.
fn load(arguments: &[&str]) -> Output {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(data.path().into()),
        ..Settings::default()
    };
    let server = Server::start(Config::new(settings).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tenfour-load"))
        .args(["--server", server.url(), "--for", "1s"])
        .args(arguments)
        .output()
        .unwrap();
    server.stop();
    output
}

fn line(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

#[test]
fn load_all_frames_reach_all_listeners_of_two_channels() {
    let arguments = [
        "--listeners",
        "40",
        "--talkers",
        "3",
        "--channels",
        "7,19",
        "--burst",
        "0.4s",
        "--gate-delivered",
        "1.0",
    ];
    let output = load(&arguments);
    let line = line(&output);
    assert!(output.status.success(), "{line}");
    assert_eq!(
        (&line["delivered"], &line["disorder"], &line["gaps"]),
        (&line["expected"], &0.into(), &0.into())
    );
    // Three talkers, each heard by the 20 listeners of its channel.
    assert_eq!(line["expected"].as_u64().unwrap(), line["sent"].as_u64().unwrap() * 20);
    assert!(line["sent"].as_u64().unwrap() >= 3 * 30 && line["p50_ms"].as_f64().unwrap() > 0.0, "{line}");
}

#[test]
fn load_that_misses_a_gate_fails() {
    let output = load(&["--listeners", "5", "--gate-p99-ms", "0.001"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(line(&output)["passed"], false);
    assert!(String::from_utf8_lossy(&output.stderr).contains("p99"));
}
