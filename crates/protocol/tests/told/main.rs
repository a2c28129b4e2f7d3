//! What a server can tell at all: each field of each message is in `vectors/told.json`, and of a
//! person there are five. A new field does not compile here, then is not in the list; whoever adds it
//! there changes what the policy promises.

mod fields;

use std::collections::BTreeSet;
use std::path::Path;

use fields::{Fields, Told, fields_of, people_in};
use serde_json::Value;
use tenfour_protocol::control::AirLimits;
use tenfour_protocol::control::{ChannelInfo, Codec, Dropped, EndReason, FrameTime, Outcome};
use tenfour_protocol::person::{Country, Description};
use tenfour_protocol::{
    BurstNo, ChannelId, Code, Handle, Participant, ParticipantNo, Person, Range, Refusal, ServerMessage,
    SignalGrade, UserId,
};

/// Somebody of whom there is all there can be.
fn somebody() -> Participant {
    let person = Person {
        handle: Handle::parse("Roadrunner").unwrap(),
        tag: UserId::of_key(&[1; 32]).tag(),
        description: Some(Description::parse("night shift").unwrap()),
        country: Some(Country::try_from("RS".to_owned()).unwrap()),
    };
    Participant { id: ParticipantNo(7), person }
}

fn refusal() -> Refusal {
    Refusal::from(Code::TooManyMessages).retry_after(1).about(channel()).of_burst(Some(BurstNo(1)))
}

fn channel() -> ChannelId {
    ChannelId::numbered(19).unwrap()
}

/// One of each message, with nothing left out; two where there are two kinds.
fn all() -> Vec<ServerMessage> {
    let (burst, channel) = (BurstNo(1), channel());
    let receipt = |outcome| ServerMessage::Receipt { burst, late: true, outcome };
    vec![
        ServerMessage::Welcome {
            you: somebody(),
            resume: "token".to_owned(),
            resumed: true,
            tuned: vec![channel.clone()],
            hold_ms: 1,
            talk_limit_ms: 1,
            limits: AirLimits::default(),
            epoch_in_ms: 1,
            host: "host".to_owned(),
            server: "server".to_owned(),
        },
        ServerMessage::Located {
            shared: true,
            country: somebody().person.country,
            stamp: Some("stamp".to_owned()),
            effective_in_ms: Some(1),
        },
        ServerMessage::Ranged { tx: Range::Km10, rx: Range::Unlimited },
        ServerMessage::Tuned {
            info: ChannelInfo { channel: channel.clone(), label: Some("Calling".to_owned()), count: 1 },
            participants: vec![somebody()],
            pages: 1,
        },
        ServerMessage::Untuned { channel: channel.clone() },
        ServerMessage::Presence {
            channel: channel.clone(),
            count: 1,
            joined: vec![somebody()],
            left: vec![ParticipantNo(8)],
            changed: vec![somebody()],
        },
        ServerMessage::Participants {
            channel: channel.clone(),
            page: 0,
            pages: 1,
            count: 1,
            participants: vec![somebody()],
        },
        ServerMessage::BurstGranted { burst, talk_limit_ms: 1 },
        ServerMessage::OthersWait { burst, others: 1, limit_in_ms: 1 },
        ServerMessage::BurstStarted {
            burst,
            channel,
            talker: somebody(),
            codec: Codec::Opus,
            frame_ms: FrameTime::Ms20,
            grade: Some(SignalGrade::ALL[0]),
            bundle: Some(2),
        },
        ServerMessage::BurstGap { burst, from: 0, to: 1 },
        ServerMessage::BurstEnded { burst, frames: 1, reason: EndReason::Released },
        receipt(Outcome::Aired {
            frames: 1,
            ended: EndReason::Released,
            dropped: Some(Box::new(Dropped { frames: 1, refusal: refusal() })),
        }),
        receipt(Outcome::Refused { refusal: refusal() }),
        ServerMessage::Error { refusal: refusal() },
        ServerMessage::Pong { n: 1 },
        ServerMessage::Island { alone: true },
        ServerMessage::GoingAway { back_in_ms: 1 },
    ]
}

/// The people that a message is about. No arm is for the rest, and none leaves out a field: a new one
/// does not compile until somebody has looked at whom it tells of.
fn people(message: &ServerMessage) -> Vec<&Participant> {
    use ServerMessage as M;
    match message {
        M::Welcome {
            you,
            resume: _,
            resumed: _,
            tuned: _,
            hold_ms: _,
            talk_limit_ms: _,
            limits: _,
            epoch_in_ms: _,
            host: _,
            server: _,
        } => vec![you],
        M::Tuned { info: ChannelInfo { channel: _, label: _, count: _ }, participants, pages: _ }
        | M::Participants { channel: _, page: _, pages: _, count: _, participants } => {
            participants.iter().collect()
        }
        M::Presence { channel: _, count: _, joined, left: _, changed } => {
            joined.iter().chain(changed).collect()
        }
        M::BurstStarted { burst: _, channel: _, talker, codec: _, frame_ms: _, grade: _, bundle: _ } => {
            vec![talker]
        }
        // About oneself, about the radio, or about a burst by its number.
        M::Located { shared: _, country: _, stamp: _, effective_in_ms: _ }
        | M::Ranged { tx: _, rx: _ }
        | M::Untuned { channel: _ }
        | M::BurstGranted { burst: _, talk_limit_ms: _ }
        | M::OthersWait { burst: _, others: _, limit_in_ms: _ }
        | M::BurstGap { burst: _, from: _, to: _ }
        | M::BurstEnded { burst: _, frames: _, reason: _ }
        | M::Receipt {
            burst: _,
            late: _,
            outcome:
                Outcome::Aired { frames: _, ended: _, dropped: _ }
                | Outcome::Refused {
                    refusal: Refusal { code: _, message: _, hint: _, retry_after_ms: _, channel: _, burst: _ },
                },
        }
        | M::Error {
            refusal: Refusal { code: _, message: _, hint: _, retry_after_ms: _, channel: _, burst: _ },
        }
        | M::Pong { n: _ }
        | M::Island { alone: _ }
        | M::GoingAway { back_in_ms: _ } => Vec::new(),
    }
}

#[test]
fn every_message_tells_what_the_list_says_and_nothing_else() {
    let mut told = std::collections::BTreeMap::<String, Fields>::new();
    for message in all() {
        let json = serde_json::to_value(&message).unwrap();
        told.entry(json["type"].as_str().unwrap().to_owned()).or_default().extend(fields_of(&json));
    }
    assert_eq!(told, Told::list().messages);
}

#[test]
fn of_a_person_there_are_handle_tag_description_country_and_a_number() {
    let person = Told::list().person;
    assert_eq!(person, ["country", "description", "handle", "id", "tag"].map(str::to_owned).into());
    for message in all() {
        let json = serde_json::to_value(&message).unwrap();
        let (typed, found) = (people(&message), people_in(&json));
        assert_eq!(typed.len(), found.len(), "{json}");
        for (participant, object) in typed.into_iter().zip(found) {
            let Participant { id, person: Person { handle, tag, description, country } } = participant;
            let expected = serde_json::json!({
                "id": id, "handle": handle, "tag": tag, "description": description, "country": country,
            });
            assert_eq!(object, &expected);
            assert_eq!(fields_of(object), person);
        }
    }
}

#[test]
fn a_signal_grade_is_told_when_a_burst_starts_and_nowhere_else() {
    let messages = Told::list().messages;
    let graded: Vec<_> = messages.iter().filter(|(_, fields)| fields.contains("grade")).collect();
    assert_eq!(graded.len(), 1);
    assert_eq!(graded[0].0, "burst.started");
    for fields in messages.values() {
        for word in ["cell", "lat", "lon", "distance", "km", "place", "platform", "model", "address", "user"]
        {
            assert!(!fields.iter().any(|field| last(field) == word), "{word}");
        }
    }
}

#[test]
fn the_types_of_the_page_have_the_same_fields() {
    let mut typed = BTreeSet::new();
    names_in("ServerMessage", &mut typed, &mut BTreeSet::new());
    typed.remove("type");
    let listed = Told::list().messages.into_values().flatten().flat_map(|field| {
        let parts: Vec<_> = field.split('.').map(|part| part.trim_end_matches("[]").to_owned()).collect();
        parts
    });
    assert_eq!(typed, listed.collect());
}

fn last(field: &str) -> &str {
    field.trim_end_matches("[]").rsplit('.').next().unwrap_or(field)
}

/// The names of the fields of a generated type, and of those it is made of.
fn names_in(name: &str, into: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/gen").join(format!("{name}.ts"));
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines().filter(|line| !line.starts_with([' ', '/'])) {
        if let Some(used) = line.strip_prefix("import type { ").and_then(|rest| rest.split(' ').next()) {
            names_in(used, into, seen);
            continue;
        }
        for (before, _) in line.match_indices(':').map(|(at, _)| line.split_at(at)) {
            let name = before.trim_end_matches(['?', '"']);
            let start = name.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            into.insert(name[start..].to_owned());
        }
    }
}

#[test]
fn a_field_too_many_would_be_seen() {
    let started: Value = serde_json::json!({
        "type": "burst.started", "talker": { "id": 1, "handle": "A", "tag": "aaaa", "platform": "Linux" },
        "at": [{ "cell": "861ec9077ffffff" }],
    });
    let listed = &Told::list().messages["burst.started"];
    let unlisted: Vec<_> = fields_of(&started).into_iter().filter(|field| !listed.contains(field)).collect();
    assert_eq!(unlisted, ["at[].cell", "talker.platform"]);
}
