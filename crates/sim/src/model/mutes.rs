//! Who has muted whom: docs/protocol.md, from what clients say and what the server refuses. A mute
//! is of two sessions, and lasts as long as the one that asked for it, whatever becomes of the other.

use std::collections::BTreeSet;

use tenfour_core::ConnId;
use tenfour_protocol::{BurstNo, ParticipantNo};

/// What a connection asked for with its last message, as far as it was not refused.
struct Asked {
    conn: ConnId,
    who: ParticipantNo,
    other: ParticipantNo,
    muted: bool,
}

/// Who has muted whom.
#[derive(Default)]
pub(super) struct Mutes {
    /// The one who does not want to hear, then the one who is not heard.
    pairs: BTreeSet<(ParticipantNo, ParticipantNo)>,
    asked: Option<Asked>,
    /// Bursts that somebody on their channel did not want to hear.
    spared: BTreeSet<(BurstNo, ParticipantNo)>,
}

impl Mutes {
    /// A message reaches the hub.
    pub(super) fn says(&mut self, conn: ConnId, who: ParticipantNo, other: ParticipantNo, muted: bool) {
        self.asked = Some(Asked { conn, who, other, muted });
    }

    /// The hub refuses what a connection said, or closes it.
    pub(super) fn is_refused(&mut self, conn: ConnId) {
        self.asked.take_if(|asked| asked.conn == conn);
    }

    /// The hub has done all that follows from the message.
    pub(super) fn answered(&mut self) {
        if let Some(Asked { who, other, muted, .. }) = self.asked.take() {
            let _ = if muted { self.pairs.insert((who, other)) } else { self.pairs.remove(&(who, other)) };
        }
    }

    /// Whether `who` does not want to hear `talker`, by its last word.
    pub(super) fn has(&self, who: ParticipantNo, talker: ParticipantNo) -> bool {
        let asked = self.asked.as_ref().filter(|asked| (asked.who, asked.other) == (who, talker));
        asked.map_or_else(|| self.pairs.contains(&(who, talker)), |asked| asked.muted)
    }

    /// Somebody on its channel does not want to hear a burst.
    pub(super) fn spares(&mut self, burst: BurstNo, who: ParticipantNo) {
        self.spared.insert((burst, who));
    }

    /// How often somebody did not want to hear a burst.
    pub(super) fn spared(&self) -> usize {
        self.spared.len()
    }
}
