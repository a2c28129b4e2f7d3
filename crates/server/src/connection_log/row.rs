//! The row: exactly eight fields, as the policy lists them. Private to the log.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenfour_protocol::http::HeldConnection;
use tenfour_protocol::{DeviceText, UserId};

use super::hour::{Hour, SECONDS_OF_HOUR};

/// One line. What a client did not say is empty; no field is ever left out, and there is no other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// 1. When.
    pub(super) time: Moment,
    /// 2. The address that the connection came from.
    pub(super) address: IpAddr,
    /// 3. The nickname at that time.
    pub(super) handle: Box<str>,
    /// 4. The user identifier.
    pub(super) user: UserId,
    /// 5. Who made the device.
    pub(super) manufacturer: DeviceText,
    /// 6. Its model.
    pub(super) model: DeviceText,
    /// 7. The platform.
    pub(super) platform: DeviceText,
    /// 8. The client and its version.
    pub(super) version: DeviceText,
}

/// Nothing of it: rows stay out of other logs.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row(…)")
    }
}

impl Row {
    /// The row in a line, if it is whole. Space around it is what was erased beside it.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// The row for the one whom it is about.
    pub(super) fn held(&self) -> HeldConnection {
        serde_json::from_slice(&self.line()).expect("both have the same fields")
    }

    /// The row as a line with its end.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a row is JSON");
        line.push(b'\n');
        line
    }
}

/// Seconds since 1970, written like `2026-11-23T22:18:02Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Moment(pub(super) u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0 % SECONDS_OF_HOUR;
        write!(f, "{}:{:02}:{:02}Z", Hour::of(self.0), rest / 60, rest % 60)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let read = || {
            let (hour, rest) = text.split_once(':')?;
            let (minutes, seconds) = rest.strip_suffix('Z')?.split_once(':')?;
            let rest = minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?;
            Some(Self(Hour::parse(hour)?.0 * SECONDS_OF_HOUR + rest))
        };
        read().filter(|moment| moment.to_string() == text).ok_or("a moment is written 2026-11-23T22:18:02Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_eight_fields_in_a_line() {
        let line = r#"{"time":"2026-11-23T22:18:02Z","address":"2001:db8::7","handle":"Žaklina","user":"k7f2w0c9d3e8h1j5m6n4p0q2r7s9t3v8","manufacturer":"Google","model":"Pixel 8","platform":"Android","version":"tenfour-web 0.1.0"}"#;
        let row = Row::parse(line.as_bytes()).expect("a row");
        assert_eq!(row.time, Moment(1_795_472_282));
        assert_eq!(row.line(), [line.as_bytes(), b"\n"].concat());
        assert!(Row::parse(format!("   {line}  ").as_bytes()).is_some(), "space around is nothing");
        for wrong in [
            line.replace("22:18", "22:78"),
            line.replace(r#","platform":"Android""#, ""),
            line.replace('}', r#","channel":"19"}"#),
            line[..line.len() - 1].to_owned(),
            line[20..].to_owned(),
        ] {
            assert!(Row::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
