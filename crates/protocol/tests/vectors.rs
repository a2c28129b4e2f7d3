//! The golden vectors of `vectors/`, which the web client's tests read too.

use std::collections::BTreeSet;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::voice::VoiceFrameError;
use tenfour_protocol::{BurstNo, ClientMessage, ServerMessage, UserId, VoiceFrame, Work};

fn vectors(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(file: &str, key: &str) -> Vec<Value> {
    vectors(file)[key].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn voice_frames_are_parsed_and_written_alike() {
    for case in list("voice_frames.json", "cases") {
        let bytes = hex(&case["hex"]);
        let parsed = VoiceFrame::parse(&bytes);
        if let Some(error) = case["error"].as_str() {
            let found = match parsed.unwrap_err() {
                VoiceFrameError::Short => "short",
                VoiceFrameError::Long => "long",
                VoiceFrameError::Version(_) => "version",
                VoiceFrameError::Flags(_) => "flags",
            };
            assert_eq!(found, error, "{}", case["name"]);
            continue;
        }
        let (frame, payload) = (&case["frame"], hex(&case["frame"]["payload"]));
        let wanted = VoiceFrame {
            burst: BurstNo(frame["burst"].as_u64().unwrap() as u32),
            seq: frame["seq"].as_u64().unwrap() as u16,
            media_time: frame["media_time"].as_u64().unwrap() as u32,
            last: frame["last"].as_bool().unwrap(),
            payload: &payload,
        };
        assert_eq!(parsed, Ok(wanted), "{}", case["name"]);
        assert_eq!(wanted.to_bytes(), bytes, "{}", case["name"]);
    }
}

#[test]
fn messages_are_parsed_and_written_alike_and_bad_ones_refused() {
    for case in list("messages.json", "messages") {
        let (json, up) = (&case["json"], case["direction"] == "up");
        let written = if up {
            serde_json::from_value::<ClientMessage>(json.clone()).map(|it| serde_json::to_value(it).unwrap())
        } else {
            serde_json::from_value::<ServerMessage>(json.clone()).map(|it| serde_json::to_value(it).unwrap())
        };
        if case["invalid"].is_string() {
            assert!(written.is_err(), "{} was taken", case["name"]);
        } else {
            assert_eq!(
                told(written.unwrap_or_else(|error| panic!("{}: {error}", case["name"]))),
                told(json.clone()),
                "{}",
                case["name"]
            );
        }
    }
}

/// A message without the fields that say what is true anyway.
fn told(message: Value) -> Map<String, Value> {
    let Value::Object(mut fields) = message else { panic!("a message is an object") };
    fields.retain(|name, value| {
        !(matches!(name.as_str(), "economy" | "hear_self" | "catch_up") && *value == false)
    });
    fields
}

#[test]
fn every_type_of_message_has_a_vector() {
    for (file, direction) in [("ClientMessage.ts", "up"), ("ServerMessage.ts", "down")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/gen").join(file);
        let types = std::fs::read_to_string(path).unwrap();
        let declared: BTreeSet<_> =
            types.split("\"type\": \"").skip(1).filter_map(|t| t.split('"').next()).collect();
        let all = list("messages.json", "messages");
        let shown: BTreeSet<_> = all
            .iter()
            .filter(|case| case["direction"] == direction && !case["invalid"].is_string())
            .filter_map(|case| case["json"]["type"].as_str())
            .collect();
        assert!(!declared.is_empty());
        assert_eq!(shown, declared, "{direction}");
    }
}

#[test]
fn identifier_tag_and_signed_bytes_are_the_same_in_both_languages() {
    let identity = vectors("identity.json");
    let key: [u8; 32] = hex(&identity["public_key"]).try_into().unwrap();
    let user = UserId::of_key(&key);
    assert_eq!(user.to_string(), identity["user"].as_str().unwrap());
    assert_eq!(user.tag().to_string(), identity["tag"].as_str().unwrap());
    let nonce: [u8; 32] = hex(&identity["nonce"]).try_into().unwrap();
    let origin = identity["origin"].as_str().unwrap();
    let bytes = signed_bytes(origin, &nonce, identity["expiry"].as_u64().unwrap(), &user);
    assert_eq!(bytes, hex(&identity["signed_bytes"]));
}

#[test]
fn work_is_the_same_in_both_languages() {
    let vector = vectors("work.json");
    let user = UserId::from_bytes(hex(&vector["user"]).try_into().unwrap());
    let work = Work::new(&hex(&vector["nonce"]).try_into().unwrap(), &user);
    for case in vector["solutions"].as_array().unwrap() {
        let bits = u8::try_from(case["bits"].as_u64().unwrap()).unwrap();
        let solution = u32::try_from(case["work"].as_u64().unwrap()).unwrap();
        assert_eq!(work.search(0.., bits), Some(solution), "{bits} bits");
    }
}
