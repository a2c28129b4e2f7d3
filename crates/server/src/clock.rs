//! One clock, so that every thread tells the core the same time.

use std::time::{Duration, Instant};

use tenfour_core::Time;

use crate::calendar::since_epoch;

/// Counts from the start of the server. The wall clock is read once, at the start, so setting it later does not
/// shift the moments at which places change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    zero: Instant,
    unix_at_zero: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { zero: Instant::now(), unix_at_zero: since_epoch() }
    }

    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.zero.elapsed()
    }

    /// Time since the Unix epoch at [`Time::ZERO`].
    pub(crate) fn unix_at_zero(self) -> Duration {
        self.unix_at_zero
    }

    /// The same moment for a timer of the runtime.
    pub(crate) fn instant(self, time: Time) -> tokio::time::Instant {
        (self.zero + time.since(Time::ZERO)).into()
    }
}
