//! Access and erasure: what is held of somebody is what they did, no more and no less, and of who is
//! erased nothing is left.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenfour_server::config::{LogFormat, LogLevel};
use tenfour_server::{handle, subject, telemetry};
use tokio::runtime::Runtime;

use crate::desk::{Desk, Key};
use crate::radio::Radio;

const ME: &str = "/api/v1/me";
const PEOPLE: u32 = 200;

/// What a test knows of one user.
struct Model {
    key: Key,
    handle: String,
    description: Option<String>,
    /// Tokens of the sessions that stand.
    tokens: Vec<String>,
    connections: Vec<Event>,
    messages: Vec<Event>,
    /// All by which somebody could be found, whether it stands or was replaced.
    traces: Vec<Vec<u8>>,
}

/// Something with a moment that the server chooses.
struct Event {
    /// The field of the moment, and its first and last value.
    moment: (&'static str, String, String),
    rest: Value,
}

#[derive(Debug, Clone)]
enum Act {
    LogIn,
    LogOut,
    Handle(String),
    Description(Option<String>),
    /// From a device: what is said of it, and what is kept.
    Connect([(&'static str, &'static str); 4]),
    /// How often a word is repeated, and what is between.
    Write(usize, &'static str),
}

fn act() -> impl Strategy<Value = Act> {
    let said = prop::sample::select(vec![
        ("", ""),
        ("Pixel 8", "Pixel 8"),
        (" Žute\tkuće \n", "Žute kuće"),
        ("\u{1b}[31m\u{202e}red", "[31mred"),
        ("\",\"channel\":\"19\"}\n{", "\",\"channel\":\"19\"} {"),
    ]);
    prop_oneof![
        Just(Act::LogIn),
        Just(Act::LogOut),
        "[A-Za-z\u{e0}-\u{f6}А-я山ก-ฮ ]{1,12}".prop_map(Act::Handle),
        proptest::option::of("[ -~]{1,30}").prop_map(Act::Description),
        prop::array::uniform4(said).prop_map(Act::Connect),
        (1..140usize, prop::sample::select(vec![" ", "\n", "\r\n\t", "\u{1b}[2J", "\u{202e} 🚚 "]))
            .prop_map(|(times, between)| Act::Write(times, between)),
    ]
}

/// Sequential people on one server.
struct World {
    desk: Desk,
    runtime: Runtime,
    /// People so far.
    people: Cell<u32>,
    /// Messages to the operator so far.
    messages: Cell<u32>,
    /// Words that are nowhere else so far.
    words: Cell<u32>,
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

/// 200 people do what they like: they and the operator are shown what they did. Then they go.
/// The subscriber is the process's: nextest gives each test a process of its own.
#[test]
fn what_is_held_is_what_200_people_did_and_erased_they_leave_nothing() {
    let kept = Kept::default();
    let lines = telemetry::subscriber(LogLevel::Trace, LogFormat::Json, Box::new(kept.clone()));
    tracing::subscriber::set_global_default(lines).expect("the first one");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (people, messages, words) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut world = World { desk: Desk::new(), runtime, people, messages, words };
    let models = std::cell::RefCell::new(Vec::new());
    let programs = (proptest::collection::vec(act(), 0..9), "[a-z]{3,9}", proptest::option::of("[a-z]{1,9}"));
    // A life that shows a fault is made a little simpler; each try is somebody new.
    TestRunner::new(Config { cases: PEOPLE, max_shrink_iters: 30, ..Config::default() })
        .run(&programs, |(acts, handle, text)| {
            let mut model = world.register(&handle, text);
            for act in acts {
                world.carry_out(&mut model, act);
            }
            world.shows_the_model(&model);
            models.borrow_mut().push(model);
            Ok(())
        })
        .unwrap();

    let models = models.into_inner();
    for model in &models {
        // As it was, whatever others did in the meantime.
        world.shows_the_model(model);
    }
    let traces: Vec<_> = models.iter().flat_map(|model| model.traces.clone()).collect();
    assert!(hits(world.desk.data(), &traces) > models.len(), "the files are looked into");
    for model in &models {
        assert_eq!(world.desk.ask("DELETE", ME, &model.tokens[0], &Value::Null).status, 204);
    }
    assert_eq!(hits(world.desk.data(), &traces), 0);
    assert!(models.iter().all(|model| subject(world.desk.data(), &model.key.user()).unwrap().is_none()));
    world.desk.stop();
    assert_eq!(hits(world.desk.data(), &traces), 0, "after the end, too");
    let log = kept.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&log).contains("has stopped"), "the log was caught");
    assert_eq!(found(&log, &index(&traces)), 0, "in the operational log");
}

impl World {
    /// A word that is found nowhere else.
    fn word(&self, model: &mut Vec<Vec<u8>>) -> String {
        self.words.set(self.words.get() + 1);
        let word = format!("q{:08x}", self.words.get().wrapping_mul(0x9e37_79b1));
        model.push(word.clone().into_bytes());
        word
    }

    fn register(&self, handle: &str, description: Option<String>) -> Model {
        self.people.set(self.people.get() + 1);
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&self.people.get().to_be_bytes());
        let key = Key::of_bytes(seed);
        let mut traces = vec![
            key.user().to_string().into_bytes(),
            key.user().as_bytes().to_vec(),
            key.public().to_vec(),
            BASE64URL_NOPAD.encode(&key.public()).into_bytes(),
        ];
        let handle = format!("{handle} {}", self.word(&mut traces));
        let proof = self.desk.prove(&key, self.desk.url(), "bearer");
        let mut body = json!({ "handle": handle, "proof": proof });
        if let Some(text) = &description {
            body["description"] = json!(text);
        }
        let reply = self.desk.post("/api/v1/register", &[], &body);
        assert_eq!(reply.status, 201);
        let token = reply.json()["token"].as_str().unwrap().to_owned();
        let (connections, messages) = (Vec::new(), Vec::new());
        let mut model = Model { key, handle, description, tokens: Vec::new(), connections, messages, traces };
        model.begin(token);
        model
    }

    fn carry_out(&self, model: &mut Model, act: Act) {
        let token = model.tokens[0].clone();
        match act {
            Act::LogIn => {
                let token = self.desk.log_in_with(&model.key);
                model.begin(token);
            }
            Act::LogOut => {
                if model.tokens.len() > 1 {
                    let gone = model.tokens.pop().unwrap();
                    assert_eq!(self.desk.ask("POST", "/api/v1/logout", &gone, &Value::Null).status, 204);
                }
            }
            Act::Handle(text) => {
                let text = format!("{text} {}", self.word(&mut model.traces));
                let reply = self.desk.ask("PATCH", ME, &token, &json!({ "handle": text }));
                match handle::choose(&text) {
                    Ok(chosen) => {
                        assert_eq!(reply.status, 200, "{text:?}");
                        model.handle = chosen.as_str().to_owned();
                    }
                    Err(_) => assert_eq!((reply.status, &reply.code()[..]), (422, "handle_refused")),
                }
            }
            Act::Description(text) => {
                let text = text.map(|text| format!("{text}{}", self.word(&mut model.traces)));
                let good = text.as_deref().is_none_or(|text| text.trim() == text && !text.contains("  "));
                let reply = self.desk.ask("PATCH", ME, &token, &json!({ "description": text }));
                assert_eq!(reply.status, if good { 200 } else { 422 }, "{text:?}");
                if good {
                    model.description = text;
                }
            }
            Act::Connect(device) => self.connect(model, device),
            Act::Write(times, between) => self.write(model, times, between),
        }
    }

    fn connect(&self, model: &mut Model, device: [(&str, &str); 4]) {
        let names = ["manufacturer", "model", "platform", "version"];
        let mut said = json!({});
        let mut rest = json!({ "address": "127.0.0.1", "handle": model.handle, "user": model.key.user() });
        for (name, (text, kept)) in names.iter().zip(device) {
            said[name] = text.into();
            rest[name] = kept.into();
        }
        if rest["version"] == "" {
            rest["version"] = "test 1".into();
        }
        let token = model.tokens.last().unwrap();
        let first = now("+%FT%TZ");
        self.runtime.block_on(async {
            Radio::arrive(&self.desk, token, json!({ "device": said })).await.leave().await;
        });
        model.connections.push(Event { moment: ("time", first, now("+%FT%TZ")), rest });
    }

    fn write(&self, model: &mut Model, times: usize, between: &str) {
        let word = self.word(&mut model.traces);
        let text = vec![word.as_str(); times].join(between);
        let kept = match between {
            "\r\n\t" => "\n ",
            "\u{1b}[2J" => "[2J",
            "\u{202e} 🚚 " => " 🚚 ",
            other => other,
        };
        let first = now("+%FT%RZ");
        let reply = self.desk.ask(
            "POST",
            "/api/v1/contact",
            &model.tokens[0],
            &json!({ "text": format!(" {text}\n") }),
        );
        if model.messages.len() == 10 {
            assert_eq!((reply.status, reply.code()), (429, "too_many_contacts".into()));
            return;
        }
        assert_eq!(reply.status, 204);
        self.messages.set(self.messages.get() + 1);
        let text = vec![word.as_str(); times].join(kept);
        let rest = json!({ "id": self.messages.get(), "handle": model.handle, "text": text });
        model.messages.push(Event { moment: ("sent", first, now("+%FT%RZ")), rest });
    }

    /// The user is shown all that the model has and nothing else, and the operator the same.
    fn shows_the_model(&self, model: &Model) {
        let before = now("+%F");
        let shown = self.desk.ask("GET", ME, &model.tokens[0], &Value::Null).json();
        let days = [before, now("+%F")];
        let day = shown["created"].as_str().unwrap();
        assert!(days.iter().any(|one| one == day), "{day} is neither of {days:?}");
        let held = model.held(&shown);
        assert_eq!(shown, held);
        let mut seen = held;
        for session in seen["sessions"].as_array_mut().unwrap() {
            session.as_object_mut().unwrap().remove("this");
        }
        let subject = subject(self.desk.data(), &model.key.user()).unwrap().expect("they are known");
        assert_eq!(serde_json::to_value(subject).unwrap(), seen);
    }
}

impl Model {
    fn begin(&mut self, token: String) {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        self.traces.extend([token.clone().into_bytes(), bytes.clone(), Sha256::digest(&bytes).to_vec()]);
        self.tokens.push(token);
    }

    /// What should be shown. `shown` says the moments, as far as they can be.
    fn held(&self, shown: &Value) -> Value {
        let hash = |token: &String| {
            BASE64URL_NOPAD.encode(&Sha256::digest(BASE64URL_NOPAD.decode(token.as_bytes()).unwrap()))
        };
        let mut hashes: Vec<String> = self.tokens.iter().map(hash).collect();
        hashes.sort_unstable_by_key(|hash| BASE64URL_NOPAD.decode(hash.as_bytes()).unwrap());
        let session = |token_hash: String| {
            let mut session = json!({ "token_hash": token_hash, "used": shown["created"] });
            if token_hash == hash(&self.tokens[0]) {
                session["this"] = true.into();
            }
            session
        };
        let mut held = json!({
            "user": self.key.user(),
            "tag": self.key.user().tag(),
            "handle": self.handle,
            "key": BASE64URL_NOPAD.encode(&self.key.public()),
            "created": shown["created"],
            "sessions": hashes.into_iter().map(session).collect::<Vec<_>>(),
        });
        if let Some(text) = &self.description {
            held["description"] = json!(text);
        }
        for (name, events) in [("connections", &self.connections), ("messages", &self.messages)] {
            if !events.is_empty() {
                let at = events.iter().enumerate().map(|(at, event)| event.with_moment(&shown[name][at]));
                held[name] = at.collect();
            }
        }
        held
    }
}

impl Event {
    /// With the moment that is shown, if it lies where it must.
    fn with_moment(&self, shown: &Value) -> Value {
        let (field, first, last) = &self.moment;
        let at = shown[field].as_str().unwrap_or_default();
        let mut whole = self.rest.clone();
        whole[field] = if (first.as_str()..=last).contains(&at) { at.into() } else { first.as_str().into() };
        whole
    }
}

/// By the system's calendar, not by the server's.
fn now(format: &str) -> String {
    let date = std::process::Command::new("date").args(["-u", format]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().into()
}

type Index<'a> = HashMap<[u8; 8], Vec<&'a [u8]>>;

fn index(traces: &[Vec<u8>]) -> Index<'_> {
    let mut index = Index::new();
    for trace in traces {
        index.entry(trace[..8].try_into().unwrap()).or_default().push(trace);
    }
    index
}

fn found(bytes: &[u8], index: &Index<'_>) -> usize {
    let at = |at: usize| {
        let start: [u8; 8] = bytes[at..at + 8].try_into().unwrap();
        index.get(&start).is_some_and(|traces| traces.iter().any(|trace| bytes[at..].starts_with(trace)))
    };
    (0..bytes.len().saturating_sub(7)).filter(|start| at(*start)).count()
}

/// How many traces the files of a data folder have.
fn hits(folder: &Path, traces: &[Vec<u8>]) -> usize {
    let index = index(traces);
    let folders = [folder.to_owned(), folder.join("log")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| found(&std::fs::read(path).unwrap(), &index)).sum()
}
