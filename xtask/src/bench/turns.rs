//! Whose turn it is in a round of the fan-out, and what the turns measured.

use std::collections::BTreeMap;

use anyhow::Result;

use super::rivals::Rival;
use super::servers::{self, Ours, Server};
use super::statistics::Spread;
use super::users::Figures;

/// For users that have a core to themselves.
pub(super) const AWAKE: &str = "--awake";

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Floor,
    Plain,
    Bundled,
    LowData,
    /// A channel that is large enough for bundles of two, which nobody wishes.
    Twos,
    /// One that is large enough for bundles of three.
    Threes,
    Tls,
    Rival(Rival),
}

impl Turn {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Plain => "Tenfour",
            Self::Bundled => "Tenfour, bundles of 3 wished",
            Self::LowData => "Tenfour, 60 ms frames, bundles wished",
            Self::Twos => "Tenfour, 1,500 listeners: in twos",
            Self::Threes => "Tenfour, 3,000 listeners: in threes",
            Self::Tls => "Tenfour, TLS",
            Self::Rival(rival) => rival.name(),
        }
    }

    /// Whether its latency says something. Mumble's voice thread gives itself ordinary priority, so it waits for all
    /// others when its users go before them.
    pub(super) fn has_latency(self) -> bool {
        self != Self::Rival(Rival::Mumble) || !servers::all_go_first()
    }

    pub(super) fn start(self) -> Result<Server> {
        match self {
            Self::Floor => Server::floor(),
            Self::Tls => Server::ours(Ours { tls: true, ..Ours::PLAIN }),
            Self::Rival(rival) => rival.start(),
            Self::Plain | Self::Bundled | Self::LowData | Self::Twos | Self::Threes => {
                Server::ours(Ours::PLAIN)
            }
        }
    }

    /// Its own flags for the virtual users.
    pub(super) fn flags(self) -> String {
        match self {
            Self::Floor => "--kind floor".into(),
            Self::Plain | Self::Tls => "--kind tenfour".into(),
            Self::Bundled => "--kind tenfour --economy".into(),
            Self::LowData => "--kind tenfour --economy --frame-ms 60 --payload 120".into(),
            // BUNDLES in crates/protocol/src/limits.rs, where the talker counts too.
            Self::Twos => "--kind tenfour --listeners 1500".into(),
            Self::Threes => "--kind tenfour --listeners 3000".into(),
            Self::Rival(rival) => format!("--kind {}", rival.kind()),
        }
    }
}

/// What the turns measured, round by round.
pub(super) struct Rounds {
    pub(super) turns: Vec<Turn>,
    pub(super) figures: BTreeMap<usize, Vec<Figures>>,
}

impl Rounds {
    fn values(&self, turn: Turn, path: &str) -> Vec<f64> {
        let index = self.turns.iter().position(|other| *other == turn);
        let figures = index.and_then(|index| self.figures.get(&index));
        figures.into_iter().flatten().map(|figures| figures.number(path)).collect()
    }

    pub(super) fn spread(&self, turn: Turn, path: &str) -> Spread {
        Spread::of(self.values(turn, path))
    }

    /// Against the partner's turn of the same round. None when the partner had no turn.
    pub(super) fn ratio(&self, turn: Turn, partner: Turn, path: &str) -> Option<Spread> {
        let partners = self.values(partner, path);
        (!partners.is_empty()).then(|| Spread::of_ratios(&self.values(turn, path), &partners))
    }
}
