//! The list of all that a server may tell (`vectors/told.json`), and what a message tells.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// `a.b[].c` for each value in a message, but its type.
pub(crate) type Fields = BTreeSet<String>;

/// All that may be told.
pub(crate) struct Told {
    /// Of a person.
    pub(crate) person: Fields,
    /// By each type of message.
    pub(crate) messages: BTreeMap<String, Fields>,
}

impl Told {
    /// The committed list.
    pub(crate) fn list() -> Self {
        let list: Value = serde_json::from_str(include_str!("../../../../vectors/told.json")).unwrap();
        let fields = |list: &Value| serde_json::from_value(list.clone()).unwrap();
        let messages = list["messages"].as_object().unwrap();
        Self {
            person: fields(&list["person"]),
            messages: messages.iter().map(|(kind, list)| (kind.clone(), fields(list))).collect(),
        }
    }
}

/// What a message tells.
pub(crate) fn fields_of(message: &Value) -> Fields {
    let mut fields = Fields::new();
    collect(message, String::new(), &mut fields);
    fields.remove("type");
    fields
}

fn collect(value: &Value, path: String, into: &mut Fields) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, format!("{path}{dot}{name}"), into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, format!("{path}[]"), into)),
        _ => drop(into.insert(path)),
    }
}

/// Each object in a message that is about a person.
pub(crate) fn people_in(value: &Value) -> Vec<&Value> {
    let inside: Vec<&Value> = match value {
        Value::Object(object) => object.values().flat_map(people_in).collect(),
        Value::Array(values) => values.iter().flat_map(people_in).collect(),
        _ => Vec::new(),
    };
    let itself = ["handle", "tag"].iter().any(|field| value.get(field).is_some());
    itself.then_some(value).into_iter().chain(inside).collect()
}
