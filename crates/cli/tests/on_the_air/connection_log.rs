//! The connection log of a server that is killed, and what `tenfour stats` says of it.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use serde_json::Value;
use tenfour_client::{Client, Identity, Options, Server, log_in};
use tenfour_core::radio::{Event, LinkState};

use crate::host::{Ended, Host, Running, tenfour};
use crate::speech::{speech, write};

/// Longest that a connection takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Connects again and again, and says so each time, until the server is gone.
async fn come_and_go(url: String, who: usize, arrived: Sender<()>) {
    let server = Server::new(&url, None).unwrap();
    let identity = Arc::new(Identity::generate().unwrap());
    let handle = format!("Roadrunner {who}");
    while connect(&server, &identity, &handle).await.is_some_and(|_| arrived.send(()).is_ok()) {}
}

/// Somebody on the air; nobody when the server is gone.
async fn connect(server: &Server, identity: &Arc<Identity>, handle: &str) -> Option<Client> {
    let session = log_in(server, identity, Some(handle)).await.ok()?;
    let options = Options { program: "test 1".into(), ..Options::default() };
    let mut client = Client::new(server.clone(), identity.clone(), session, options);
    loop {
        match client.next().await {
            Event::Link(LinkState::OnTheAir { .. }) => return Some(client),
            Event::Link(LinkState::ComingBack { .. } | LinkState::Gone { .. }) => return None,
            _ => {}
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
    let platform = row["platform"].as_str().unwrap();
    assert_eq!((&row["handle"], &*platform.to_lowercase()), (&"Bob".into(), std::env::consts::OS));
    assert!(row["version"].as_str().unwrap().starts_with("tenfour-cli "), "{row}");
}

/// Rows of others, so that an erasure has something to look through.
const OTHERS: usize = 20_000;
/// Erasures that are cut off.
const ROUNDS: u64 = 16;

#[test]
fn an_erasure_that_is_killed_leaves_no_row_of_who_is_gone() {
    let mut host = Host::start();
    let data = host.path("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::new(&host.url, None).unwrap();
    let stays = Arc::new(Identity::generate().unwrap());
    runtime.block_on(connect(&server, &stays, "Somebody who stays")).expect("on the air");
    host.stop();
    let file = std::fs::read_dir(data.join("log")).unwrap().next().unwrap().unwrap().path();
    let row = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, row.repeat(OTHERS)).unwrap();
    host.start_again();
    let (mut gone, mut cut_off) = (0, 0);
    for round in 0..ROUNDS {
        let identity = Arc::new(Identity::generate().unwrap());
        let (id, handle) = (identity.user().to_string(), format!("Quail {round}"));
        let asked = runtime.block_on(async {
            connect(&server, &identity, &handle).await.expect("on the air");
            let session = log_in(&server, &identity, None).await.unwrap();
            assert_eq!(session.held(&server).await.unwrap().connections.len(), 1);
            let asked = tokio::spawn({
                let server = server.clone();
                async move { session.erase(&server).await }
            });
            // At any moment of it; the last one ends.
            if round + 1 < ROUNDS {
                let moment = Duration::from_micros(round * 2_000 + fastrand::u64(0..2_000));
                tokio::time::timeout(moment, async { asked.await.unwrap() }).await.ok()
            } else {
                Some(asked.await.unwrap())
            }
        });
        host.kill();
        host.start_again();
        runtime.block_on(async {
            // Answered by the thread of the log, when it has ended what was begun.
            let session = log_in(&server, &stays, None).await.unwrap();
            assert!(session.held(&server).await.unwrap().connections.len() >= OTHERS, "round {round}");
            let there = log_in(&server, &identity, None).await;
            assert!(there.is_err() || !matches!(asked, Some(Ok(()))), "round {round}: it was answered");
            if there.is_err() {
                gone += 1;
                let (lines, _) = lines(&data);
                let left = lines.iter().filter(|line| line.contains(&id) || line.contains(&handle)).count();
                assert_eq!(left, 0, "round {round}");
            } else {
                cut_off += 1;
            }
        });
    }
    assert!(gone > 0, "{gone} gone, {cut_off} cut off before anything was done");
    println!("{gone} gone, {cut_off} cut off before anything was done");
}

/// A file system of its own for the log, with no room left in it.
struct FullDisk(std::path::PathBuf);

impl FullDisk {
    /// Mounts one of 8 MiB, which takes root: the server leaves the last 4 MB of a disk alone.
    fn mount(log: &Path) -> Self {
        std::fs::create_dir_all(log).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs"]).arg(log);
        assert!(mount.status().unwrap().success(), "mounting takes root");
        let disk = Self(log.to_owned());
        // Taken to the last byte: a write that is cut short has taken what there was.
        let mut filler = std::fs::File::create(disk.0.join("filler")).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
        disk
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_rows_is_told_to_the_operator_and_stops_nobody() {
    let mut host = Host::start();
    let disk = FullDisk::mount(&host.path("data/log"));
    let listener = host.listen("Bob", &["--bursts", "1"]);
    let told = host.said("the connection log cannot be written");
    assert!(told.contains(" ERROR ") && told.contains("is full"), "{told}");
    assert!(!told.contains("Bob") && !told.contains("127.0.0.1"), "{told}");
    write(&host.path("said.wav"), &speech(0.5));
    let talk = host.talk("Ann", &[host.path("said.wav").to_str().unwrap()]).end();
    assert_eq!((talk.code, listener.end().code), (Some(0), Some(0)), "{}", talk.err);

    // There is room again.
    disk.make_room();
    host.listen("Cleo", &[]);
    let told = host.said("the connection log is written again");
    assert!(told.contains(" WARN ") && told.ends_with("count=2"), "{told}");
    host.stop();
    let (rows, whole) = lines(&host.path("data"));
    assert!(whole && rows.len() == 1 && fields(&rows[0]) == Some(8) && rows[0].contains("Cleo"), "{rows:?}");
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
