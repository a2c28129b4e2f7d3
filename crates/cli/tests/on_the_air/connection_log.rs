//! The connection log of a server that is killed, and what `tenfour stats` says of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use serde_json::Value;
use tenfour_client::{Client, Identity, Options, Server, log_in};
use tenfour_core::radio::{Event, LinkState};

use crate::host::{Ended, Host, Running, tenfour};

/// Longest that a connection takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Connects again and again, and says so each time, until the server is gone.
async fn come_and_go(url: String, who: usize, arrived: Sender<()>) {
    let server = Server::new(&url, None).unwrap();
    let identity = Arc::new(Identity::generate().unwrap());
    while let Ok(session) = log_in(&server, &identity, Some(&format!("Roadrunner {who}"))).await {
        let options = Options { program: "test 1".into(), ..Options::default() };
        let mut client = Client::new(server.clone(), identity.clone(), session, options);
        loop {
            match client.next().await {
                Event::Link(LinkState::OnTheAir { .. }) => break,
                Event::Link(LinkState::ComingBack { .. } | LinkState::Gone { .. }) => return,
                _ => {}
            }
        }
        if arrived.send(()).is_err() {
            return;
        }
    }
}

/// The lines of all files, and whether each file ends with the end of a line.
fn lines(data: &Path) -> (Vec<String>, bool) {
    let (mut lines, mut whole) = (Vec::new(), true);
    let mut files: Vec<_> =
        std::fs::read_dir(data.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        whole &= text.ends_with('\n');
        lines.extend(text.lines().map(str::to_owned));
    }
    (lines, whole)
}

fn fields(line: &str) -> Option<usize> {
    serde_json::from_str::<Value>(line).ok()?.as_object().map(serde_json::Map::len)
}

fn stats(data: &Path, arguments: &[&str]) -> Ended {
    let mut program = tenfour();
    program.arg("stats").arg("--data").arg(data).args(arguments);
    Running::start(program).end()
}

#[test]
fn a_killed_server_leaves_whole_rows() {
    let mut host = Host::start();
    let data = host.path("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = host.url.clone();
    let (arrived, arrivals) = channel();
    let people = std::thread::spawn(move || {
        runtime.block_on(async {
            let people = (0..8).map(|who| tokio::spawn(come_and_go(url.clone(), who, arrived.clone())));
            for person in people.collect::<Vec<_>>() {
                person.await.unwrap();
            }
        });
    });
    for _ in 0..100 {
        arrivals.recv_timeout(PATIENCE).expect("somebody arrives");
    }
    host.kill();
    drop(arrivals);
    people.join().unwrap();
    let (left, whole) = lines(&data);
    let torn = left.iter().filter(|line| fields(line) != Some(8)).count();
    assert!(torn <= usize::from(!whole), "at most the last line is torn: {torn}");
    assert!(left.len() > 20, "{} rows", left.len());

    host.start_again();
    host.listen("Bob", &[]);
    host.stop();
    let (after, whole) = lines(&data);
    assert!(whole && after.len() > left.len() - torn);
    assert!(after.iter().all(|line| fields(line) == Some(8)), "what was torn is gone");
    let row: Value = serde_json::from_str(after.last().unwrap()).unwrap();
    assert_eq!((&row["handle"], &row["platform"]), (&"Bob".into(), &std::env::consts::OS.into()));
    assert!(row["version"].as_str().unwrap().starts_with("tenfour-cli "), "{row}");
}

#[test]
fn stats_states_its_rules_and_tells_no_day_that_is_not_over() {
    let mut host = Host::start();
    let data = host.path("data");
    host.listen("Bob", &[]);
    host.stop();
    let (rows, _) = lines(&data);
    let row: Value = serde_json::from_str(&rows[0]).unwrap();
    let today = &row["time"].as_str().unwrap()[..10];

    let page = stats(&data, &["--day", today]);
    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(page.out.starts_with(&format!("{today}  is not over")), "{}", page.out);
    assert!(page.out.contains("epsilon 1 a day") && page.out.contains("below 50"), "{}", page.out);
    assert!(!page.out.contains("Bob") && !page.out.contains("127.0.0.1"));

    let json: Value = serde_json::from_str(&stats(&data, &["--since", "2", "--json"]).out).unwrap();
    assert_eq!((&json["epsilon"], &json["threshold"]), (&1.0.into(), &50.into()));
    assert_eq!(json["days"].as_array().unwrap().len(), 2);
    assert_eq!(json["days"][0]["state"], "counted");

    let wrong = stats(&data, &["--day", "yesterday"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("2026-11-23"), "{}", wrong.err);
    let nowhere = stats(&host.path("nowhere"), &[]);
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.err.contains("--data"), "{}", nowhere.err);
}
