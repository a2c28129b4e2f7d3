//! The shell's moment zero, so that every thread tells the core the same time.

use std::time::Instant;

use tenfour_core::Time;

/// Counts from the start of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.0.elapsed()
    }

    /// The same moment for a timer of the runtime.
    pub(crate) fn instant(self, time: Time) -> tokio::time::Instant {
        (self.0 + time.since(Time::ZERO)).into()
    }
}
