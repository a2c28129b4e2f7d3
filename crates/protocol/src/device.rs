//! What a client says of the machine it runs on. It goes into the connection log and nowhere
//! else: bounded, cleaned, and never interpreted.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::limits::DEVICE_BYTES;
use crate::person::is_invisible;

/// The machine and the program, as far as the client wants to say. Each may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Device {
    /// Who made the machine.
    #[serde(default, skip_serializing_if = "DeviceText::is_empty")]
    #[ts(optional, as = "Option<DeviceText>")]
    pub manufacturer: DeviceText,
    /// Its model, e.g. `Pixel 8`.
    #[serde(default, skip_serializing_if = "DeviceText::is_empty")]
    #[ts(optional, as = "Option<DeviceText>")]
    pub model: DeviceText,
    /// The system, or the browser's word for it, e.g. `Android`.
    #[serde(default, skip_serializing_if = "DeviceText::is_empty")]
    #[ts(optional, as = "Option<DeviceText>")]
    pub platform: DeviceText,
    /// Program and version; `client` of the `hello` when it is left out.
    #[serde(default, skip_serializing_if = "DeviceText::is_empty")]
    #[ts(optional, as = "Option<DeviceText>")]
    pub version: DeviceText,
}

/// One line of visible characters, at most [`DEVICE_BYTES`] long; empty when nothing is known.
/// Any text becomes one: what does not belong is dropped, since no client is kept off the air
/// for the name of its machine.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(from = "String", into = "String")]
#[ts(type = "string", export)]
pub struct DeviceText(Box<str>);

impl DeviceText {
    /// What is left of `text`: no control or invisible characters, no space at its ends or twice,
    /// cut at a whole character.
    pub fn clean(text: &str) -> Self {
        let visible = |c: &char| !c.is_control() && !is_invisible(*c);
        let words = text.split_whitespace().map(|word| word.chars().filter(visible).collect::<String>());
        let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        Self(line[..line.floor_char_boundary(DEVICE_BYTES)].trim_end().into())
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for DeviceText {
    fn from(text: String) -> Self {
        Self::clean(&text)
    }
}

impl From<DeviceText> for String {
    fn from(text: DeviceText) -> Self {
        text.0.into()
    }
}

impl FromStr for DeviceText {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::clean(text))
    }
}

/// What somebody's machine is stays out of debug prints, and so out of logs.
impl fmt::Debug for DeviceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_one_visible_line() {
        for (said, kept) in [
            ("Pixel 8", "Pixel 8"),
            ("  Pixel \t 8\r\n", "Pixel 8"),
            ("\u{1b}[31mred\u{7}", "[31mred"),
            ("a\u{202E}b\u{200B}c", "abc"),
            ("\u{0}\u{200B}", ""),
            ("", ""),
        ] {
            assert_eq!(DeviceText::clean(said).as_str(), kept, "{said:?}");
        }
        assert_eq!(DeviceText::clean(&"x".repeat(9000)).as_str(), "x".repeat(64));
        assert_eq!(DeviceText::clean(&"山".repeat(30)).as_str(), "山".repeat(21), "63 bytes");
    }

    #[test]
    fn a_device_says_what_it_knows_and_nothing_else() {
        let device: Device = serde_json::from_str(r#"{"platform":"Linux","model":""}"#).unwrap();
        assert_eq!(serde_json::to_string(&device).unwrap(), r#"{"platform":"Linux"}"#);
        assert!(serde_json::from_str::<Device>(r#"{"serial":"1"}"#).is_err());
        assert!(serde_json::from_str::<Device>(r#"{"model":1}"#).is_err());
        assert!(!format!("{device:?}").contains("Linux"));
    }

    #[test]
    fn every_character_leaves_a_clean_line_that_stays_as_it_is() {
        for c in '\0'..=char::MAX {
            let once = DeviceText::clean(&format!("{c}{}{c} {c}", "a".repeat(61)));
            assert!(once.as_str().len() <= DEVICE_BYTES, "{c:?}");
            assert!(!once.as_str().chars().any(|c| c.is_control() || is_invisible(c)), "{c:?}");
            assert_eq!(DeviceText::clean(once.as_str()).as_str(), once.as_str(), "{c:?}");
        }
    }
}
