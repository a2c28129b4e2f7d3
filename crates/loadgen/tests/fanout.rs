//! The virtual users measure a real server and the benchmark's own floor, which both give every frame to everybody.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

/// A floor that ends with the value.
struct Floor(Child);

impl Drop for Floor {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_floor_gives_every_frame_to_ten_listeners() {
    let child = Command::new(env!("CARGO_BIN_EXE_tenfour-floor")).stdout(Stdio::piped()).spawn().unwrap();
    let mut floor = Floor(child);
    let mut line = String::new();
    BufReader::new(floor.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split_whitespace().last().unwrap();

    let work = ["--kind", "floor", "--listeners", "10", "--talkers", "2", "--for", "0.4"];
    let figures = measured(&work, address, floor.0.id());

    let channel = &figures["channel"];
    assert_eq!((&channel["sent"], &channel["delivered"]), (&40.into(), &400.into()), "{figures}");
    assert_eq!((&figures["disorder"], &figures["foreign"]), (&0.into(), &0.into()));
    assert!(channel["p99_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn load_every_frame_reaches_the_listeners_of_each_channel_in_order() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(data.path().into()),
        ..Settings::default()
    };
    let server = Server::start(Config::new(settings).unwrap()).unwrap();

    let work =
        ["--kind", "tenfour", "--listeners", "20", "--talkers", "2", "--pairs", "3", "--for", "1", "--busy"];
    let figures = measured(&work, server.url(), std::process::id());
    server.stop();

    // On the channel, each talker hears the other one too.
    for (group, talkers, listeners) in [("channel", 2, 20 + 1), ("pair", 3, 1)] {
        let number = |name: &str| figures[group][name].as_u64().unwrap();
        assert_eq!(number("sent"), talkers * 50, "{figures}");
        assert_eq!(number("delivered"), talkers * 50 * listeners, "{figures}");
        assert!(figures[group]["p50_ms"].as_f64().unwrap() > 0.0, "{figures}");
    }
    assert_eq!((&figures["disorder"], &figures["foreign"]), (&0.into(), &0.into()));
}

fn measured(work: &[&str], at: &str, pid: u32) -> Value {
    let mut users = Command::new(env!("CARGO_BIN_EXE_tenfour-fanout"));
    let users = users.arg("fanout").args(work).args(["--at", at, "--pid", &pid.to_string()]);
    let output = users.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}
