//! The list of a channel's participants.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenfour_protocol::limits::PAGE_PARTICIPANTS;
use tenfour_protocol::{Handle, Participant, ParticipantNo};

/// Everybody on a channel in the order of their handles, with what others see of them, so that making a long list
/// looks up no session.
#[derive(Debug, Default)]
pub(super) struct Roll(BTreeMap<(Handle, ParticipantNo), Arc<Participant>>);

impl Roll {
    pub(super) fn insert(&mut self, who: &Arc<Participant>) {
        self.0.insert(key(who), Arc::clone(who));
    }

    /// Takes out somebody who was put in as `who`.
    pub(super) fn remove(&mut self, who: &Participant) {
        self.0.remove(&key(who));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of pages: at least one, which may be empty.
    pub(super) fn pages(&self) -> u32 {
        self.len().div_ceil(PAGE_PARTICIPANTS).max(1) as u32
    }

    pub(super) fn page(&self, page: u32) -> Vec<Participant> {
        let before = (page as usize).saturating_mul(PAGE_PARTICIPANTS);
        named(self.0.values().skip(before).take(PAGE_PARTICIPANTS))
    }

    pub(super) fn all(&self) -> Vec<Participant> {
        named(self.0.values())
    }
}

fn key(who: &Participant) -> (Handle, ParticipantNo) {
    (who.person.handle.clone(), who.id)
}

fn named<'a>(all: impl Iterator<Item = &'a Arc<Participant>>) -> Vec<Participant> {
    all.map(|who| Participant::clone(who)).collect()
}
