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

    /// Whether `amount` is there.
    pub(crate) fn has(&mut self, amount: u32, now: Time) -> bool {
        self.fill(now);
        self.level >= u64::from(amount) * MICRO
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
