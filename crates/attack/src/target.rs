//! The one who is looked for: where they are in the course of time, and what their client does.

use std::time::Duration;

use tenfour_core::Time;

use crate::geo::Spot;
use crate::path::STEP;

/// The one who is looked for.
#[derive(Debug, Clone)]
pub struct Target {
    /// A spot for each [`STEP`] from the beginning; it stays at the last.
    pub way: Vec<Spot>,
    /// The link drops this often, if it does.
    pub drops: Option<Duration>,
    /// The client sends each new place at once, instead of at the global boundaries.
    pub hasty: bool,
}

impl Target {
    /// Somebody who stays where they are.
    pub fn still(spot: Spot) -> Self {
        Self { way: vec![spot], drops: None, hasty: false }
    }

    /// The true position.
    pub fn spot(&self, since_start: Duration) -> Spot {
        let step = (since_start.as_secs() / STEP.as_secs()) as usize;
        self.way[step.min(self.way.len() - 1)]
    }

    /// Whether it goes anywhere.
    pub fn moves(&self) -> bool {
        self.way.len() > 1
    }
}

/// Time since the start of the world, which is [`Time::ZERO`].
pub fn since_start(now: Time) -> Duration {
    now.since(Time::ZERO)
}
