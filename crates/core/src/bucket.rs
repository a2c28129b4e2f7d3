//! A token bucket on virtual time.

use std::time::Duration;

use crate::Time;

/// Allows `capacity` at once and then `per_second`. It counts in millionths, so that rounding loses no time.
#[derive(Debug, Clone)]
pub struct Bucket {
    capacity: i64,
    per_second: i64,
    /// Negative while something is owed.
    level: i64,
    filled: Time,
}

const MICRO: i64 = 1_000_000;
/// About six days in microseconds: any bucket is full by then, and the product below does not overflow.
const LONG: u64 = 1 << 39;

impl Bucket {
    /// A full bucket.
    pub fn new(capacity: u32, per_second: u32, now: Time) -> Self {
        let capacity = i64::from(capacity) * MICRO;
        Self { capacity, per_second: per_second.into(), level: capacity, filled: now }
    }

    /// A full bucket that holds what flows in within `time`, which is less than an hour.
    pub(crate) fn of_time(time: Duration, per_second: u32) -> Self {
        let capacity = time.as_micros() as i64 * i64::from(per_second);
        Self { capacity, per_second: per_second.into(), level: capacity, filled: Time::ZERO }
    }

    /// Takes `amount` if it is there.
    pub fn take(&mut self, amount: u32, now: Time) -> bool {
        self.fill(now);
        let amount = i64::from(amount) * MICRO;
        let enough = self.level >= amount;
        if enough {
            self.level -= amount;
        }
        enough
    }

    /// Whether `amount` is there.
    pub(crate) fn has(&mut self, amount: u32, now: Time) -> bool {
        self.fill(now);
        self.level >= i64::from(amount) * MICRO
    }

    /// What is there, in whole tokens.
    pub fn level(&mut self, now: Time) -> u32 {
        self.fill(now);
        // A bucket never holds more tokens than its capacity, which is a `u32`.
        (self.level.max(0).unsigned_abs() / MICRO.unsigned_abs()) as u32
    }

    /// Takes `amount`. What is not there is owed. The caller has asked for the level just before.
    pub(crate) fn spend(&mut self, amount: u32) {
        self.level -= i64::from(amount) * MICRO;
    }

    /// Time until one token is there.
    pub fn wait(&mut self, now: Time) -> Duration {
        self.fill(now);
        Duration::from_micros(
            (MICRO - self.level).max(0).unsigned_abs().div_ceil(self.per_second.unsigned_abs()),
        )
    }

    fn fill(&mut self, now: Time) {
        // Not by way of `Duration`, which divides: this is done for each frame.
        let micros = now.as_micros().saturating_sub(self.filled.as_micros()).min(LONG);
        self.level = (self.level + micros.cast_signed() * self.per_second).min(self.capacity);
        self.filled = now;
    }
}
