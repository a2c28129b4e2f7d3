//! Who hears a burst: its audience at its start, and what changes it.

use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Range, ServerMessage, SignalGrade};

use super::members::Member;
use super::nodes::Air;
use super::session::Link;
use super::{From, Hears, Hub, Output};
use crate::ConnId;
use crate::reach::Slot;

/// A burst on the air and somebody who may hear it, and whether they did.
pub(super) type Hearing = Vec<(BurstNo, ParticipantNo, bool)>;

impl Hub {
    /// Everybody on the channel who is in range and has a connection, but the talker and who muted
    /// the talker. Shuffled: who is served when says nothing about them.
    #[inline]
    pub(super) fn audience(
        &mut self,
        talker: ParticipantNo,
        slot: Option<Slot>,
        tx: Range,
        channel: &ChannelId,
    ) -> Vec<Hears> {
        let muters = self.muters(talker);
        let Self { channels, spots, chance, .. } = self;
        let heard = spots.talker(slot, tx);
        let members = &channels[channel].here;
        let mut audience: Vec<Hears> = Vec::with_capacity(members.len());
        for &Member { participant, conn, slot } in members.iter() {
            if participant == talker || (!muters.is_empty() && muters.contains(&participant)) {
                continue;
            }
            let Some(grade) = heard.heard_by(slot) else { continue };
            let newest = audience.len();
            audience.push(Hears { conn, grade });
            audience.swap(chance.below(newest + 1), newest);
        }
        #[cfg(feature = "mutants")]
        if self.config.mutants.has(crate::mutants::Mutant::SortedFanOut) {
            let heard = self.spots.talker(slot, tx);
            let slots: std::collections::BTreeMap<_, _> =
                self.channels[channel].here.iter().map(|member| (member.conn, member.slot)).collect();
            audience.sort_by_key(|listener| (heard.distance_key(slots[&listener.conn]), listener.conn));
        }
        audience
    }

    /// Nothing if `listener` does not hear `burst`; else how well.
    pub(super) fn hears(&self, listener: ParticipantNo, burst: BurstNo) -> Option<Option<SignalGrade>> {
        if !self.wants(listener, burst) {
            return None;
        }
        let burst = self.bursts.get(&burst)?;
        let talker = match &burst.air {
            Air::Here { .. } => self.sessions.get(&burst.talker).map(|session| session.whereabouts.slot),
            Air::Elsewhere(air) => air.slot,
        };
        let listener = self.sessions.get(&listener)?.whereabouts.slot;
        self.spots.talker(talker, burst.tx).heard_by(listener)
    }

    /// Whether it is neither the listener's own burst nor of somebody they have muted.
    pub(super) fn wants(&self, listener: ParticipantNo, burst: BurstNo) -> bool {
        self.bursts.get(&burst).is_some_and(|burst| {
            let muted = self.muted_by.contains(&(burst.talker, listener));
            burst.talker != listener && !muted && !burst.unwanted_by.contains(&listener)
        })
    }

    /// What `listener` hears of the bursts on its channels, and what it does not.
    pub(super) fn heard_by(&self, listener: ParticipantNo) -> Hearing {
        let channels = self.sessions[&listener].tuned.keys().filter_map(|channel| self.channels.get(channel));
        let bursts = channels.flat_map(|channel| channel.on_air.iter());
        bursts.map(|&burst| (burst, listener, self.hears(listener, burst).is_some())).collect()
    }

    /// The same for several who move, and for everybody who may hear them.
    pub(super) fn hearing_of(&self, movers: &[ParticipantNo]) -> Hearing {
        let mut hearing = Hearing::new();
        for &mover in movers {
            hearing.extend(self.heard_by(mover));
            let Some(channel) = self.talks_where(mover) else { continue };
            let channel = &self.channels[channel];
            let theirs = channel.on_air.iter().filter(|burst| self.bursts[burst].talker == mover);
            for &burst in theirs {
                let listeners = channel.here.iter().map(|member| member.participant);
                hearing.extend(
                    listeners.map(|listener| (burst, listener, self.hears(listener, burst).is_some())),
                );
            }
        }
        hearing.sort_unstable();
        hearing.dedup();
        hearing
    }

    /// Something changed: tells those who hear a burst no more, and lets in those who do now.
    pub(super) fn redraw(&mut self, before: &Hearing) {
        for &(burst, listener, heard) in before {
            let Some(Link::Up(conn)) = self.sessions.get(&listener).map(|session| session.link) else {
                continue;
            };
            match (heard, self.hears(listener, burst)) {
                (true, None) => self.out_of_range(burst, conn),
                (false, Some(grade)) => {
                    let listener = Hears { conn, grade };
                    self.outputs.push_back(Output::Join { burst, listener, from: From::Live });
                }
                _ => {}
            }
        }
    }

    pub(super) fn out_of_range(&mut self, burst: BurstNo, conn: ConnId) {
        self.outputs.push_back(Output::Leave { burst, conn });
        self.send(conn, ServerMessage::BurstEnded { burst, frames: 0, reason: EndReason::OutOfRange });
    }
}
