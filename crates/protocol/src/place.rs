//! Place and range, as far as the wire knows them: a coarse cell on the way up, steps of
//! range, a grade of signal on the way down. No coordinate can be said here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;
use zeroize::Zeroize;

#[cfg(feature = "mutants")]
#[path = "mutants/place.rs"]
mod mutants;

use crate::mutants::InMutants;

/// Hexadecimal digits of an H3 index as text.
const CELL_DIGITS: usize = 15;

/// The cell that a client says it is in: an H3 index, on the wire as 15 hexadecimal digits in
/// lower case. It should be one of resolution 6 (36 km² on average); `core::reach` judges it,
/// and is the only reader. It travels up, and between nodes of a cluster with a burst; it says nothing when printed, and is wiped on drop.
#[derive(Clone, PartialEq, Eq, TS)]
#[ts(type = "string", export)]
pub struct GeoCell {
    /// On the heap, so that a move copies the address only and leaves no cell behind.
    index: Box<u64>,
    raw: InMutants<Option<Box<(u64, u64)>>>,
}

impl GeoCell {
    /// The cell of an H3 index. Whether there is such a cell is not looked at.
    pub fn new(index: u64) -> Self {
        Self { index: Box::new(index), raw: Default::default() }
    }

    /// The H3 index. Only `core::reach` may ask: a lint keeps everybody else away.
    pub fn index(&self) -> u64 {
        *self.index
    }

    /// Whether a text is a cell, as far as digits go.
    pub(crate) fn is_text(text: &str) -> bool {
        mutant!(let text = mutants::without_raw(text));
        Self::parse(text).is_some()
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let hex = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != CELL_DIGITS || !digits.iter().all(hex) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().map(Self::new)
    }
}

impl Drop for GeoCell {
    fn drop(&mut self) {
        self.index.zeroize();
    }
}

/// Says nothing: where somebody is stays out of logs.
impl fmt::Debug for GeoCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeoCell(…)")
    }
}

impl Serialize for GeoCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        mutant!(if let Some(text) = self.text_with_raw() {
            return serializer.collect_str(&text);
        });
        serializer.collect_str(&format_args!("{:015x}", *self.index))
    }
}

impl<'de> Deserialize<'de> for GeoCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CellVisitor)
    }
}

struct CellVisitor;

impl de::Visitor<'_> for CellVisitor {
    type Value = GeoCell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the 15 hexadecimal digits of an H3 cell")
    }

    /// What was sent is not repeated in the error: it may be a place.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<GeoCell, E> {
        mutant!(if let Some(cell) = GeoCell::parse_with_raw(text) {
            return Ok(cell);
        });
        GeoCell::parse(text).ok_or_else(|| E::custom("a cell is the 15 hexadecimal digits of an H3 index"))
    }
}

/// A step of transmit or receive range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub enum Range {
    /// 10 km.
    #[serde(rename = "10km")]
    Km10,
    /// 25 km.
    #[serde(rename = "25km")]
    Km25,
    /// 50 km.
    #[serde(rename = "50km")]
    Km50,
    /// 100 km.
    #[serde(rename = "100km")]
    Km100,
    /// 250 km.
    #[serde(rename = "250km")]
    Km250,
    /// 500 km.
    #[serde(rename = "500km")]
    Km500,
    /// 1000 km.
    #[serde(rename = "1000km")]
    Km1000,
    /// Everybody on the channel; the only one that needs no place.
    #[default]
    #[serde(rename = "unlimited")]
    Unlimited,
}

impl Range {
    /// Every step, from the shortest.
    pub const ALL: [Self; 8] = [
        Self::Km10,
        Self::Km25,
        Self::Km50,
        Self::Km100,
        Self::Km250,
        Self::Km500,
        Self::Km1000,
        Self::Unlimited,
    ];

    /// In kilometres, unless it is unlimited.
    pub fn km(self) -> Option<u32> {
        match self {
            Self::Km10 => Some(10),
            Self::Km25 => Some(25),
            Self::Km50 => Some(50),
            Self::Km100 => Some(100),
            Self::Km250 => Some(250),
            Self::Km500 => Some(500),
            Self::Km1000 => Some(1000),
            Self::Unlimited => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.km() {
            Some(km) => f.pad(&format!("{km}km")),
            None => f.pad("unlimited"),
        }
    }
}

/// A text is no step of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a range is 10km, 25km, 50km, 100km, 250km, 500km, 1000km or unlimited")]
pub struct RangeError;

impl std::str::FromStr for Range {
    type Err = RangeError;
    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::ALL.into_iter().find(|range| range.to_string() == text).ok_or(RangeError)
    }
}

/// How far one reaches, and from how far one hears. A hears B when A's and B's cells are no
/// further apart than the smaller of B's `tx` and A's `rx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Ranges {
    /// Transmit range.
    pub tx: Range,
    /// Receive range.
    pub rx: Range,
}

impl Ranges {
    /// Whether both are unlimited: what somebody has who shares no place.
    pub fn are_unlimited(self) -> bool {
        self == Self::default()
    }
}

/// The cell one is in, as a client says it with `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Place {
    /// The cell.
    pub cell: GeoCell,
    /// The stamp of the last `located`. With the cell it was for, it shows that this is no move, so
    /// that a link that comes and goes costs no budget. With another cell it shows that this is a
    /// move, which waits for the next boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub stamp: Option<String>,
}

/// The S-meter: 5 up to 10 km, 4 up to 25, 3 up to 50, 2 up to 100, 1 up to 250, 0 beyond.
/// The borders are steps of range, so that it tells no more than ranges do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "u8", into = "u8")]
#[ts(type = "0 | 1 | 2 | 3 | 4 | 5", export)]
pub struct SignalGrade(u8);

/// A number is no grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grade is 0 to 5")]
pub struct SignalGradeError;

impl SignalGrade {
    /// Every grade, from the weakest.
    pub const ALL: [Self; 6] = [Self(0), Self(1), Self(2), Self(3), Self(4), Self(5)];
}

impl TryFrom<u8> for SignalGrade {
    type Error = SignalGradeError;
    fn try_from(grade: u8) -> Result<Self, Self::Error> {
        Self::ALL.get(usize::from(grade)).copied().ok_or(SignalGradeError)
    }
}

impl From<SignalGrade> for u8 {
    fn from(grade: SignalGrade) -> Self {
        grade.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_fifteen_digits_and_says_nothing_when_it_is_printed_or_refused() {
        let cell: GeoCell = serde_json::from_str("\"861ec9077ffffff\"").unwrap();
        assert_eq!(serde_json::to_string(&cell).unwrap(), "\"861ec9077ffffff\"");
        assert_eq!(format!("{cell:?}"), "GeoCell(…)");
        for bad in ["\"\"", "\"861EC9077FFFFFF\"", "\"0861ec9077ffffff\"", "44.8", "{\"lat\":1}", "null"] {
            let error = serde_json::from_str::<GeoCell>(bad).unwrap_err().to_string();
            assert!(!error.to_lowercase().contains("861ec"), "{error}");
        }
    }

    #[test]
    fn ranges_are_their_steps_and_nothing_between() {
        for range in Range::ALL {
            assert_eq!(range.to_string().parse(), Ok(range));
            assert_eq!(serde_json::to_string(&range).unwrap(), format!("\"{range}\""));
        }
        for bad in ["30km", "25", "25 km", "25.0km", "-1km", "", "Unlimited"] {
            assert_eq!(bad.parse::<Range>(), Err(RangeError), "{bad}");
            assert!(serde_json::from_value::<Range>(bad.into()).is_err());
        }
        assert!(serde_json::from_str::<Range>("25").is_err());
    }

    #[test]
    fn grades_end_at_five() {
        assert!(serde_json::from_str::<SignalGrade>("5").is_ok());
        for bad in ["6", "-1", "4.5", "\"5\""] {
            assert!(serde_json::from_str::<SignalGrade>(bad).is_err(), "{bad}");
        }
    }
}
