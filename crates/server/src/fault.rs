//! What is wrong with a message, in words that are all our own.

use serde_json::Error;
use serde_json::error::Category;

/// Says what was expected. What was sent may be a place, or anything else that a client should not
/// have sent: it is not repeated, not even to who has sent it.
pub(crate) fn fault(error: &Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = whole.strip_suffix(&place).unwrap_or(&whole);
    match error.classify() {
        // About the grammar of JSON: these texts quote nothing.
        Category::Syntax | Category::Eof | Category::Io => whole,
        // Names of ours.
        Category::Data if reason.starts_with("missing field `") => reason.to_owned(),
        Category::Data => match reason.rsplit_once(", expected ") {
            // What comes before quotes the message; our own words have no such comma.
            Some((_, expected)) => format!("expected {expected}"),
            None => "a field has a value that it cannot have".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tenfour_protocol::ClientMessage;

    fn fault_of(text: &str) -> String {
        fault(&serde_json::from_str::<ClientMessage>(text).unwrap_err())
    }

    #[test]
    fn a_fault_says_what_was_expected() {
        let cases = [
            (r#"{"type":"locate"}"#, "missing field `cell`"),
            (r#"{"type":"locate","cell":null,"lat":1}"#, "expected `cell`"),
            (r#"{"type":"ping","n":"x"}"#, "expected u32"),
            (r#"{"type":"range","tx":"30km","rx":"10km"}"#, "expected one of `10km`, `25km`, "),
            (r#"{"type":"shout"}"#, "expected one of `hello`, "),
            (r#"{"type":"ping","n":1"#, "EOF while parsing an object at line 1 column 20"),
            ("[1, 2", "expected variant identifier"),
            (r#"{"type":"locate","cell":"44.8125,20.4375"}"#, "a field has a value that it cannot have"),
        ];
        for (text, start) in cases {
            let fault = fault_of(text);
            assert!(fault.starts_with(start), "{text}: {fault}");
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
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            _ => Vec::new(),
        };
        for (name, child) in children {
            spots(child, &format!("{path}/{name}"), out);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_was_sent_is_repeated(
            template in prop::sample::select(templates()),
            spot in any::<prop::sample::Index>(),
            sent in prop::sample::select(vec![
                json!("44.8125"), json!(44.8125), json!(448_125), json!(-448_125), json!([44.8125]),
                json!({ "44.8125": 44.8125 }), json!({ "lat": 44.8125, "lon": 20.4375 }),
                json!("861EC9077FFFFFF"), json!(", expected 44.8125"), json!(", expected 44.8125 at line 1 column 2"),
                json!("missing field `44.8125"),
            ]),
            field in prop::sample::select(vec![None, Some("44.8125"), Some(", expected 44.8125 at line 1 column 1"), Some("861EC9077FFFFFF")]),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut message = template;
            let mut all = Vec::new();
            spots(&message, "", &mut all);
            let at = message.pointer_mut(&all[spot.index(all.len())]).unwrap();
            match (field, at) {
                (Some(field), Value::Object(fields)) => { fields.insert(field.into(), sent); }
                (_, at) => *at = sent,
            }
            let text = message.to_string();
            // Whole, and broken off.
            for text in [&text[..], &text[..cut.index(text.len())]] {
                if let Err(error) = serde_json::from_str::<ClientMessage>(text) {
                    let said = fault(&error);
                    for secret in ["44.8", "448125", "861EC", "20.43", "861ec"] {
                        prop_assert!(!said.contains(secret), "{} of {}", said, text);
                    }
                }
            }
        }
    }
}
