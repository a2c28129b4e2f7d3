//! Days and minutes: which one it is now, and how people write them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A day, counted from 1970-01-01 UTC. Finer times of people are not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

/// A minute, counted from 1970-01-01 UTC. An operator has to see which of two things that happened
/// somebody writes about, for which a day is too coarse and a second says nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(pub u32);

/// Time since 1970.
pub(crate) fn since_epoch() -> Duration {
    // A clock before 1970 makes each nonce look new; nothing worse.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Today, UTC.
pub(crate) fn today() -> Day {
    Day(u32::try_from(since_epoch().as_secs() / 86_400).unwrap_or(u32::MAX))
}

/// This minute, UTC.
pub(crate) fn this_minute() -> Minute {
    Minute(u32::try_from(since_epoch().as_secs() / 60).unwrap_or(u32::MAX))
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: u64 = 719_468;
/// In 400 years.
const DAYS_OF_ERA: u64 = 146_097;

/// As in ISO 8601: `2026-11-23`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years are counted from March, so that the leap day is the last one of its year.
        let days = u64::from(self.0) + DAYS_TO_EPOCH;
        let (era, day) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

const MINUTES_OF_DAY: u32 = 1_440;

/// As in ISO 8601: `2026-11-23T22:18Z`.
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, minute) = (Day(self.0 / MINUTES_OF_DAY), self.0 % MINUTES_OF_DAY);
        write!(f, "{day}T{:02}:{:02}Z", minute / 60, minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_the_calendar_has_them() {
        for (day, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_780, "2026-11-23"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Day(day).to_string(), text, "day {day}");
        }
        assert_eq!(Minute(20_780 * 1_440 + 22 * 60 + 8).to_string(), "2026-11-23T22:08Z");
        assert!(Day(u32::MAX).to_string().ends_with(|c: char| c.is_ascii_digit()));
    }
}
