//! The hub: who is here, who may talk, who may hear.

mod config;
mod figures;
mod floor;
mod input;
mod output;

use std::collections::VecDeque;

use tenfour_protocol::control::ChannelInfo;

use crate::Time;

pub use config::HubConfig;
pub use figures::HubFigures;
pub use floor::FloorMode;
pub use input::{Input, LoginId, ResumeToken};
pub use output::{From, Output, Recipients, Route};

/// Decides everything that is rare: sessions, channels, presence, permission to talk, routes.
/// Driven as the [crate's contract](crate) says.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    outputs: VecDeque<Output>,
}

impl Hub {
    /// An empty hub.
    pub fn new(config: HubConfig) -> Self {
        Self { config, outputs: VecDeque::new() }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        let _ = (input, now);
    }

    /// The next thing to do. To be drained after each input.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Hub::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// The numbered channels, with their labels, then the named ones that have a participant.
    pub fn channels(&self) -> Vec<ChannelInfo> {
        Vec::new()
    }

    /// What is held now; all zero when everybody has left and `hold` is over.
    pub fn figures(&self) -> HubFigures {
        HubFigures::default()
    }

    /// The configuration.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }
}
