//! A token bucket on virtual time.

use std::time::Duration;

use crate::Time;

/// Allows `capacity` at once and `per_second` after that. Counts in millionths, so that
/// no time is lost to rounding.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    capacity: u64,
    per_second: u64,
    level: u64,
    filled: Time,
}

const MICRO: u64 = 1_000_000;

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(capacity: u32, per_second: u32, now: Time) -> Self {
        let capacity = u64::from(capacity) * MICRO;
        Self { capacity, per_second: per_second.into(), level: capacity, filled: now }
    }

    /// A full bucket of what comes in `time`. For a time below an hour.
    pub(crate) fn of_time(time: Duration, per_second: u32) -> Self {
        let capacity = time.as_micros() as u64 * u64::from(per_second);
        Self { capacity, per_second: per_second.into(), level: capacity, filled: Time::ZERO }
    }

    /// Takes `amount` if it is there.
    pub(crate) fn take(&mut self, amount: u32, now: Time) -> bool {
        self.fill(now);
        let amount = u64::from(amount) * MICRO;
        let enough = self.level >= amount;
        if enough {
            self.level -= amount;
        }
        enough
    }

    /// What is there, in whole tokens.
    pub(crate) fn level(&mut self, now: Time) -> u32 {
        self.fill(now);
        u32::try_from(self.level / MICRO).unwrap_or(u32::MAX)
    }

    /// Takes `amount`, or what there was at the last look when that is less.
    pub(crate) fn spend(&mut self, amount: u32) {
        self.level = self.level.saturating_sub(u64::from(amount) * MICRO);
    }

    /// Time until one token is there.
    pub(crate) fn wait(&mut self, now: Time) -> Duration {
        self.fill(now);
        Duration::from_micros(MICRO.saturating_sub(self.level).div_ceil(self.per_second))
    }

    fn fill(&mut self, now: Time) {
        let micros = u64::try_from(now.since(self.filled).as_micros()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_add(micros.saturating_mul(self.per_second)).min(self.capacity);
        self.filled = now;
    }
}
