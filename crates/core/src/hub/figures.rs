//! Figures for metrics, and for tests that nothing is left over.

use super::Hub;
use super::sessions::Link;

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
    /// Own bursts on the air.
    pub bursts_on_air: usize,
    /// Bursts that are over and held for late listeners.
    pub bursts_held: usize,
    /// Bursts of other nodes that are on the air.
    pub bursts_elsewhere: usize,
    /// Other nodes that are present.
    pub nodes: usize,
    /// Subscriptions to voice of other nodes.
    pub subscriptions: usize,
    /// Whether this is a node of a cluster that has lost all others.
    pub alone: bool,
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
    /// What the hub holds now. All figures are zero when everybody has left and `hold` is over.
    pub fn figures(&self) -> HubFigures {
        HubFigures {
            connections: self.sessions.connections().len(),
            sessions: self.sessions.sessions().len(),
            suspended: self
                .sessions
                .sessions()
                .filter(|(_, session)| !matches!(session.link, Link::Up(_)))
                .count(),
            channels: self.roster.channels().len(),
            affiliations: self.roster.affiliations(),
            bursts_on_air: self.floor.own_on_air(),
            bursts_held: self.floor.bursts().filter(|(_, burst)| !burst.is_on_air()).count(),
            bursts_elsewhere: self.floor.bursts().filter(|(_, burst)| burst.is_elsewhere()).count(),
            nodes: self.nodes.as_ref().map_or(0, |nodes| nodes.met()),
            subscriptions: self.nodes.as_ref().map_or(0, |nodes| nodes.subscriptions()),
            alone: self.nodes.as_ref().is_some_and(|nodes| nodes.is_alone()),
            mutes: self.mutes.len(),
            located: self.places.spots().located(),
            moving: self.places.moving(),
            timers: self.agenda.timers(),
        }
    }
}
