//! Virtual time: events in order of their time, then of their scheduling.

use std::collections::BTreeMap;
use std::time::Duration;

use tenfour_core::Time;

/// What will happen, and what time it is.
pub struct Schedule<E> {
    now: Time,
    made: u64,
    events: BTreeMap<(Time, u64), E>,
}

impl<E> Default for Schedule<E> {
    fn default() -> Self {
        Self { now: Time::ZERO, made: 0, events: BTreeMap::new() }
    }
}

impl<E> Schedule<E> {
    /// The moment of the last event that was taken.
    pub fn now(&self) -> Time {
        self.now
    }

    /// `event` happens at `at`, or now if that has passed.
    pub fn at(&mut self, at: Time, event: E) {
        self.made += 1;
        self.events.insert((at.max(self.now), self.made), event);
    }

    /// `event` happens `after` from now.
    pub fn after(&mut self, after: Duration, event: E) {
        self.at(self.now + after, event);
    }

    /// Goes to the next event that comes before `end`; to `end` if there is none.
    pub fn next(&mut self, end: Time) -> Option<E> {
        let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 < end) else {
            self.now = self.now.max(end);
            return None;
        };
        self.now = entry.key().0;
        Some(entry.remove())
    }
}
