//! The table of fields says what the types say: the same names, and of what clients send the same values.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};
use tenfour_protocol::fields::{self, Field, Kind, Object};
use tenfour_protocol::http::{About, Channels, Contact, Held, Login, Me, Nonce, Problem, Profile, Register};
use tenfour_protocol::{ClientMessage, ServerMessage, json as read};

/// A value that the table allows, with every field; numbers are the largest.
fn most(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!(true),
        Kind::Whole { most } => json!(most),
        Kind::Numbers(numbers) => json!(numbers.last()),
        Kind::Words(words) => json!(words.last()),
        Kind::Text { fits, what } => {
            let texts = ["19", "861ec9077ffffff", "RS", "too_many_messages", "k7f2"];
            let country = what.contains("3166");
            let user = what.contains("32 characters");
            let code = what.contains("section 6");
            let tag = what.contains("of 4 characters");
            let text = match () {
                () if country => "RS",
                () if user => "k7f2w0c9d3e8h1j5m6n4p0q2r7s9t3v8",
                () if code => "too_many_messages",
                () if tag => "k7f2",
                () => texts.into_iter().find(|text| fits(text)).expect("one of them"),
            };
            json!(text)
        }
        Kind::Object(object) => whole(object).into(),
        Kind::List(kind) => json!([most(kind)]),
        Kind::OrNull(kind) => most(kind),
    }
}

fn whole(object: &Object) -> Map<String, Value> {
    object.fields.iter().map(|Field { name, kind, .. }| ((*name).to_owned(), most(kind))).collect()
}

fn message(object: &Object) -> Value {
    let mut fields = whole(object);
    if !object.fields.iter().any(|field| field.name == "type") {
        fields.insert("type".to_owned(), object.name.into());
    }
    fields.into()
}

/// The names of all fields, `a.b[].c`.
fn names(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| names(value, &format!("{path}.{name}"), into));
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, &format!("{path}[]"), into)),
        _ => drop(into.insert(path.to_owned())),
    }
}

fn names_of(value: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    names(value, "", &mut all);
    all
}

#[test]
fn every_message_of_a_client_is_in_the_table_with_all_its_fields() {
    for object in fields::UP {
        let text = message(object);
        let read =
            read::message(&text.to_string()).unwrap_or_else(|fault| panic!("{}: {fault}", object.name));
        assert_eq!(names_of(&serde_json::to_value(&read).unwrap()), names_of(&text), "{}", object.name);
        assert_eq!(serde_json::from_value::<ClientMessage>(text).unwrap(), read, "as the type reads it");
    }
    assert_eq!(types(fields::UP), declared("ClientMessage.ts"));
}

#[test]
fn every_message_of_the_server_is_in_the_table_with_all_its_fields() {
    let told: Value = serde_json::from_str(include_str!("../../../../vectors/told.json")).unwrap();
    for object in fields::DOWN {
        let mut listed: BTreeSet<_> = serde_json::from_value(told["messages"][object.name].clone()).unwrap();
        listed = listed.into_iter().map(|name: String| format!(".{name}")).collect();
        listed.insert(".type".to_owned());
        let shown = message(object);
        assert_eq!(names_of(&shown), listed, "{}", object.name);
        serde_json::from_value::<ServerMessage>(shown)
            .unwrap_or_else(|error| panic!("{}: {error}", object.name));
    }
    assert_eq!(types(fields::DOWN), declared("ServerMessage.ts"));
}

fn types(objects: &[Object]) -> BTreeSet<String> {
    objects.iter().map(|object| object.name.to_owned()).collect()
}

/// The types of message that the page knows.
fn declared(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/gen").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\"type\": \"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// Reads what the table says, writes it again, and looks for what has become of it.
fn round<T: serde::de::DeserializeOwned + serde::Serialize>(object: &Object) {
    let text = Value::from(whole(object));
    let read: T =
        serde_json::from_value(text.clone()).unwrap_or_else(|error| panic!("{}: {error}", object.name));
    assert_eq!(names_of(&serde_json::to_value(read).unwrap()), names_of(&text), "{}", object.name);
}

#[test]
fn every_body_is_in_the_table_with_all_its_fields() {
    round::<Nonce>(&fields::NONCE);
    round::<Register>(&fields::REGISTER);
    round::<Login>(&fields::LOGIN);
    round::<Me>(&fields::ME);
    round::<Profile>(&fields::PROFILE);
    round::<Contact>(&fields::CONTACT);
    round::<Held>(&fields::HELD);
    round::<About>(&fields::ABOUT);
    round::<Channels>(&fields::CHANNELS);
    round::<Problem>(&fields::PROBLEM);
}

/// The most of each number is taken by the type, and what the type needs is not optional in the table.
#[test]
fn what_may_be_absent_or_how_large_a_number_may_be_is_what_the_types_say() {
    for object in fields::UP {
        for field in object.fields {
            let mut text = message(object);
            text.as_object_mut().unwrap().remove(field.name);
            let is_taken = serde_json::from_value::<ClientMessage>(text.clone()).is_ok();
            assert_eq!(is_taken, field.optional, "{}.{}", object.name, field.name);
            assert_eq!(
                read::message(&text.to_string()).is_ok(),
                field.optional,
                "{}.{}",
                object.name,
                field.name
            );
            if let Kind::Whole { most } = field.kind {
                text[field.name] = json!(most + 1);
                assert!(
                    serde_json::from_value::<ClientMessage>(text).is_err(),
                    "{}.{}",
                    object.name,
                    field.name
                );
            }
        }
    }
}

#[test]
fn golden_messages_of_clients_are_read_alike() {
    let vectors: Value = serde_json::from_str(include_str!("../../../../vectors/messages.json")).unwrap();
    for case in vectors["messages"].as_array().unwrap().iter().filter(|case| case["direction"] == "up") {
        let read = read::message(&case["json"].to_string());
        assert_eq!(read.is_err(), case["invalid"].is_string(), "{}: {read:?}", case["name"]);
    }
}
