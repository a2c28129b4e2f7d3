//! A hub that is broken on purpose.

use std::collections::BTreeMap;

use tenfour_protocol::{
    BurstNo, ChannelId, Code, Description, GeoCell, Participant, ParticipantNo, Range, ServerMessage,
};

use super::connecting::Hello;
use super::roster::Channel;
use super::{Hub, Tuned};
use crate::ConnId;
use crate::mutants::{Mutant, Mutants};
use crate::reach::{Place, Talker};

impl Hub {
    /// Leaves those in range only.
    pub(super) fn listed(&self, conn: ConnId, mut participants: Vec<Participant>) -> Vec<Participant> {
        let asking = self.sessions.session_of(conn).map(|asking| &self.sessions[asking]);
        if let Some(asking) = asking
            && self.config.mutants.has(Mutant::ListByRange)
        {
            let here = self.places.slot(asking.you.id).expect("a session has a slot");
            participants.retain(|other| {
                let there = self.places.spots().talker(self.places.slot(other.id), Range::default());
                other.id == asking.you.id || there.heard_by(here).is_some()
            });
        }
        participants
    }

    pub(super) fn refuses_without_place(&mut self, conn: ConnId, hello: &Hello) -> bool {
        let refuses = hello.place.is_none() && self.config.mutants.has(Mutant::PlaceRequired);
        if refuses {
            self.agenda.error(conn, Code::LocationNeeded);
        }
        refuses
    }

    /// Says how far the talker is from somebody, in the place of their description.
    pub(super) fn with_distance(&self, mut started: ServerMessage, channel: &ChannelId) -> ServerMessage {
        if self.config.mutants.has(Mutant::SendDistance)
            && let ServerMessage::BurstStarted { talker, .. } = &mut started
        {
            let heard = self.places.spots().talker(self.places.slot(talker.id), Range::Unlimited);
            let mut others =
                self.roster[channel].here().iter().filter(|member| member.participant != talker.id);
            if let Some(km) = others.find_map(|member| heard.kilometres(member.slot)) {
                talker.person.description = Description::parse(&format!("{km} km away")).ok();
            }
        }
        started
    }

    /// Where a broken hub believes a session to be that is at `place`.
    pub(super) fn misplaced(&self, participant: ParticipantNo, cell: &GeoCell, place: Place) -> Place {
        let seed = u64::from(participant.0) ^ self.config.secret.seed();
        place.broken(cell, self.config.mutants, seed)
    }
}

/// Those of `bursts` that end for somebody who leaves their channel.
pub(super) fn ended(
    bursts: impl Iterator<Item = BurstNo>,
    mutants: Mutants,
) -> impl Iterator<Item = BurstNo> {
    bursts.filter(move |_| !mutants.has(Mutant::DeliverToUntuned))
}

/// The nearest first.
pub(super) fn sort(audience: &mut [Tuned], channel: &Channel, heard: &Talker<'_>) {
    let slots: BTreeMap<_, _> = channel.here().iter().map(|member| (member.conn, member.slot)).collect();
    let key = |conn| slots.get(&conn).map(|&slot| heard.distance_key(slot));
    audience.sort_by_key(|who| (key(who.conn()), who.conn()));
}
