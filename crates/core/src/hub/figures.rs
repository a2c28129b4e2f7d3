//! Figures for metrics and for checks of the house.

use super::Hub;
use super::session::Link;

/// What a hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HubFigures {
    /// Connections, greeted or not, and those that are being closed.
    pub connections: usize,
    /// Sessions, connected or suspended.
    pub sessions: usize,
    /// Sessions that wait for a resume.
    pub suspended: usize,
    /// Channels with a participant.
    pub channels: usize,
    /// Pairs of a session and a channel it is tuned to.
    pub affiliations: usize,
    /// Bursts on the air.
    pub bursts_on_air: usize,
    /// Bursts that are over and held for late listeners.
    pub bursts_held: usize,
    /// Mutes in force.
    pub mutes: usize,
    /// Sessions whose place is known.
    pub located: usize,
    /// Sessions that will be in another place at the boundary.
    pub moving: usize,
    /// Timers that run.
    pub timers: usize,
}

impl Hub {
    /// What is held now; all zero when everybody has left and `hold` is over.
    pub fn figures(&self) -> HubFigures {
        HubFigures {
            connections: self.connections.len(),
            sessions: self.sessions.len(),
            suspended: self.sessions.values().filter(|session| !matches!(session.link, Link::Up(_))).count(),
            channels: self.channels.len(),
            affiliations: self.sessions.values().map(|session| session.tuned.len()).sum(),
            bursts_on_air: self.bursts_on_air,
            bursts_held: self.bursts.len() - self.bursts_on_air,
            mutes: self.muted_by.len(),
            located: self.spots.located(),
            moving: self.moving.len(),
            timers: self.timers.len(),
        }
    }
}
