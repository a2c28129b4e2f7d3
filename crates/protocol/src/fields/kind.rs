//! What may stand in a field.

use super::{Object, listed};
use crate::id::ChannelId;
use crate::limits::CHANNEL_NAME_BYTES;
use crate::place::{GeoCell, Range};

/// What may stand in a field.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A number without a fraction, from 0.
    Whole {
        /// The largest.
        most: u64,
    },
    /// One of a few numbers.
    Numbers(&'static [u64]),
    /// One of a few texts.
    Words(&'static [&'static str]),
    /// A text.
    Text {
        /// Which texts are taken.
        fits: fn(&str) -> bool,
        /// Those, in words.
        what: &'static str,
    },
    /// An object.
    Object(&'static Object),
    /// A list of such.
    List(&'static Kind),
    /// `null`, or such.
    OrNull(&'static Kind),
}

pub(super) const U8: Kind = Kind::Whole { most: u8::MAX as u64 };
pub(super) const U16: Kind = Kind::Whole { most: u16::MAX as u64 };
pub(super) const U32: Kind = Kind::Whole { most: u32::MAX as u64 };
/// JSON has no number above that, if everybody is to read the same.
pub(super) const SAFE: Kind = Kind::Whole { most: (1 << 53) - 1 };
pub(super) const TEXT: Kind = text("a text");
pub(super) const CHANNEL: Kind = Kind::Text {
    fits: |text| text.parse::<ChannelId>().is_ok(),
    what: "a text: \"1\" to \"40\", or a name of 2 to 32 letters a-z, digits and hyphens that begins with a letter",
};
pub(super) const CELL: Kind = Kind::Text {
    fits: GeoCell::is_text,
    what: "a text: the 15 hexadecimal digits of an H3 cell, in lower case",
};
pub(super) const RANGE: Kind =
    Kind::Words(&["10km", "25km", "50km", "100km", "250km", "500km", "1000km", "unlimited"]);
pub(super) const FRAME_MS: Kind = Kind::Numbers(&[20, 40, 60]);
pub(super) const CODEC: Kind = Kind::Words(&["opus"]);

const _: () = assert!(CHANNEL_NAME_BYTES == 32 && Range::ALL.len() == 8, "the words above say so");

/// Any text, which is described as `what`.
pub(super) const fn text(what: &'static str) -> Kind {
    Kind::Text { fits: |_| true, what }
}

impl Kind {
    /// What has to stand there, to follow "has to be".
    pub fn words(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Whole { most } => format!("a whole number from 0 to {most}"),
            Self::Numbers(numbers) => listed(&numbers.iter().map(u64::to_string).collect::<Vec<_>>(), "or"),
            Self::Words(words) => {
                listed(&words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>(), "or")
            }
            Self::Text { what, .. } => (*what).to_owned(),
            Self::Object(object) => format!("an object with {}", object.names()),
            Self::List(kind) => format!("a list, each of it {}", kind.words()),
            Self::OrNull(kind) => format!("null, or {}", kind.words()),
        }
    }
}
