//! Five floods in short: people talk on, and no frame is lost. `cargo xtask soak floods` runs all of them at length,
//! with the goals.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

/// One of each kind: frames that the codec answers by itself, messages that it cannot read, answers that nobody
/// reads, presses, connections.
const FLOODS: [&str; 5] = ["pings", "bad-json", "pages-unread", "presses", "connects"];
/// One account on more sockets than a person has, and 20 accounts of one address.
const WHO_PRESSED_FIRST: [&str; 2] = ["--people 1 --sockets 680", "--people 20 --sockets 160"];
const USERS: &str = env!("CARGO_BIN_EXE_tenfour-fanout");
/// Attackers and honest people have addresses of their own: the server does not limit loopback.
const NETWORK: &str =
    "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ip route add local 10.0.0.0/8 dev lo && exec \"$@\"";
/// Server and test together need 16 to 39 MB; before there were budgets, bad JSON alone took 476.
const MOST_MEMORY_KIB: u64 = 200 * 1024;

/// Runs the next test in a network of its own.
#[test]
fn five_floods_take_nothing_from_those_who_talk() {
    let mut unshare = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--net", "sh", "-c", NETWORK, "sh"]).arg(std::env::current_exe().unwrap());
    unshare.args(["--exact", "in_a_network_of_its_own", "--ignored", "--nocapture"]);
    let output = unshare.output().expect("unshare (util-linux) starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "namespaces need root and iproute2, or a flood did harm");
    assert_eq!(printed.matches("took nothing").count(), FLOODS.len() + WHO_PRESSED_FIRST.len());
}

#[test]
#[ignore = "the test above runs it, in a network of its own"]
fn in_a_network_of_its_own() {
    FLOODS.into_iter().for_each(flood_who_talks);
    WHO_PRESSED_FIRST.into_iter().for_each(press_where_others_press);
}

/// The flood begins while people talk.
fn flood_who_talks(name: &str) {
    let (server, _data) = start();
    let beside = format!("chrt --idle 0 {USERS} flood {name} --at {} --for 3", server.url());
    let figures = talk(&server, &["--for", "5", "--beside", &beside]);
    let (sent, memory) = (&figures["beside"]["sent"], &figures["rss_kib_most"]);
    assert!(sent.as_u64().unwrap() > 100, "{name} was no flood: {}", figures["beside"]);
    assert!(memory.as_u64().unwrap() < MOST_MEMORY_KIB, "{name}: {memory} KiB");
    server.stop();
    println!("{name}: {} took nothing, {memory} KiB", figures["beside"]);
}

/// Attackers of one address press on all forty channels before anybody else comes.
fn press_where_others_press(flags: &str) {
    let (server, _data) = start();
    let mut flood = Command::new("chrt");
    flood.args(["--idle", "0", USERS, "flood", "presses", "--for", "60", "--at", server.url()]);
    flood.args(flags.split(' ')).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut flood = flood.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(flood.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "flooding\n");
    talk(&server, &["--for", "3", "--busy"]);
    assert!(flood.try_wait().unwrap().is_none(), "the flood ended before the others had talked");
    flood.kill().unwrap();
    flood.wait().unwrap();
    server.stop();
    println!("presses {flags}: took nothing");
}

fn start() -> (Server, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(data.path().into()),
        ..Settings::default()
    };
    (Server::start(Config::new(settings).unwrap()).unwrap(), data)
}

/// People talk, in pairs and on a channel; all of it is heard. Their figures.
fn talk(server: &Server, flags: &[&str]) -> Value {
    let output = Command::new(USERS)
        .args(["fanout", "--kind", "tenfour", "--pairs", "20", "--listeners", "50", "--talkers", "1"])
        .args(["--from", "10.77.0.0/16", "--at", server.url(), "--pid", &std::process::id().to_string()])
        .args(flags)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "somebody honest was disconnected: {words}");
    assert!(!words.contains("refused"), "{words}");
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    for who in ["pair", "channel"] {
        assert_eq!(figures[who]["delivered"], figures[who]["expected"], "{who}: {words}");
    }
    figures
}
