//! The members of a channel who have a connection, in one piece of memory, so that one pass computes an audience.

use std::collections::BTreeMap;

use tenfour_protocol::ParticipantNo;

use crate::ConnId;
use crate::reach::Slot;

/// Somebody who may hear.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) participant: ParticipantNo,
    pub(super) conn: ConnId,
    pub(super) slot: Slot,
}

/// The members of a channel.
#[derive(Debug, Default)]
pub(super) struct Members {
    row: Vec<Member>,
    /// The index of each of them.
    indexes: BTreeMap<ParticipantNo, usize>,
}

impl Members {
    /// Puts somebody in, or gives them another connection.
    pub(super) fn insert(&mut self, member: Member) {
        let index = *self.indexes.entry(member.participant).or_insert(self.row.len());
        match self.row.get_mut(index) {
            Some(known) => *known = member,
            None => self.row.push(member),
        }
    }

    /// Takes somebody out. The last member gets their index.
    pub(super) fn remove(&mut self, participant: ParticipantNo) -> Option<Member> {
        let index = self.indexes.remove(&participant)?;
        let member = self.row.swap_remove(index);
        if let Some(moved) = self.row.get(index) {
            self.indexes.insert(moved.participant, index);
        }
        Some(member)
    }

    pub(super) fn len(&self) -> usize {
        self.row.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.row.iter()
    }
}
