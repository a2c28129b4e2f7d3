//! The fields of each message and body, as a table: what a client sends is checked by it, so that whoever gets one
//! wrong is told which and what it may be, and `cargo xtask gen` writes it into `docs/protocol.md`. A test holds it
//! against the types.

mod http;
mod kind;
mod objects;
mod socket;

pub use http::{
    ABOUT, BODIES, CHANNELS, CONTACT, HELD, HELD_CONNECTION, HELD_MESSAGE, HELD_SESSION, LOGIN, ME, NONCE,
    PROBLEM, PROFILE, PROOF, REGISTER,
};
pub use kind::Kind;
pub use objects::{
    AIR_LIMITS, CHANNEL_INFO, DEVICE, DROPPED, HEARD, OBJECTS, PARTICIPANT, PLACE, RANGES, REFUSAL, RESUME,
};
pub use socket::{DOWN, UP};

/// A JSON object.
#[derive(Debug)]
pub struct Object {
    /// What it is called: the `type` of a message, or the name of the Rust type.
    pub name: &'static str,
    /// What it is for, in a sentence; Markdown.
    pub about: &'static str,
    /// What it has.
    pub fields: &'static [Field],
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// Whether it may be absent.
    pub optional: bool,
    /// What it means, with the unit; Markdown.
    pub about: &'static str,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, optional: false, about }
    }

    const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, optional: true, about }
    }
}

impl Object {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// The names of its fields, for a sentence.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        listed(&names, "and")
    }
}

/// `a, b and c`.
pub(crate) fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [all @ .., end] => format!("{} {last} {end}", all.join(", ")),
    }
}
