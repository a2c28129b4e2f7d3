use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::http::Proof;

fn told(text: &str) -> String {
    message(text).unwrap_err().to_string()
}

#[test]
fn a_fault_names_the_field_and_what_it_may_be() {
    let cases = [
        (
            r#"{"type":"locate"}"#,
            "`cell` is missing; it has to be null, or a text: the 15 hexadecimal digits",
        ),
        (
            r#"{"type":"locate","cell":null,"lat":1}"#,
            "the message has a field that does not belong there; it may have `cell` and `stamp`",
        ),
        (r#"{"type":"ping","n":"x"}"#, "`n` has to be a whole number from 0 to 4294967295"),
        (r#"{"type":"ping","n":4294967296}"#, "`n` has to be a whole number from 0 to 4294967295"),
        (r#"{"type":"ping","n":-1}"#, "`n` has to be a whole number from 0 to 4294967295"),
        (r#"{"type":"ping","n":227.5}"#, "`n` has to be a whole number from 0 to 4294967295"),
        (r#"{"type":"ping","n":1,"n":2}"#, "`n` is there twice"),
        (r#"{"type":"range","tx":"30km","rx":"10km"}"#, r#"`tx` has to be "10km", "25km", "#),
        (r#"{"type":"shout"}"#, r#"`type` has to be "hello", "locate", "#),
        (r#"{"n":1}"#, r#"`type` has to be "hello", "#),
        (r#"{"type":"ping","n":1"#, "this is no JSON, EOF while parsing an object at line 1 column 20"),
        ("[1, 2", "this is no JSON, "),
        ("[]", r#"a message is one object, such as {"type":"ping","n":1}"#),
        ("7", "a message is one object"),
        (
            r#"{"type":"locate","cell":"44.8125,20.4375"}"#,
            "`cell` has to be null, or a text: the 15 hexadecimal digits",
        ),
        (r#"{"type":"tune","channel":"41"}"#, r#"`channel` has to be a text: "1" to "40", or a name"#),
        (r#"{"type":"tune","channel":19}"#, r#"`channel` has to be a text: "1" to "40", or a name"#),
        (
            r#"{"type":"burst.start","channel":"19","burst":1,"codec":"opus","frame_ms":30}"#,
            "`frame_ms` has to be 20, 40 or 60",
        ),
        (r#"{"type":"mute","participant":1,"muted":1}"#, "`muted` has to be true or false"),
        (r#"{"type":"hello","client":""}"#, "`client` has to be a text of 1 to 64 bytes"),
        (r#"{"type":"hello","client":"x","place":{}}"#, "`place.cell` is missing"),
        (
            r#"{"type":"hello","client":"x","resume":{"token":"x","have":[{"burst":1,"next":65536}]}}"#,
            "`resume.have.next` has to be a whole number from 0 to 65535",
        ),
    ];
    for (text, start) in cases {
        assert!(told(text).starts_with(start), "{text}: {}", told(text));
    }
}

#[test]
fn a_list_is_no_object() {
    for text in [
        r#"["hello","x"]"#,
        r#"{"type":"hello","client":"x","place":["861ec9077ffffff"]}"#,
        r#"{"type":"hello","client":"x","range":["10km","10km"]}"#,
        r#"{"type":"hello","client":"x","resume":["token"]}"#,
        r#"{"type":"hello","client":"x","resume":{"token":"x","have":[[1,2]]}}"#,
        r#"{"type":"hello","client":"x","device":["a","b","c","d"]}"#,
    ] {
        assert!(told(text).contains("object"), "{text}: {}", told(text));
    }
    for text in [&b"[null,null]"[..], b"[]", br#"["x"]"#] {
        let fault = body::<Profile>(text).unwrap_err().to_string();
        assert_eq!(fault, "the body has to be an object with `handle` and `description`");
    }
    let proof = br#"{"proof":["key","nonce",1,"signature","bearer"]}"#;
    assert!(
        body::<Login>(proof).unwrap_err().to_string().starts_with("`proof` has to be an object with `key`")
    );
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let ping = |n: &str| message(&format!(r#"{{"type":"ping","n":{n}}}"#)).ok();
    for whole in ["227", "227.0", "2.27e2", "227.000"] {
        assert_eq!(ping(whole), Some(ClientMessage::Ping { n: 227 }), "{whole}");
    }
    assert_eq!(ping("-0.0"), Some(ClientMessage::Ping { n: 0 }));
    for other in ["227.5", "1e300", "-1.0", "\"227\"", "true", "4294967296.0"] {
        assert_eq!(ping(other), None, "{other}");
    }
    let proof = |expiry: &str| {
        let text = format!(
            r#"{{"proof":{{"key":"k","nonce":"n","expiry":{expiry},"signature":"s","session":"bearer"}}}}"#
        );
        body::<Login>(text.as_bytes()).map(|Login { proof: Proof { expiry, .. } }| expiry)
    };
    assert_eq!(proof("1764511200.0"), Ok(1_764_511_200));
    assert!(proof("227.5").unwrap_err().to_string().starts_with("`proof.expiry` has to be a whole number"));
}

#[test]
fn null_is_as_good_as_absent_but_where_it_says_something() {
    assert!(message(r#"{"type":"hello","client":"x","place":null,"economy":null,"resume":null}"#).is_ok());
    assert_eq!(message(r#"{"type":"locate","cell":null}"#), Ok(ClientMessage::locate(None)));
    assert!(message(r#"{"type":"ping","n":null}"#).is_err());
    let profile: Profile = body(br#"{"description":null,"handle":null}"#).unwrap();
    assert_eq!((profile.description, profile.handle), (Some(None), None));
    assert_eq!(body::<Profile>(b"{}").unwrap().description, None);
}

#[test]
fn of_a_press_that_cannot_be_read_the_number_can() {
    let number = |text| press_of(text).map(|BurstNo(number)| number);
    assert_eq!(number(r#"{"type":"burst.start","burst":7,"channel":"99"}"#), Some(7));
    assert_eq!(number(r#"{"type":"burst.start","burst":7.0}"#), Some(7));
    for none in [
        r#"{"type":"burst.start"}"#,
        r#"{"type":"burst.start","burst":"7"}"#,
        r#"{"type":"burst.end","burst":7}"#,
        "[7]",
        "{",
    ] {
        assert_eq!(number(none), None, "{none}");
    }
}

/// Messages of the protocol, as templates for wrong ones.
fn templates() -> Vec<Value> {
    let place = json!({ "cell": "861ec9077ffffff", "stamp": "x" });
    let range = json!({ "tx": "10km", "rx": "unlimited" });
    vec![
        json!({ "type": "hello", "client": "x 1", "place": place, "range": range }),
        json!({ "type": "hello", "client": "x 1", "resume": { "token": "x", "newest": 1, "have": [{ "burst": 1, "next": 2 }] } }),
        json!({ "type": "locate", "cell": "861ec9077ffffff" }),
        json!({ "type": "range", "tx": "10km", "rx": "10km" }),
        json!({ "type": "tune", "channel": "19", "catch_up": true }),
        json!({ "type": "burst.start", "channel": "19", "burst": 1, "codec": "opus", "frame_ms": 20 }),
        json!({ "type": "mute", "participant": 1, "muted": true }),
        json!({ "type": "ping", "n": 1 }),
    ]
}

/// Every spot in a message where something can stand.
fn spots(value: &Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_owned());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        spots(child, &format!("{path}/{name}"), out);
    }
}

proptest! {
    /// Nor is there anything of Rust in it, and what the table lets through the types take.
    #[test]
    fn nothing_that_was_sent_is_repeated(
        template in prop::sample::select(templates()),
        spot in any::<prop::sample::Index>(),
        sent in prop::sample::select(vec![
            json!("44.8125"), json!(44.8125), json!(448_125), json!(-448_125), json!([44.8125]), json!(null),
            json!({ "44.8125": 44.8125 }), json!({ "lat": 44.8125, "lon": 20.4375 }), json!(true), json!({}), json!([]),
            json!("861EC9077FFFFFF"), json!("missing field `44.8125"),
        ]),
        field in prop::sample::select(vec![None, Some("44.8125"), Some("861EC9077FFFFFF")]),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut wrong = template;
        let mut all = Vec::new();
        spots(&wrong, "", &mut all);
        let at = wrong.pointer_mut(&all[spot.index(all.len())]).unwrap();
        match (field, at) {
            (Some(field), Value::Object(fields)) => { fields.insert(field.into(), sent); }
            (_, at) => *at = sent,
        }
        let text = wrong.to_string();
        // Whole, and broken off.
        for text in [&text[..], &text[..cut.index(text.len())]] {
            if let Err(fault) = message(text) {
                let said = fault.to_string();
                for word in ["44.8", "448125", "861EC", "20.43", "861ec", "struct", "u32", "u16", "expected `", "cannot have"] {
                    prop_assert!(!said.contains(word), "{} of {}", said, text);
                }
            }
        }
    }
}
