//! The benchmark's own floor serves, and the virtual users measure it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

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

    let output = Command::new(env!("CARGO_BIN_EXE_tenfour-fanout"))
        .args(["fanout", "--kind", "floor", "--listeners", "10", "--talkers", "2", "--for", "0.4"])
        .args(["--at", address, "--pid", &floor.0.id().to_string()])
        .output()
        .unwrap();
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));

    let channel = &figures["channel"];
    assert_eq!((&channel["sent"], &channel["delivered"]), (&40.into(), &400.into()), "{figures}");
    assert_eq!((&figures["disorder"], &figures["foreign"]), (&0.into(), &0.into()));
    assert!(channel["p99_ms"].as_f64().unwrap() > 0.0);
}
