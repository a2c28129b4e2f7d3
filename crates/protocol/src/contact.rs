//! A message to the operator: text of several lines that a terminal can show as it is.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use unicode_segmentation::UnicodeSegmentation;

use crate::limits::{CONTACT_BYTES, CONTACT_GRAPHEMES};
use crate::person::{TextError, is_invisible};

/// What somebody writes to the operator: 1 to 2,000 graphemes, with line breaks (`\n`) and no other
/// control character, nothing that turns the writing around, no empty space at its ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "Somebody whistles on 19 since noon.")]
pub struct ContactText(Box<str>);

impl ContactText {
    /// What is left of `text`. Every kind of line end becomes `\n` and a tab a space. Characters that
    /// a person does not see, but a terminal obeys, are dropped: nobody is kept from writing for what
    /// a keyboard or a clipboard adds. The joiners that scripts and emoji need stay.
    ///
    /// # Errors
    /// When nothing is left, or too much.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let lines = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
        let seen: String = lines.replace('\t', " ").chars().filter(|c| is_kept(*c)).collect();
        let seen = seen.trim();
        if seen.is_empty() {
            return Err(TextError::Empty);
        }
        if seen.len() > CONTACT_BYTES || seen.graphemes(true).count() > CONTACT_GRAPHEMES {
            return Err(TextError::TooLong(CONTACT_GRAPHEMES));
        }
        Ok(Self(seen.into()))
    }

    /// The message as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_kept(c: char) -> bool {
    match c {
        '\n' | '\u{200C}' | '\u{200D}' => true,
        _ => !c.is_control() && !is_invisible(c),
    }
}

impl TryFrom<String> for ContactText {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

impl From<ContactText> for String {
    fn from(text: ContactText) -> Self {
        text.0.into()
    }
}

/// What somebody wrote stays out of debug prints, and so out of logs.
impl fmt::Debug for ContactText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_lines_and_loses_what_nobody_sees() {
        for (written, kept) in [
            ("Hello", "Hello"),
            (" \n\tOne\r\ntwo\rthree\u{2028}four \n\n", "One\ntwo\nthree\nfour"),
            ("\u{1b}[2J\u{1b}]0;owned\u{7}red\u{9b}31m", "[2J]0;ownedred31m"),
            ("a\u{202E}b\u{2066}c\u{200F}d\u{8}\u{7f}", "abcd"),
            ("می\u{200C}خواهم 👩\u{200D}🚀", "می\u{200C}خواهم 👩\u{200D}🚀"),
        ] {
            assert_eq!(ContactText::parse(written).unwrap().as_str(), kept, "{written:?}");
        }
        for nothing in ["", " \r\n\t", "\u{0}\u{202E}\u{FEFF}"] {
            assert_eq!(ContactText::parse(nothing), Err(TextError::Empty), "{nothing:?}");
        }
    }

    #[test]
    fn a_message_has_as_many_letters_as_a_person_counts_and_a_bound_in_bytes() {
        assert!(ContactText::parse(&"山".repeat(2_000)).is_ok());
        assert_eq!(ContactText::parse(&"x".repeat(2_001)), Err(TextError::TooLong(2_000)));
        assert_eq!(
            ContactText::parse(&format!("a{}", "\u{301}".repeat(4_000))),
            Err(TextError::TooLong(2_000))
        );
    }

    #[test]
    fn no_character_that_a_terminal_obeys_is_left_and_what_is_left_stays() {
        for c in '\0'..=char::MAX {
            let once = ContactText::parse(&format!("a{c}b")).unwrap();
            let obeyed = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202A}'..='\u{202E}'));
            assert!(!once.as_str().chars().any(obeyed), "{c:?}");
            assert_eq!(ContactText::parse(once.as_str()).as_ref(), Ok(&once), "{c:?}");
        }
    }

    #[test]
    fn a_debug_print_shows_nothing_of_it() {
        assert!(!format!("{:?}", ContactText::parse("secret").unwrap()).contains("secret"));
    }
}
