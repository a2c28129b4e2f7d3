//! The scenarios of `vectors/radio`, which the page runs too: this is the player, and the radio's
//! answers are judged by the files. Their form is in `vectors/radio/README.md`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tenfour_core::radio::{Config, Event, Input, Output};
use tenfour_protocol::control::{FrameTime, Outcome};
use tenfour_protocol::{ClientMessage, Code, ServerMessage};

use crate::desk::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/radio");
/// What the names of files begin with, one test each.
const GROUPS: [&str; 3] = ["button", "link", "place"];

#[test]
fn button() {
    play_group("button");
}

#[test]
fn link() {
    play_group("link");
}

#[test]
fn place() {
    play_group("place");
}

#[test]
fn each_file_belongs_to_a_group() {
    for (name, _) in files() {
        assert!(GROUPS.contains(&group(&name)), "{name} is played by no test");
    }
}

fn group(name: &str) -> &str {
    name.split('-').next().unwrap_or_default()
}

/// Names and contents, but for the words that all share.
fn files() -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(FOLDER)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "json") && !path.ends_with("defaults.json"))
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path)))
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn play_group(wanted: &str) {
    let defaults = read(&Path::new(FOLDER).join("defaults.json"));
    let mut played = 0;
    let mut wrong = Vec::new();
    for (name, scenario) in files().into_iter().filter(|(name, _)| group(name) == wanted) {
        if scenario["only"] == "page" {
            continue;
        }
        played += 1;
        if let Err(what) = Player::new(&scenario, &defaults).play(&scenario) {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(played > 0, "no scenario of {wanted}");
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
}

struct Player<'a> {
    desk: Desk,
    /// Fields of messages of the server that a scenario may leave out, by type.
    defaults: &'a Value,
    frames: u32,
    button: &'static str,
    /// Since they were looked at last.
    sent: Vec<Value>,
    voice: u64,
    outcomes: Vec<Value>,
}

impl<'a> Player<'a> {
    fn new(scenario: &Value, defaults: &'a Value) -> Self {
        let begin = &scenario["begin"];
        let ranges = begin.get("range").map(parsed).unwrap_or_default();
        let looking = begin["place"] == "looking";
        let place = begin.get("place").filter(|_| !looking).map(parsed);
        let (desk, _) = Desk::with(Config { place, ranges, seed: 1, ..Config::default() });
        let mut player = Self {
            desk,
            defaults,
            frames: 0,
            button: "off",
            sent: Vec::new(),
            voice: 0,
            outcomes: Vec::new(),
        };
        player.give(Input::Tune { channel: ch("19"), catch_up: false });
        if looking {
            player.give(Input::Locating);
        }
        player
    }

    fn play(&mut self, scenario: &Value) -> Result<(), String> {
        let end = json!([{ "sends": [] }, { "voice": 0 }, { "outcome": [] }]);
        let steps = scenario["steps"].as_array().expect("steps").iter();
        for (number, step) in steps.chain(end.as_array().expect("a list")).enumerate() {
            let (what, value) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
            self.step(what, value).map_err(|wrong| format!("step {}, {step}: {wrong}", number + 1))?;
        }
        Ok(())
    }

    fn step(&mut self, what: &str, value: &Value) -> Result<(), String> {
        match what {
            "link" => self.link(value.as_str().expect("a word")),
            "server" => {
                let message = self.filled(value);
                self.give(Input::Message(message));
            }
            "user" => self.user(value),
            "device" => {
                let cell = value.get("cell").map(parsed);
                self.give(Input::Locate(cell));
            }
            "speak" => {
                for _ in 0..value.as_u64().expect("a number") {
                    let (media_time, payload) = (self.frames * 960, vec![8; 40]);
                    self.frames += 1;
                    self.give(Input::Frame { media_time, payload });
                }
            }
            "pass" => self.pass(Duration::from_millis(value.as_u64().expect("milliseconds"))),
            "sends" => return same("sent", value, &Value::from(std::mem::take(&mut self.sent))),
            "voice" => return same("frames sent", value, &std::mem::take(&mut self.voice).into()),
            "outcome" => return same("outcomes", value, &std::mem::take(&mut self.outcomes).into()),
            "button" => return same("button", value, &self.button.into()),
            other => panic!("{other} is no step"),
        }
        Ok(())
    }

    fn link(&mut self, what: &str) {
        match what {
            "opens" => {
                let out = self.desk.reconnect();
                self.note(out);
            }
            "drops" => {
                let out = self.desk.drop_link();
                self.note(out);
            }
            "logged out" => self.give(closed(Code::LoggedOut)),
            other => panic!("a link does not {other}"),
        }
    }

    fn user(&mut self, act: &Value) {
        match act.as_str() {
            Some("press") => {
                self.frames = 0;
                self.give(Input::Press { channel: ch("19"), frame_ms: FrameTime::Ms20 });
            }
            Some("release") => self.give(Input::Release),
            Some("share") => self.give(Input::Locating),
            Some("stop") => self.give(Input::Locate(None)),
            _ => self.give(Input::Range(parsed(&act["range"]))),
        }
    }

    fn give(&mut self, input: Input) {
        let out = self.desk.give(input);
        self.note(out);
    }

    /// Time goes by on a link that is alive.
    fn pass(&mut self, time: Duration) {
        let end = self.desk.now + time;
        while self.desk.now < end {
            let out = self.desk.pass(Duration::from_secs(10).min(end.since(self.desk.now)));
            self.note(out);
            self.give(Input::Alive);
        }
    }

    fn note(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send(ClientMessage::Ping { .. }) => {}
                Output::Send(message) => {
                    match message {
                        ClientMessage::BurstStart { .. } => self.button = "talking",
                        ClientMessage::BurstEnd { .. } => self.button = "off",
                        _ => {}
                    }
                    self.sent.push(serde_json::to_value(message).expect("a message is JSON"));
                }
                Output::SendVoice(_) => self.voice += 1,
                Output::Event(Event::Pressed { .. }) => self.button = "waiting",
                Output::Event(Event::Receipt { outcome, .. }) => {
                    self.button = "off";
                    self.outcomes.push(match outcome {
                        Outcome::Aired { .. } => "aired".into(),
                        Outcome::Refused { refusal } => serde_json::to_value(refusal.code).expect("a code"),
                    });
                }
                _ => {}
            }
        }
    }

    /// A message of the server with what the scenario has left out.
    fn filled(&self, message: &Value) -> ServerMessage {
        let kind = message["type"].as_str().expect("a type");
        let mut all: Map<String, Value> = self.defaults[kind].as_object().cloned().unwrap_or_default();
        all.extend(message.as_object().expect("a message").clone());
        parsed(&all.into())
    }
}

fn parsed<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn same(what: &str, wanted: &Value, got: &Value) -> Result<(), String> {
    if fits(wanted, got) { Ok(()) } else { Err(format!("{what} {got}")) }
}

/// Whether `got` has all that is wanted. What is not named may be anything, and null is also what is
/// not there; lists have to be as long.
fn fits(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.iter().all(|(field, wanted)| fits(wanted, got.get(field).unwrap_or(&Value::Null)))
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(wanted, got)| fits(wanted, got))
        }
        (wanted, got) => wanted == got,
    }
}
