//! Figures for metrics, and for tests that nothing is left over.

use super::Deck;
use crate::Time;

/// What a deck holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeckFigures {
    /// Bursts that are on the air, or held, or not yet taken by everybody.
    pub bursts: usize,
    /// Connections that are known.
    pub listeners: usize,
    /// Pairs of a burst and somebody who hears it, or in a small channel is tuned.
    pub cursors: usize,
    /// Frames that are held.
    pub frames: usize,
    /// Their size in bytes.
    pub bytes: usize,
    /// When the oldest of them arrived.
    pub oldest: Option<Time>,
}

impl<A: Clone> Deck<A> {
    /// What the deck holds now. Walks over all bursts, so it is for metrics and not for each frame.
    pub fn figures(&self) -> DeckFigures {
        DeckFigures {
            bursts: self.bursts.len(),
            listeners: self.connections.len(),
            cursors: self.bursts.iter().map(|(_, burst)| burst.members.len()).sum(),
            frames: self.bursts.iter().map(|(_, burst)| burst.log.held()).sum(),
            bytes: self.bursts.iter().map(|(_, burst)| burst.log.held_bytes()).sum(),
            oldest: self.bursts.iter().filter_map(|(_, burst)| burst.log.oldest()).min(),
        }
    }
}
