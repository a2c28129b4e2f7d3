//! What a thousand sessions leave on the disk: rows of eight fields, and nothing of anybody else.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};
use tenfour_server::config::{LogFormat, LogLevel, Settings};
use tenfour_server::telemetry;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::desk::{Desk, Key};
use crate::radio::{Radio, frame};

const USERS: u8 = 200;
const SESSIONS: usize = 5;

/// The eight fields of the policy, written down a second time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EightFields {
    time: String,
    address: std::net::IpAddr,
    handle: String,
    user: String,
    manufacturer: String,
    model: String,
    platform: String,
    version: String,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every file of the log, by its name.
fn files(data: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(data.join("log")) else { return BTreeMap::new() };
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

/// The rows: each byte of each file belongs to one.
fn rows(data: &Path) -> Vec<EightFields> {
    let mut rows = Vec::new();
    for (name, text) in files(data) {
        let hour = name.strip_suffix(".jsonl").expect("an hour").to_owned();
        assert!(text.ends_with('\n'), "{name} has a torn line");
        for line in text.split_terminator('\n') {
            let row: EightFields =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(line.trim(), line, "nothing was erased");
            assert!(row.time.starts_with(&hour) && row.time.len() == "2026-11-23T22:18:02Z".len());
            rows.push(row);
        }
    }
    rows
}

/// What a client says of itself; some lie.
fn device(n: usize) -> Value {
    match n % 5 {
        0 => {
            json!({ "platform": "Android", "manufacturer": "Google", "model": "Pixel 8", "version": "app 1" })
        }
        1 => Value::Null,
        2 => json!({ "platform": "\u{1b}[2J\u{202e}iOS\n{\"channel\":\"19\"}", "model": "x".repeat(900) }),
        3 => json!({ "model": "\",\"channel\":\"19\"}\n{" }),
        _ => json!({}),
    }
}

async fn session(address: std::net::SocketAddr, url: String, token: String, n: usize) {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut hello = json!({ "client": "soak 1", "place": { "cell": "861ec9077ffffff" } });
    if !device(n).is_null() {
        hello["device"] = device(n);
    }
    let mut radio = Radio::over(stream, &url, &token, hello).await;
    radio.tune("road-66").await;
    radio.tune("19").await;
    if n.is_multiple_of(40) {
        radio.press(1).await;
        radio.voice(frame(1, 0, 80, true)).await;
        radio.expect("receipt").await;
    }
    if n.is_multiple_of(2) { radio.leave().await } else { radio.kill() }
}

/// The subscriber is the process's: nextest gives each test a process of its own.
#[tokio::test]
async fn a_thousand_sessions_leave_rows_of_eight_fields_and_nothing_else() {
    let kept = Kept::default();
    let lines = telemetry::subscriber(LogLevel::Trace, LogFormat::Json, Box::new(kept.clone()));
    tracing::subscriber::set_global_default(lines).expect("the first one");
    let mut desk = Desk::new();
    let handle = |seed: u8| format!("Žaklina {seed:03}");
    let tokens: Vec<_> = (0..USERS).map(|seed| desk.register(seed, &handle(seed))).collect();
    for round in 0..SESSIONS {
        let mut sessions = JoinSet::new();
        for (seed, token) in tokens.iter().enumerate() {
            let n = round * usize::from(USERS) + seed;
            // Nobody is tuned twice at once, and everybody has each kind of device.
            sessions.spawn(session(desk.address(), desk.url().to_owned(), token.clone(), n + round));
        }
        sessions.join_all().await;
    }
    desk.stop();

    let rows = rows(desk.data());
    assert_eq!(rows.len(), usize::from(USERS) * SESSIONS);
    let mut by_user = BTreeMap::<_, usize>::new();
    for row in &rows {
        *by_user.entry((row.user.clone(), row.handle.clone())).or_default() += 1;
        assert!(row.address.is_loopback());
        for text in [&row.manufacturer, &row.model, &row.platform, &row.version] {
            assert!(text.len() <= 64 && !text.chars().any(char::is_control), "{text:?}");
        }
        assert!(["app 1", "soak 1"].contains(&&row.version[..]), "{}", row.version);
    }
    let expected = (0..USERS).map(|seed| ((Key::new(seed).user().to_string(), handle(seed)), SESSIONS));
    assert_eq!(by_user, expected.collect());
    assert_eq!(rows.iter().filter(|row| row.model == "Pixel 8").count(), rows.len() / 5);

    let operational = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(operational.contains("has stopped"), "the log was caught");
    let users = (0..USERS).map(|seed| Key::new(seed).user().to_string());
    let personal = ["Žaklina", "127.0.0.1", "Pixel", "Android", "soak 1", "night shift"].map(str::to_owned);
    for secret in users.chain(personal).chain(tokens.iter().cloned()) {
        assert!(!operational.contains(&secret), "{secret} is in the operational log");
    }
    let all: String = files(desk.data()).into_values().collect();
    for secret in tokens.iter().map(String::as_str).chain(["road-66", "night shift", "861ec9077ffffff"]) {
        assert!(!all.contains(secret), "{secret} is in the connection log");
    }
}

#[tokio::test]
async fn a_connection_that_says_no_hello_twice_or_again_is_one_row() {
    let mut desk = Desk::new();
    let token = desk.register(1, "Roadrunner");
    let mut radio = Radio::open(&desk, &token).await;
    radio.send(json!({ "type": "hello", "client": "again 1" })).await;
    assert_eq!(radio.expect("error").await["code"], "already_greeted");
    radio.leave().await;
    desk.stop();
    let rows = rows(desk.data());
    assert_eq!((rows.len(), &rows[0].version[..]), (1, "test 1"));
}

#[tokio::test]
async fn a_user_is_shown_its_own_rows_and_erased_leaves_none() {
    let mut desk = Desk::new();
    let (token, other) = (desk.register(1, "Roadrunner"), desk.register(2, "Coyote"));
    for token in [&token, &other, &token] {
        Radio::open(&desk, token).await.leave().await;
    }
    let held = desk.ask("GET", "/api/v1/me", &token, &Value::Null).json();
    let connections: Vec<EightFields> = serde_json::from_value(held["connections"].clone()).unwrap();
    let user = Key::new(1).user().to_string();
    assert_eq!(connections.len(), 2);
    assert!(connections.iter().all(|row| row.handle == "Roadrunner" && row.user == user));
    let mut radio = Radio::open(&desk, &token).await;
    assert_eq!(desk.ask("DELETE", "/api/v1/me", &token, &Value::Null).status, 204);
    let left = || files(desk.data()).into_values().collect::<String>();
    assert!(!left().contains("Roadrunner") && !left().contains(&user), "{}", left());
    assert_eq!(radio.closed().await, (4002, "erased".into()));
    let held = desk.ask("GET", "/api/v1/me", &other, &Value::Null).json();
    assert_eq!(held["connections"].as_array().unwrap().len(), 1);
    desk.stop();
    let names: Vec<_> = files(desk.data()).into_keys().collect();
    assert!(names.iter().all(|name| name.ends_with(".jsonl")), "{names:?}");
}

#[tokio::test]
async fn a_log_that_is_switched_off_leaves_no_file() {
    let mut desk = Desk::with(Settings { connection_log: Some(false), ..Settings::default() });
    let token = desk.register(1, "Roadrunner");
    Radio::open(&desk, &token).await.leave().await;
    desk.stop();
    assert!(files(desk.data()).is_empty());
}
