//! Who is on a channel with a connection, in one row of memory: an audience is judged in one pass.

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
    /// Index in the row.
    places: BTreeMap<ParticipantNo, usize>,
}

impl Members {
    /// Puts somebody in, or gives them another connection.
    pub(super) fn insert(&mut self, member: Member) {
        let place = *self.places.entry(member.participant).or_insert(self.row.len());
        match self.row.get_mut(place) {
            Some(known) => *known = member,
            None => self.row.push(member),
        }
    }

    /// Takes somebody out; the last one gets the place.
    pub(super) fn remove(&mut self, participant: ParticipantNo) -> Option<Member> {
        let place = self.places.remove(&participant)?;
        let member = self.row.swap_remove(place);
        if let Some(moved) = self.row.get(place) {
            self.places.insert(moved.participant, place);
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
