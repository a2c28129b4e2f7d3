//! Hours and days as the log names its files by them, in UTC.

use std::fmt;

use crate::store::Day;

pub(super) const SECONDS_OF_HOUR: u64 = 3600;
const HOURS_OF_DAY: u64 = 24;

/// An hour, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hour(pub(super) u64);

impl Hour {
    /// The hour of a moment in seconds since 1970.
    pub(super) fn of(seconds: u64) -> Self {
        Self(seconds / SECONDS_OF_HOUR)
    }

    pub(super) fn first_of(day: Day) -> Self {
        Self(u64::from(day.0) * HOURS_OF_DAY)
    }

    pub(super) fn day(self) -> Day {
        Day(u32::try_from(self.0 / HOURS_OF_DAY).unwrap_or(u32::MAX))
    }

    /// The hour in `2026-11-23T22`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (day, hour) = text.split_once('T')?;
        let hour = Self(Self::first_of(day_in(day)?).0 + hour.parse::<u64>().ok()?);
        // Written again, it has to be the same: two names would be two files.
        (hour.to_string() == text).then_some(hour)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}", self.day(), self.0 % HOURS_OF_DAY)
    }
}

/// The day in `2026-11-23`.
pub(super) fn day_in(text: &str) -> Option<Day> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last one of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let found = Day(u32::try_from(days.checked_sub(DAYS_TO_EPOCH + 1)?).ok()?);
    (found.to_string() == text).then_some(found)
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_and_hour_is_read_as_it_is_written() {
        for day in (0..60_000).map(Day) {
            assert_eq!(day_in(&day.to_string()), Some(day));
        }
        let hour = Hour::of(1_795_472_282);
        assert_eq!(hour.to_string(), "2026-11-23T22");
        assert_eq!(Hour::parse("2026-11-23T22"), Some(hour));
    }

    #[test]
    fn what_is_no_hour_is_none() {
        for text in ["", "2026-11-23", "2026-11-23T24", "2026-11-23T1", "2026-02-30T01", "2026-13-01T01", "x"]
        {
            assert_eq!(Hour::parse(text), None, "{text}");
        }
        for text in ["1969-12-31", "2026-11-00", "2026-1-01", "20261101", "+2026-01-01", "2026-02-29"] {
            assert_eq!(day_in(text), None, "{text}");
        }
    }
}
