//! What others may see of a person: handle, tag, description, country. Nothing else
//! about anybody exists in a message to a peer.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;
use unicode_segmentation::UnicodeSegmentation;

use crate::id::{ParticipantNo, Tag};
use crate::limits;

/// A nickname: 1 to 24 graphemes in one line, no space at its ends, nothing invisible.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "Roadrunner")]
pub struct Handle(Arc<str>);

/// A line about oneself, shown beside the handle: 1 to 140 graphemes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "night shift, listening mostly")]
pub struct Description(Arc<str>);

/// Why a text is no handle or no description.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing is left of it.
    #[error("is empty")]
    Empty,
    /// Over the limit.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A control, bidirectional or zero-width character.
    #[error("has an invisible or control character (U+{0:04X})")]
    Invisible(u32),
    /// A character that a handle does not take: a joiner, a letter that is written otherwise, one
    /// that nobody knows yet.
    #[error("has a character that no handle takes (U+{0:04X})")]
    Disallowed(u32),
    /// Space at an end, or two in a row.
    #[error("has a space too many")]
    Space,
}

impl Handle {
    /// Parses a handle.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, limits::HANDLE_GRAPHEMES, limits::HANDLE_BYTES).map(Self)
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    /// Parses a description.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, limits::DESCRIPTION_GRAPHEMES, limits::DESCRIPTION_BYTES).map(Self)
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn line(text: &str, graphemes: usize, bytes: usize) -> Result<Arc<str>, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > bytes || text.graphemes(true).count() > graphemes {
        return Err(TextError::TooLong(graphemes));
    }
    if let Some(hidden) = text.chars().find(|c| c.is_control() || is_invisible(*c)) {
        return Err(TextError::Invisible(hidden as u32));
    }
    if text.trim() != text || text.contains("  ") {
        return Err(TextError::Space);
    }
    Ok(text.into())
}

/// Characters that draw nothing or turn the writing around: they serve impostors only.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// A country as ISO 3166-1 alpha-2 in capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "RS")]
pub struct Country([u8; 2]);

/// A text is no country code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a country is two capital letters")]
pub struct CountryError;

impl Country {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when made")
    }
}

impl TryFrom<String> for Country {
    type Error = CountryError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let code: [u8; 2] = text.as_bytes().try_into().map_err(|_| CountryError)?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code)).ok_or(CountryError)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! text_type {
    ($type:ident) => {
        impl TryFrom<String> for $type {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(text: $type) -> Self {
                text.as_str().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        /// Personal data stays out of debug prints, and so out of logs.
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    };
}
text_type!(Handle);
text_type!(Description);

/// All that others may see of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Person {
    /// Nickname.
    pub handle: Handle,
    /// Short piece of the user identifier.
    pub tag: Tag,
    /// A line about oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<Description>,
    /// Country of the place, when a place is shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub country: Option<Country>,
}

/// Somebody on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Participant {
    /// Number of this session's participant.
    pub id: ParticipantNo,
    /// Who it is, as far as others may know.
    #[serde(flatten)]
    pub person: Person,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_one_visible_line() {
        for good in ["A", "Papa Tango", "Željko", "山田", "👩‍🚀 Zoë".replace('\u{200D}', "").as_str()]
        {
            assert!(Handle::parse(good).is_ok(), "{good:?}");
        }
        assert_eq!(Handle::parse(""), Err(TextError::Empty));
        assert_eq!(Handle::parse(" A"), Err(TextError::Space));
        assert_eq!(Handle::parse("A  B"), Err(TextError::Space));
        assert_eq!(Handle::parse("A\u{202E}B"), Err(TextError::Invisible(0x202E)));
        assert_eq!(Handle::parse("A\nB"), Err(TextError::Invisible(0x0A)));
        assert_eq!(Handle::parse(&"x".repeat(25)), Err(TextError::TooLong(24)));
        assert_eq!(Handle::parse(&format!("a{}", "\u{301}".repeat(200))), Err(TextError::TooLong(24)));
    }

    #[test]
    fn a_person_in_a_debug_print_is_only_a_tag() {
        let person = Person {
            handle: Handle::parse("Roadrunner").unwrap(),
            tag: crate::UserId::of_key(&[1; 32]).tag(),
            description: Some(Description::parse("night shift").unwrap()),
            country: None,
        };
        let text = format!("{person:?}");
        assert!(!text.contains("Roadrunner") && !text.contains("night"), "{text}");
    }
}
