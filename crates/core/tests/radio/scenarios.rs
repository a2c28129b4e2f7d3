//! The scenarios of `vectors/radio`, which the page runs too: this is the player, and the radio's
//! answers are judged by the files. Their form is in `vectors/radio/README.md`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tenfour_core::Time;
use tenfour_core::radio::{Config, Event, HeardEnd, HeardNo, Input, Output, SoundKind};
use tenfour_protocol::control::{FrameTime, Outcome};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage, VoiceFrame};

use crate::harness::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/radio");
/// What the names of files begin with, one test each.
const GROUPS: [&str; 5] = ["button", "hear", "link", "lists", "place"];

#[test]
fn button() {
    play_group("button");
}

#[test]
fn hear() {
    play_group("hear");
}

#[test]
fn lists() {
    play_group("lists");
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
    harness: Harness,
    /// Fields of messages of the server that a scenario may leave out, by type.
    defaults: &'a Value,
    frames: u32,
    button: &'static str,
    /// Since they were looked at last.
    sent: Vec<Value>,
    voice: u64,
    outcomes: Vec<Value>,
    /// Frames of each press, and how many of them others could hear.
    pressed: BTreeMap<BurstNo, u32>,
    aired: Vec<Value>,
    talkers: BTreeMap<HeardNo, String>,
    ended: Vec<Value>,
    /// Bursts that were not played.
    missed: Vec<HeardNo>,
    people: u32,
    speaker: Speaker,
    /// When the server gave its last sign of life in passing.
    spoke: Time,
}

impl<'a> Player<'a> {
    fn new(scenario: &Value, defaults: &'a Value) -> Self {
        let begin = &scenario["begin"];
        let ranges = begin.get("range").map(parsed).unwrap_or_default();
        let looking = begin["place"] == "looking";
        let place = begin.get("place").filter(|_| !looking).map(parsed);
        let (harness, _) = Harness::with(Config { place, ranges, seed: 1, ..Config::default() });
        let mut player = Self {
            harness,
            defaults,
            frames: 0,
            button: "off",
            sent: Vec::new(),
            voice: 0,
            outcomes: Vec::new(),
            pressed: BTreeMap::new(),
            aired: Vec::new(),
            talkers: BTreeMap::new(),
            ended: Vec::new(),
            missed: Vec::new(),
            people: 0,
            speaker: Speaker::default(),
            spoke: Time::ZERO,
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
                if let Some(message) = self.filled(value) {
                    self.give(Input::Message(message));
                }
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
            "pass" => self.pass(millis(value), true),
            "silence" => self.pass(millis(value), false),
            "frames" => self.frames(value),
            "plays" => {
                let played = self.speaker.played();
                return if value.is_null() { Ok(()) } else { same("heard", value, &played.into()) };
            }
            "heard" => return same("bursts heard", value, &std::mem::take(&mut self.ended).into()),
            "missed" => {
                let missed = std::mem::take(&mut self.missed);
                let all = (1..=self.talkers.len()).filter(|n| missed.contains(&no(*n as u32)));
                return same("missed", value, &all.collect::<Vec<_>>().into());
            }
            "aired" => return same("frames aired", value, &std::mem::take(&mut self.aired).into()),
            "remembers" => {
                let kept = (1..=self.talkers.len()).filter(|n| self.harness.radio.remembers(no(*n as u32)));
                return same("remembered", value, &kept.collect::<Vec<_>>().into());
            }
            "people" => return same("people", value, &self.people.into()),
            "asks" => return same("asks for a connection", value, &self.harness.asks().into()),
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
                let out = self.harness.reconnect();
                self.note(out);
            }
            "drops" => {
                let out = self.harness.drop_link();
                self.note(out);
            }
            word => {
                let code = Code::ALL.into_iter().find(|code| json!(code) == word.replace(' ', "_"));
                self.give(closed(code.unwrap_or_else(|| panic!("a link does not {word}"))));
            }
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
            _ => match act.as_object().and_then(|act| act.iter().next()).expect("an act") {
                (what, value) if what == "range" => self.give(Input::Range(parsed(value))),
                (what, value) if what == "mute" => self.mute(value, true),
                (what, value) if what == "unmute" => self.mute(value, false),
                (what, value) if what == "again" => {
                    self.give(Input::SayAgain { heard: no(parsed(value)) });
                }
                (what, value) if what == "page" => {
                    self.give(Input::Participants { channel: ch("19"), page: parsed(value) });
                }
                (what, _) => panic!("nobody does {what}"),
            },
        }
    }

    fn mute(&mut self, who: &Value, muted: bool) {
        self.give(Input::Mute { participant: parsed(who), muted });
    }

    /// Frames of a burst come, at once or each after some time.
    fn frames(&mut self, told: &Value) {
        let number = |field: &str, or: u64| told[field].as_u64().unwrap_or(or);
        let bytes = if told["quiet"] == true { 2 } else { 40 };
        for seq in number("from", 0)..number("to", 0) {
            let at = (seq * 20 + number("later", 0)) * 48;
            let (burst, seq) = (number("burst", 0) as u32, seq as u16);
            let out = self.harness.hear_at(burst, seq, at as u32, bytes);
            self.note(out);
            self.pass(Duration::from_millis(number("every", 0)), true);
        }
    }

    fn give(&mut self, input: Input) {
        let out = self.harness.give(input);
        self.note(out);
    }

    /// Time goes by, on a link that is `alive` or silent, and the loudspeaker takes what there is.
    fn pass(&mut self, time: Duration, alive: bool) {
        let end = self.harness.now + time;
        while self.harness.now < end {
            let step = self.speaker.pull(&mut self.harness).min(end.since(self.harness.now));
            let out = self.harness.pass(step);
            self.note(out);
            if alive && self.harness.now.since(self.spoke) >= Duration::from_secs(10) {
                self.spoke = self.harness.now;
                self.give(Input::Alive);
            }
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
                Output::SendVoice(bytes) => {
                    let frame = VoiceFrame::parse(&bytes).expect("a frame");
                    *self.pressed.entry(frame.burst).or_default() += 1;
                    self.voice += 1;
                }
                Output::Event(event) => self.event(event),
                Output::Connect | Output::Close => {}
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Pressed { .. } => self.button = "waiting",
            Event::Receipt { burst, outcome } => {
                self.button = "off";
                self.outcome(burst, &outcome, "");
            }
            Event::LateReceipt { burst, outcome } => self.outcome(burst, &outcome, "late "),
            Event::BurstStarted { heard, talker, .. } => {
                self.talkers.insert(heard, talker.person.handle.to_string());
            }
            Event::BurstEnded { heard, lost, reason, .. } => {
                let reason = match reason {
                    HeardEnd::Ended(reason) => json!(reason),
                    HeardEnd::LinkLost => json!("talker_lost"),
                    HeardEnd::Untuned => json!("untuned"),
                };
                let talker = &self.talkers[&heard];
                self.ended.push(json!({ "talker": talker, "missed": lost, "ended": reason }));
            }
            Event::PlayMissed { heard } => self.missed.push(heard),
            Event::Tuned { info, .. } => self.people = info.count,
            Event::Presence { count, .. } | Event::Participants { count, .. } => self.people = count,
            _ => {}
        }
    }

    /// What became of a press, and how much of it others could hear where that is not all.
    fn outcome(&mut self, burst: BurstNo, outcome: &Outcome, late: &str) {
        let sent = self.pressed.get(&burst).copied().unwrap_or(0);
        let (word, frames) = match outcome {
            Outcome::Aired { frames, .. } => ("aired".into(), *frames),
            Outcome::Refused { refusal } => (json!(refusal.code).as_str().expect("a code").to_owned(), 0),
        };
        self.outcomes.push(format!("{late}{word}").into());
        if !late.is_empty() || (word == "aired" && frames < sent) {
            self.aired.push(json!([frames, sent]));
        }
    }

    /// A message of the server with what the scenario has left out. None when its type is unknown: the shell
    /// drops it.
    fn filled(&self, message: &Value) -> Option<ServerMessage> {
        let kind = message["type"].as_str().expect("a type");
        let mut all: Map<String, Value> = self.defaults[kind].as_object().cloned().unwrap_or_default();
        all.extend(message.as_object().expect("a message").clone());
        if kind == "unknown" { None } else { Some(parsed(&all.into())) }
    }
}

/// What the loudspeaker has played since it was asked last.
#[derive(Default)]
struct Speaker {
    played: String,
    /// When it wants more.
    next: Time,
}

impl Speaker {
    /// Takes what is due. The time until more is.
    fn pull(&mut self, harness: &mut Harness) -> Duration {
        if harness.now >= self.next {
            let (sound, _) = harness.pull();
            let quiet = matches!(&sound.kind, SoundKind::Frame(payload) if payload.len() <= 2);
            let letter = if quiet || sound.heard.is_none() { '.' } else { letter(&sound) };
            self.played.extend(std::iter::repeat_n(letter, sound.samples as usize / 960));
            self.next = harness.now + Duration::from_millis(u64::from(sound.samples / 48));
        }
        self.next.since(harness.now)
    }

    /// A letter for 20 ms, without the silence before and after.
    fn played(&mut self) -> String {
        std::mem::take(&mut self.played).trim_matches('.').into()
    }
}

fn millis(value: &Value) -> Duration {
    Duration::from_millis(value.as_u64().expect("milliseconds"))
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
