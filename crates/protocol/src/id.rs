//! Names of things on the wire.

use std::fmt;
use std::sync::{Arc, LazyLock};

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use ts_rs::TS;

use crate::limits;

/// Crockford's base 32 in lower case: no letter looks like a digit.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().expect("32 distinct symbols")
});

/// A channel: a number from 1 to [`limits::CHANNEL_NUMBERS`], or a name of ASCII letters
/// in lower case, digits and hyphens that begins with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "19")]
pub struct ChannelId(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Number(u8),
    Name(Arc<str>),
}

/// Why a text is no channel.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChannelIdError {
    /// A number outside the band.
    #[error("channels are numbered 1 to {}", limits::CHANNEL_NUMBERS)]
    Number,
    /// Too short or too long.
    #[error("a channel's name has 2 to {} characters", limits::CHANNEL_NAME_BYTES)]
    Length,
    /// A character outside the set.
    #[error("a channel's name has letters a-z, digits and hyphens, and begins with a letter")]
    Character,
}

impl ChannelId {
    /// The numbered channel `number`, if the band has it.
    pub fn numbered(number: u8) -> Option<Self> {
        (1..=limits::CHANNEL_NUMBERS).contains(&number).then_some(Self(Repr::Number(number)))
    }

    /// The number, unless the channel has a name.
    pub fn number(&self) -> Option<u8> {
        match self.0 {
            Repr::Number(number) => Some(number),
            Repr::Name(_) => None,
        }
    }
}

impl std::str::FromStr for ChannelId {
    type Err = ChannelIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            // A leading zero would give one channel two names.
            let plain = !text.starts_with('0') && text.len() <= 3;
            let number = text.parse().ok().filter(|_| plain);
            return number.and_then(Self::numbered).ok_or(ChannelIdError::Number);
        }
        if !(2..=limits::CHANNEL_NAME_BYTES).contains(&text.len()) {
            return Err(ChannelIdError::Length);
        }
        let letters = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !letters || !text.as_bytes()[0].is_ascii_lowercase() {
            return Err(ChannelIdError::Character);
        }
        Ok(Self(Repr::Name(text.into())))
    }
}

impl TryFrom<String> for ChannelId {
    type Error = ChannelIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChannelId> for String {
    fn from(channel: ChannelId) -> Self {
        channel.to_string()
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => write!(f, "{number}"),
            Repr::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {self}")
    }
}

/// Number of a talk burst. On the way up it is the talker's own count; on the way down
/// it is the server's number for that burst, which only grows while a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct BurstNo(pub u32);

impl fmt::Display for BurstNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a participant, given by the server for one session; it says nothing about
/// the person and is never used again while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ParticipantNo(pub u32);

/// The unique identifier of a user: the first 160 bits of the SHA-256 of the device's
/// public key, written as 32 characters of base 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "k7f2w0c9d3e8h1j5m6n4p0q2r7s9t3v8")]
pub struct UserId([u8; 20]);

/// A text is no user identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a user identifier has 32 characters of base 32")]
pub struct UserIdError;

impl UserId {
    /// The identifier of the Ed25519 public key `key` (32 bytes).
    pub fn of_key(key: &[u8; 32]) -> Self {
        let hash = Sha256::digest(key);
        let mut id = [0; 20];
        id.copy_from_slice(&hash[..20]);
        Self(id)
    }

    /// The identifier with these bytes, as they are stored.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The identifier as bytes, as it is signed and stored.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first and the last identifier with the tag of this one, in the order of their bytes.
    pub fn of_same_tag(&self) -> (Self, Self) {
        let [a, b, c, ..] = self.0;
        let (mut first, mut last) = ([0; 20], [0xFF; 20]);
        first[..3].copy_from_slice(&[a, b, c & 0xF0]);
        last[..3].copy_from_slice(&[a, b, c | 0x0F]);
        (Self(first), Self(last))
    }

    /// The short piece shown beside a handle: the first 20 bits, 4 characters.
    pub fn tag(&self) -> Tag {
        let text = self.to_string();
        Tag(text.as_bytes()[..4].try_into().expect("4 characters"))
    }
}

impl std::str::FromStr for UserId {
    type Err = UserIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE32.decode(text.as_bytes()).map_err(|_| UserIdError)?;
        Ok(Self(bytes.try_into().map_err(|_| UserIdError)?))
    }
}

impl TryFrom<String> for UserId {
    type Error = UserIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE32.encode(&self.0))
    }
}

/// Shows the tag only: a whole identifier does not belong in a debug print.
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}…", self.tag())
    }
}

/// Four characters of a user identifier, shown beside the handle so that a copied
/// handle does not pass for the person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string", export)]
#[schema(value_type = String, example = "k7f2")]
pub struct Tag([u8; 4]);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when made")
    }
}

impl TryFrom<String> for Tag {
    type Error = UserIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes: [u8; 4] = text.as_bytes().try_into().map_err(|_| UserIdError)?;
        BASE32.decode(&[bytes, bytes].concat()).map_err(|_| UserIdError)?;
        Ok(Self(bytes))
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.to_string()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_numbers_of_the_band_or_plain_names() {
        for good in ["1", "9", "40", "ab", "road-66", "a1"] {
            assert_eq!(good.parse::<ChannelId>().unwrap().to_string(), good);
        }
        for bad in ["0", "41", "007", "19 ", "-a", "1a", "A", "Road", "ü1", "", "a", &"x".repeat(33)] {
            assert!(bad.parse::<ChannelId>().is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn identifier_is_the_hash_of_the_key_and_survives_text() {
        let id = UserId::of_key(&[7; 32]);
        let text = id.to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(text.parse::<UserId>().unwrap(), id);
        assert!(text.starts_with(id.tag().as_str()));
        let (first, last) = id.of_same_tag();
        assert!((first..=last).contains(&id) && first.tag() == id.tag() && last.tag() == id.tag());
        assert!(first.to_string().ends_with(&"0".repeat(28)) && last.to_string().ends_with(&"z".repeat(28)));
        assert!(Tag::try_from(id.tag().to_string()).is_ok());
        assert!(Tag::try_from("uuuu".to_string()).is_err());
    }
}
