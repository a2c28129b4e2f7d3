//! Who does not want to hear whom.

use std::collections::{BTreeMap, BTreeSet};

use tenfour_protocol::ParticipantNo;
use tenfour_protocol::limits::MUTES_PER_SESSION;

/// Pairs of a session and somebody whom it has muted, who may be on another node.
#[derive(Debug, Default)]
pub(super) struct Mutes {
    /// Whom each session has muted.
    by_listener: BTreeMap<ParticipantNo, BTreeSet<ParticipantNo>>,
    /// The same pairs, the muted one first.
    by_talker: BTreeSet<(ParticipantNo, ParticipantNo)>,
}

impl Mutes {
    pub(super) fn mute(&mut self, listener: ParticipantNo, talker: ParticipantNo) {
        self.by_listener.entry(listener).or_default().insert(talker);
        self.by_talker.insert((talker, listener));
    }

    pub(super) fn unmute(&mut self, listener: ParticipantNo, talker: ParticipantNo) {
        self.by_talker.remove(&(talker, listener));
        if let Some(muted) = self.by_listener.get_mut(&listener) {
            muted.remove(&talker);
            if muted.is_empty() {
                self.by_listener.remove(&listener);
            }
        }
    }

    /// A session ends: forgets whom it muted.
    pub(super) fn forget_listener(&mut self, listener: ParticipantNo) {
        for talker in self.by_listener.remove(&listener).into_iter().flatten() {
            self.by_talker.remove(&(talker, listener));
        }
    }

    /// A talker has gone: forgets who muted them. Returns who did.
    pub(super) fn forget_talker(&mut self, talker: ParticipantNo) -> BTreeSet<ParticipantNo> {
        let muters = self.muters(talker);
        muters.iter().for_each(|&muter| self.unmute(muter, talker));
        muters
    }

    pub(super) fn has(&self, listener: ParticipantNo, talker: ParticipantNo) -> bool {
        self.by_talker.contains(&(talker, listener))
    }

    /// Whether a session has muted as many as it may.
    pub(super) fn is_full(&self, listener: ParticipantNo) -> bool {
        self.by_listener.get(&listener).is_some_and(|muted| muted.len() >= MUTES_PER_SESSION)
    }

    /// Whom a session has muted.
    pub(super) fn muted(&self, listener: ParticipantNo) -> impl Iterator<Item = ParticipantNo> {
        self.by_listener.get(&listener).into_iter().flatten().copied()
    }

    /// Who has muted `talker`.
    pub(super) fn muters(&self, talker: ParticipantNo) -> BTreeSet<ParticipantNo> {
        let all = (talker, ParticipantNo(0))..=(talker, ParticipantNo(u32::MAX));
        self.by_talker.range(all).map(|&(_, muter)| muter).collect()
    }

    /// Whether anybody has muted `talker`.
    pub(super) fn is_muted(&self, talker: ParticipantNo) -> bool {
        self.by_talker.range((talker, ParticipantNo(0))..).next().is_some_and(|&(muted, _)| muted == talker)
    }

    /// How many pairs there are.
    pub(super) fn len(&self) -> usize {
        self.by_talker.len()
    }
}
