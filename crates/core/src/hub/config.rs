//! What an operator sets.

use std::collections::BTreeMap;
use std::time::Duration;

use tenfour_protocol::node::{NodeId, NodeName};
use tenfour_protocol::{ChannelId, limits};

use crate::mutants::Mutants;
use crate::reach::Secret;

/// Configuration of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// Name of the host, for people.
    pub host: String,
    /// Program and version, e.g. `tenfour 0.1.0`.
    pub server: String,
    /// How long a frame, an ended burst and a dropped session are kept.
    pub hold: Duration,
    /// Longest burst.
    pub talk_limit: Duration,
    /// How long a talker may go on after somebody in their hearing began to talk.
    pub courtesy_limit: Duration,
    /// Most participants of one channel.
    pub channel_participants: usize,
    /// What channels are for.
    pub labels: BTreeMap<ChannelId, String>,
    /// Random bytes of this run. Whoever knew them could forge stamps.
    pub secret: Secret,
    /// Time since the Unix epoch at [`Time::ZERO`](crate::Time::ZERO): places change at quarters of
    /// an hour.
    pub unix_at_zero: Duration,
    /// The cluster that this node belongs to, if any.
    pub cluster: Option<ClusterConfig>,
    /// What is broken on purpose.
    pub mutants: Mutants,
}

/// This node among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Random for each start.
    pub node: NodeId,
    /// What the operator calls it.
    pub name: NodeName,
}

impl Default for HubConfig {
    fn default() -> Self {
        let label =
            |number, label: &str| ChannelId::numbered(number).map(|channel| (channel, label.to_owned()));
        Self {
            host: "Tenfour".to_owned(),
            server: concat!("tenfour ", env!("CARGO_PKG_VERSION")).to_owned(),
            hold: limits::HOLD,
            talk_limit: limits::TALK_LIMIT,
            courtesy_limit: limits::COURTESY,
            channel_participants: limits::CHANNEL_PARTICIPANTS,
            labels: [label(9, "Emergency"), label(19, "Calling")].into_iter().flatten().collect(),
            secret: Secret::default(),
            unix_at_zero: Duration::ZERO,
            cluster: None,
            mutants: Mutants::default(),
        }
    }
}
