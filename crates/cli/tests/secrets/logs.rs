//! Every byte that a busy server leaves in a log: rows of eight fields in the connection log, and
//! sentences from a list in the operational one.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::Path;

use fastrand::Rng;
use serde::Deserialize;
use serde_json::{Value, json};
use tenfour_protocol::DeviceText;
use tenfour_protocol::limits::FIRST_CELLS_PER_HOUR;

use crate::line::{Door, Mode};
use crate::operational::{Format, lines};
use crate::server::{Server, Setup};
use crate::socket::{Account, Hello, Socket};

/// People at once, each on a thread.
const PEOPLE: usize = 10;
/// Sessions of each of them; with both formats of the operational log, plain and under TLS, a thousand.
const SESSIONS: usize = 25;
/// What a client calls itself that says no version of its device.
const CLIENT: &str = "secrets 1";

/// The eight fields of the policy, in their order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EightFields {
    time: String,
    address: IpAddr,
    handle: String,
    user: String,
    manufacturer: String,
    model: String,
    platform: String,
    version: String,
}

impl EightFields {
    /// The line that is exactly this.
    fn line(&self) -> String {
        let text = |text: &str| Value::from(text).to_string();
        let Self { time, address, handle, user, manufacturer, model, platform, version } = self;
        let [time, handle, user] = [time, handle, user].map(|field| text(field));
        let [manufacturer, model, platform, version] =
            [manufacturer, model, platform, version].map(|field| text(field));
        format!(
            r#"{{"time":{time},"address":"{address}","handle":{handle},"user":{user},"manufacturer":{manufacturer},"model":{model},"platform":{platform},"version":{version}}}"#
        )
    }

    /// All but the time.
    fn rest(self) -> Session {
        let Self { time: _, address, handle, user, manufacturer, model, platform, version } = self;
        [address.to_string(), handle, user, manufacturer, model, platform, version]
    }
}

/// What a row is to say beside the time.
type Session = [String; 7];

/// How often each.
fn counted(sessions: impl IntoIterator<Item = Session>) -> BTreeMap<Session, usize> {
    let mut counted = BTreeMap::new();
    for session in sessions {
        *counted.entry(session).or_default() += 1;
    }
    counted
}

/// Every row of every file of a connection log: no byte belongs to anything else.
fn rows(data: &Path) -> Vec<EightFields> {
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(data.join("log")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let hour = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl")).expect("an hour");
        assert_eq!(hour.len(), "2026-11-23T22".len(), "{hour} is no hour");
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.ends_with('\n'), "{hour} has a torn line");
        for line in text.split_terminator('\n') {
            let row: EightFields =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(row.line(), line, "a byte of it is something else");
            assert!(row.time.starts_with(hour) && row.time.len() == "2026-11-23T22:18:02Z".len(), "{line}");
            rows.push(row);
        }
    }
    rows
}

/// What clients say of their device. Half of them lie, and try to be read as something else.
fn devices() -> Vec<Value> {
    let long = "Roadrunner ".repeat(300);
    vec![
        Value::Null,
        json!({}),
        json!({ "manufacturer": "Google", "model": "Pixel 8", "platform": "Android", "version": "app 1" }),
        json!({ "platform": "Linux" }),
        json!({ "model": long, "version": "v".repeat(400) }),
        json!({ "model": "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}\u{200b}\u{9b}31m", "platform": "\r\n\0" }),
        json!({ "model": "\",\"channel\":\"19\"}\n{\"time\":\"", "manufacturer": "\\u0022\\n" }),
        json!({ "version": "{\"time\":\"2026-11-23T22:18:02Z\"}", "platform": "\u{2028}\u{feff}山" }),
    ]
}

/// The row of a session with this device.
fn expected(account: &Account, device: &Value) -> Session {
    let said =
        |field: &str| DeviceText::clean(device[field].as_str().unwrap_or_default()).as_str().to_owned();
    let version = Some(said("version")).filter(|version| !version.is_empty());
    let version = version.unwrap_or_else(|| CLIENT.to_owned());
    let [handle, user] = [account.handle(), account.user()].map(str::to_owned);
    ["127.0.0.1".into(), handle, user, said("manufacturer"), said("model"), said("platform"), version]
}

/// One person comes and goes, in all ways there are.
fn come_and_go(server: &Server, person: usize) -> Vec<Session> {
    let mut rng = Rng::with_seed(person as u64);
    let account = Account::register(server.door(), &mut rng, &format!("Žaklina {person}"));
    let devices = devices();
    let mut sessions = Vec::new();
    for n in 0..SESSIONS {
        let device = &devices[(n + person) % devices.len()];
        let mut hello = json!({});
        if n < FIRST_CELLS_PER_HOUR {
            hello["place"] = json!({ "cell": "861ec9077ffffff" });
        }
        if !device.is_null() {
            hello["device"] = device.clone();
        }
        let how = [Hello::InTurn, Hello::Early, Hello::InPieces][n % 3];
        let mut socket = account.open(how, &hello);
        socket.ask(&json!({ "type": "tune", "channel": "road-66" }), "tuned");
        if n % 10 == 0 {
            socket.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
            socket.say();
        }
        if n % 7 == 0 {
            socket.send(&json!({ "type": "Roadrunner", "cell": "861ec9077ffffff" }));
        }
        if n % 2 == 0 {
            socket.close();
        } else {
            socket.reset();
        }
        sessions.push(expected(&account, device));
    }
    too_long_a_device(&account);
    sessions
}

/// Of 10,000 characters not even the first are read: the message is too large, and there is no row.
fn too_long_a_device(account: &Account) {
    let hello = json!({ "type": "hello", "client": CLIENT, "device": { "model": "x".repeat(10_000) } });
    let mut socket = Socket::upgraded(account);
    socket.send(&hello);
    assert_eq!(socket.closed(), 1009);
}

/// What comes to an open port beside clients, with names in it.
fn noise(server: &Server) {
    for bytes in [
        &b"GET /Roadrunner HTTP/1.1\r\nhost: Roadrunner\r\nuser-agent: Roadrunner\r\n\r\n"[..],
        b"GET /Roadrunner?cell=861ec9077ffffff HTTP/1.1\r\n",
        b"Roadrunner\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{\"handle\":\"Roadrunner\"",
        b"POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: Roadrunner\r\n\r\n",
        b"GET / HTTP/1.1\r\nRoadrunner\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: \x01\r\n\r\n",
        b"GET /api/v1/radio HTTP/1.1\r\nhost: x\r\nauthorization: Bearer Roadrunner\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03Roadrunner",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let door = server.door();
        // Under TLS once inside of it, and once instead of it.
        for mode in [door.mode, Mode::Plain] {
            let mut line = Door { mode, ..door }.connect();
            // To the answer's end; a reset is an answer as well.
            let sent = line.write_all(bytes).and_then(|()| line.finish());
            sent.and_then(|()| line.read_to_end(&mut Vec::new())).ok();
        }
    }
}

fn soak(mode: Mode, format: Format) {
    let variables = &[("TENFOUR_LOG_FORMAT", format.name())];
    let mut server = Server::start_with(mode, Setup { variables, ..Setup::default() });
    let expected = std::thread::scope(|scope| {
        let people: Vec<_> = (0..PEOPLE)
            .map(|person| {
                let server = &server;
                scope.spawn(move || come_and_go(server, person))
            })
            .collect();
        noise(&server);
        people.into_iter().flat_map(|person| person.join().expect("it went well")).collect::<Vec<_>>()
    });
    server.stop();
    let rows = rows(server.data());
    assert_eq!(rows.len(), PEOPLE * SESSIONS);
    assert_eq!(counted(rows.into_iter().map(EightFields::rest)), counted(expected));
    let said = lines(&server.log(), format);
    let ever = |sentence: &str| said.iter().filter(|line| line.sentence == sentence).count();
    assert_eq!((ever("the server is on the air"), ever("the server has stopped")), (1, 1));
    assert!(ever("an HTTP connection broke") > 3, "{said:?}");
    println!(
        "{}: {} sessions, {} lines in the operational log as {}",
        mode.name(),
        PEOPLE * SESSIONS,
        said.len(),
        format.name()
    );
}

#[test]
fn every_byte_of_every_log_of_a_thousand_sessions_is_accounted_for() {
    soak(Mode::Plain, Format::Json);
    soak(Mode::Plain, Format::Text);
    soak(Mode::Tls12, Format::Text);
    soak(Mode::Tls13, Format::Json);
}
