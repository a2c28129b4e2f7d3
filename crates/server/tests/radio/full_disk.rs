//! Disks that are full to the last byte, or take no writes any more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

use crate::desk::{Desk, Key};
use crate::http::{Reply, request};
use crate::radio::Radio;
use crate::small_disk::{SmallDisk, inside};

fn on(disk: &SmallDisk) -> Settings {
    Settings { data: Some(disk.path.join("data")), ..Settings::default() }
}

fn health(desk: &Desk) -> Reply {
    request(desk.ops_address(), "GET", "/health", &[], b"")
}

/// Waits until `/health` says so; returns its words.
fn until_health(desk: &Desk, status: u16) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let reply = health(desk);
        let words = String::from_utf8(reply.body).unwrap();
        if reply.status == status {
            return words;
        }
        assert!(Instant::now() < deadline, "{} {words}", reply.status);
        std::thread::yield_now();
    }
}

fn stands(desk: &Desk, token: &str) -> bool {
    desk.ask("GET", "/api/v1/me", token, &Value::Null).status == 200
}

fn register(desk: &Desk, seed: u8) -> Reply {
    let proof = desk.prove(&Key::new(seed), desk.url(), "bearer");
    desk.post("/api/v1/register", &[], &json!({ "handle": format!("Person {seed}"), "proof": proof }))
}

/// What has to work without a free byte, on any file system; and what is refused in words.
fn a_full_disk(mut disk: SmallDisk) {
    let mut desk = Desk::with(on(&disk));
    let tokens: Vec<_> = (1..=20).map(|seed| desk.register(seed, "Person")).collect();
    for token in &tokens {
        let letter = json!({ "text": "Quail of Xylo ".repeat(140) });
        assert_eq!(desk.ask("POST", "/api/v1/contact", token, &letter).status, 204);
    }
    assert_eq!(health(&desk).status, 200);
    disk.fill();
    let words = until_health(&desk, 503);
    assert!(words.contains("is full") && words.contains("make room"), "{words}");
    assert!(words.lines().all(|line| !line.contains("Person")), "{words}");

    let refused = register(&desk, 99);
    assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("store_unavailable")));
    assert!(refused.json()["title"].to_string().contains("is full"), "{}", refused.json());
    let letter = json!({ "text": "help" });
    assert_eq!(desk.ask("POST", "/api/v1/contact", &tokens[0], &letter).status, 503);

    // Log-in of known keys, log-out, another name, erasure: all of it, several times.
    let again: Vec<_> = (1..=20).map(|seed| desk.log_in(seed)).collect();
    for token in &again[..5] {
        assert_eq!(desk.ask("POST", "/api/v1/logout", token, &Value::Null).status, 204);
    }
    assert_eq!(desk.ask("DELETE", "/api/v1/me/sessions", &tokens[5], &Value::Null).status, 204);
    for token in &tokens[10..] {
        assert_eq!(desk.ask("DELETE", "/api/v1/me", token, &Value::Null).status, 204, "erased");
    }
    let store = std::fs::read(disk.path.join("data/tenfour.db")).unwrap();
    let erased = Key::new(15).public();
    assert!(!store.windows(32).any(|window| window == erased), "and nothing is left in the file");

    // It starts on the full disk, and knows what was done.
    desk.stop();
    desk.start();
    assert!(until_health(&desk, 503).contains("is full"));
    for (n, token) in again.iter().enumerate() {
        assert_eq!(stands(&desk, token), (6..10).contains(&n), "{n}");
    }
    assert!(stands(&desk, &desk.log_in(6)));

    disk.make_room();
    assert_eq!(until_health(&desk, 200), "on the air\n");
    assert_eq!(register(&desk, 99).status, 201);
    assert_eq!(desk.ask("POST", "/api/v1/contact", &again[7], &letter).status, 204);
}

#[test]
fn erasure_log_out_and_log_in_work_without_a_free_byte() {
    if inside("full_disk::erasure_log_out_and_log_in_work_without_a_free_byte") {
        a_full_disk(SmallDisk::ext4(24));
    }
}

#[test]
fn the_same_in_a_file_system_without_blocks_of_its_own() {
    if inside("full_disk::the_same_in_a_file_system_without_blocks_of_its_own") {
        a_full_disk(SmallDisk::tmpfs(24));
    }
}

/// After a fault the kernel takes no writes, and says nothing of it until somebody writes.
#[tokio::test]
async fn a_disk_that_takes_no_writes_is_told_and_what_is_refused_is_told_too() {
    if !inside("full_disk::a_disk_that_takes_no_writes_is_told_and_what_is_refused_is_told_too") {
        return;
    }
    let disk = SmallDisk::ext4(24);
    let desk = Desk::with(on(&disk));
    let (one, two) = (desk.register(1, "Roadrunner"), desk.register(2, "Coyote"));
    assert_eq!(health(&desk).status, 200);
    disk.break_down();
    // Nobody does anything.
    let words = until_health(&desk, 503);
    assert!(words.contains("the store takes nothing new"), "{words}");

    // Who is there goes on.
    let mut radio = Radio::open(&desk, &two).await;
    radio.tune("19").await;
    let logout = desk.ask("POST", "/api/v1/logout", &one, &Value::Null);
    assert_eq!((logout.status, &logout.json()["code"]), (503, &json!("store_unavailable")));
    assert!(logout.json()["title"].to_string().contains("cannot write it down"), "{}", logout.json());
    assert!(!stands(&desk, &one), "logged out all the same");
    let erasure = desk.ask("DELETE", "/api/v1/me", &two, &Value::Null);
    assert_eq!((erasure.status, &erasure.json()["code"]), (503, &json!("store_unavailable")));
    let words = until_health(&desk, 503);
    assert!(words.contains("the store takes nothing new"), "{words}");
}

/// A log-out of a bad moment is stored when the moment is over.
#[test]
fn a_log_out_that_could_not_be_stored_is_not_undone_by_a_restart() {
    let mut desk = Desk::new();
    let (one, two) = (desk.register(1, "Roadrunner"), desk.register(2, "Coyote"));
    let db = rusqlite::Connection::open(desk.data().join("tenfour.db")).unwrap();
    // As a disk that takes nothing: somebody else has the file, for longer than the store waits.
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (method, path, token) in [("POST", "/api/v1/logout", &one), ("DELETE", "/api/v1/me/sessions", &two)] {
        assert_eq!(desk.ask(method, path, token, &Value::Null).status, 503);
    }
    assert_eq!(health(&desk).status, 503);
    db.execute_batch("ROLLBACK").unwrap();
    drop(db);
    assert_eq!(until_health(&desk, 200), "on the air\n");
    desk.stop();
    desk.start();
    assert!(!stands(&desk, &one) && !stands(&desk, &two));
}

#[test]
fn a_file_where_the_log_should_be_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log"), "stray").unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    let words = Server::start(Config::new(settings).unwrap()).unwrap_err().to_string();
    assert!(words.contains("it has to be a folder") && words.contains("move away"), "{words}");
    assert_eq!(std::fs::read(folder.path().join("log")).unwrap(), b"stray", "nobody's file is touched");
}

#[test]
fn a_store_that_is_empty_and_was_not_does_not_begin_anew() {
    let mut desk = Desk::new();
    desk.register(1, "Roadrunner");
    desk.stop();
    let path = desk.data().join("tenfour.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"").unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(desk.data().to_owned()),
        ..Settings::default()
    };
    let words = Server::start(Config::new(settings).unwrap()).unwrap_err().to_string();
    assert!(words.contains("is empty, and had users in it") && words.contains("remove it"), "{words}");
    std::fs::write(&path, whole).unwrap();
    desk.start();
    desk.log_in(1);
}
