//! A length of time as an operator writes it: `10s`, `500ms`, `2m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A length of time, written as a whole number and `ms`, `s` or `m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(pub Duration);

/// A text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no length of time: write it like 10s, 500ms or 2m")]
pub struct PeriodError(String);

impl Period {
    /// As a duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            _ => return Err(PeriodError(text.to_owned())),
        };
        let number: u32 = number.parse().map_err(|_| PeriodError(text.to_owned()))?;
        Ok(Self(Duration::from_millis(u64::from(number) * millis)))
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis % 60_000 == 0 && millis > 0 => write!(f, "{}m", millis / 60_000),
            millis if millis % 1000 == 0 => write!(f, "{}s", millis / 1000),
            millis => write!(f, "{millis}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_whole_number_and_a_unit() {
        for good in ["10s", "500ms", "2m", "0s"] {
            assert_eq!(good.parse::<Period>().unwrap().to_string(), good);
        }
        assert_eq!("60s".parse::<Period>().unwrap().to_string(), "1m");
        for bad in ["", "10", "s", "1.5s", "-1s", "10 s", "10h", "99999999999s"] {
            assert!(bad.parse::<Period>().is_err(), "{bad:?}");
        }
    }
}
