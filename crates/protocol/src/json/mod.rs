//! Reads what clients send. An object must be an object and no list, and `227.0` is 227. A refusal says in words of
//! this protocol which field is wrong and what it may be. It never repeats what was sent, not even to the sender:
//! that may be a place, or anything else that should not have been sent.

mod tree;

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned};

use self::tree::Tree;
use crate::fields::{self, Field, Kind, Object};
use crate::http::{Contact, Login, Profile, Register};
use crate::{BurstNo, ClientMessage};

/// Why a text is refused, as a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// What a client sends as the body of a request.
pub trait Body: DeserializeOwned {
    /// Its fields.
    const OBJECT: &'static Object;
}

macro_rules! bodies {
    ($($type:ty = $object:ident),*) => {
        $(impl Body for $type {
            const OBJECT: &'static Object = &fields::$object;
        })*
    };
}

bodies!(Register = REGISTER, Login = LOGIN, Profile = PROFILE, Contact = CONTACT);

/// Reads the body of a request.
///
/// # Errors
/// When it is no JSON, or not what [`Body::OBJECT`] says.
pub fn body<T: Body>(text: &[u8]) -> Result<T, Fault> {
    let mut tree = parsed(text)?;
    check(&mut tree, T::OBJECT, &Path::Body)?;
    T::deserialize(tree).map_err(|_| unfit())
}

/// Reads a message of the socket.
///
/// # Errors
/// When it is no JSON, or not what [`fields::UP`] says.
pub fn message(text: &str) -> Result<ClientMessage, Fault> {
    let mut tree = parsed(text.as_bytes())?;
    let Tree::Object(_) = tree else {
        return Err(Fault(r#"a message is one object, such as {"type":"ping","n":1}"#.to_owned()));
    };
    let known = match tree.field("type") {
        Some(Tree::Text(kind)) => fields::UP.iter().find(|message| message.name == kind),
        _ => None,
    };
    let Some(known) = known else {
        let names: Vec<_> = fields::UP.iter().map(|message| format!("\"{}\"", message.name)).collect();
        return Err(Fault(format!("`type` has to be {}", fields::listed(&names, "or"))));
    };
    check(&mut tree, known, &Path::Message)?;
    ClientMessage::deserialize(tree).map_err(|_| unfit())
}

/// If a message that cannot be read was meant as a press: the number of the press.
pub fn press_of(text: &str) -> Option<BurstNo> {
    let tree = parsed(text.as_bytes()).ok()?;
    let Some(Tree::Text(kind)) = tree.field("type") else { return None };
    match tree.field("burst")? {
        Tree::Whole(burst) if kind == "burst.start" => u32::try_from(*burst).ok().map(BurstNo),
        _ => None,
    }
}

fn parsed(text: &[u8]) -> Result<Tree<'_>, Fault> {
    // The library's error is about JSON's grammar, and quotes nothing.
    serde_json::from_slice(text).map_err(|error| Fault(format!("this is no JSON, {error}")))
}

/// Happens only if the table of fields and the types differ, which a test checks.
fn unfit() -> Fault {
    Fault(
        "a field has a value that it cannot have; its table in docs/protocol.md says which it can".to_owned(),
    )
}

/// The path of a field, for people.
enum Path<'a> {
    Body,
    Message,
    Field(&'a Path<'a>, &'static str),
}

impl Path<'_> {
    /// The names on the path, with dots between.
    fn names(&self) -> String {
        match self {
            Self::Body | Self::Message => String::new(),
            Self::Field(Self::Body | Self::Message, name) => (*name).to_owned(),
            Self::Field(within, name) => format!("{}.{name}", within.names()),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("the body"),
            Self::Message => f.write_str("the message"),
            field @ Self::Field(..) => write!(f, "`{}`", field.names()),
        }
    }
}

/// Checks an object, and removes optional fields that are null.
fn check(tree: &mut Tree<'_>, object: &'static Object, at: &Path<'_>) -> Result<(), Fault> {
    let Tree::Object(values) = tree else { return Err(wrong(at, &Kind::Object(object))) };
    let mut seen = vec![false; object.fields.len()];
    let mut checked = Ok(());
    values.retain_mut(|(name, value)| {
        let kept = match checked {
            Ok(()) => field(name, value, object, &mut seen, at),
            Err(_) => return true,
        };
        let keep = *kept.as_ref().unwrap_or(&true);
        checked = kept.map(drop);
        keep
    });
    checked?;
    let missing = object.fields.iter().zip(seen).find(|(field, seen)| !seen && !field.optional);
    missing.map_or(Ok(()), |(field, _)| {
        let at = Path::Field(at, field.name);
        Err(Fault(format!("{at} is missing; it has to be {}", field.kind.words())))
    })
}

/// Checks a field, and returns whether to keep it.
fn field(
    name: &str,
    value: &mut Tree<'_>,
    object: &'static Object,
    seen: &mut [bool],
    at: &Path<'_>,
) -> Result<bool, Fault> {
    if let (Path::Message, "type") = (at, name) {
        return Ok(true);
    }
    let Some((number, Field { name, kind, optional, .. })) = object.field(name) else {
        return Err(Fault(format!(
            "{at} has a field that does not belong there; it may have {}",
            object.names()
        )));
    };
    let at = Path::Field(at, name);
    if std::mem::replace(&mut seen[number], true) {
        return Err(Fault(format!("{at} is there twice")));
    }
    if *optional && matches!(value, Tree::Null) && !matches!(kind, Kind::OrNull(_)) {
        return Ok(false);
    }
    fits(value, kind, &at).map(|()| true)
}

fn fits(value: &mut Tree<'_>, kind: &'static Kind, at: &Path<'_>) -> Result<(), Fault> {
    let good = match (kind, value) {
        (Kind::OrNull(_), Tree::Null) => true,
        (Kind::OrNull(of), value) => return fits(value, of, at).map_err(|_| wrong(at, kind)),
        (Kind::Object(object), value) => return check(value, object, at),
        (Kind::List(kind), Tree::List(values)) => {
            return values.iter_mut().try_for_each(|value| fits(value, kind, at));
        }
        (Kind::Bool, Tree::Bool(_)) => true,
        (Kind::Whole { most }, Tree::Whole(number)) => *number <= *most,
        (Kind::Numbers(numbers), Tree::Whole(number)) => numbers.contains(number),
        (Kind::Words(words), Tree::Text(text)) => words.iter().any(|word| *word == text),
        (Kind::Text { fits, .. }, Tree::Text(text)) => fits(text),
        _ => false,
    };
    if good { Ok(()) } else { Err(wrong(at, kind)) }
}

fn wrong(at: &Path<'_>, kind: &Kind) -> Fault {
    Fault(format!("{at} has to be {}", kind.words()))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
