//! Who hears a burst: the audience at its start, and changes to it.

use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Range, ServerMessage, SignalGrade};

use super::burst::Burst;
use super::members::Member;
use super::nodes::Origin;
use super::{Hears, Hub, Output, StartAt, Tuned};
use crate::reach::{Slot, Talker};
use crate::{ConnId, mutant};

/// Bursts on the air, people who may hear them, and whether they did.
pub(super) type Hearing = Vec<(BurstNo, ParticipantNo, bool)>;

impl Hub {
    /// Who hears a talker. On a large channel that is everybody with a connection who is in range and has not muted
    /// the talker. On a small one it is everybody, with a note whether they hear: the workers do equal work for those
    /// who do not. The list is shuffled, so that the order in which people are served says nothing about them.
    #[inline]
    pub(super) fn audience(
        &mut self,
        talker: ParticipantNo,
        slot: Option<Slot>,
        tx: Range,
        channel: &ChannelId,
    ) -> Vec<Tuned> {
        let muters = self.mutes.muters(talker);
        let Self { roster, places, floor, .. } = self;
        let chance = floor.chance();
        let heard = places.spots().talker(slot, tx);
        let channel = &roster[channel];
        let small = channel.is_small();
        let mut audience: Vec<Tuned> = Vec::with_capacity(channel.here().len());
        let mut shuffle = |audience: &mut Vec<Tuned>, who| {
            let newest = audience.len();
            audience.push(who);
            audience.swap(chance.below(newest + 1), newest);
        };
        for &Member { participant, conn, slot } in channel.here().iter() {
            if participant == talker {
                continue;
            }
            let muted = !muters.is_empty() && muters.contains(&participant);
            match heard.heard_by(slot) {
                Some(grade) if !muted => shuffle(&mut audience, Tuned::Hears(Hears { conn, grade })),
                _ if small => shuffle(&mut audience, Tuned::Not(conn)),
                _ => {}
            }
        }
        if small {
            channel.away().for_each(|conn| shuffle(&mut audience, Tuned::Not(conn)));
        }
        mutant!(self.config.mutants, SortedFanOut => super::mutants::sort(&mut audience, channel, &heard));
        audience
    }

    /// How well `listener` hears `burst`; none if not at all.
    pub(super) fn hears(&self, listener: ParticipantNo, burst: BurstNo) -> Option<Option<SignalGrade>> {
        if !self.wants(listener, burst) {
            return None;
        }
        let burst = self.floor.get(burst)?;
        self.talker_of(burst).heard_by(self.places.slot(listener)?)
    }

    /// The talker of a burst, for judging who hears them.
    pub(super) fn talker_of(&self, burst: &Burst) -> Talker<'_> {
        let slot = match &burst.origin {
            Origin::Here { .. } => self.places.slot(burst.talker),
            Origin::Elsewhere(there) => there.slot,
        };
        self.places.spots().talker(slot, burst.tx)
    }

    /// Whether a burst is neither the listener's own nor from somebody whom they muted.
    pub(super) fn wants(&self, listener: ParticipantNo, burst: BurstNo) -> bool {
        self.floor.get(burst).is_some_and(|burst| {
            let muted = self.mutes.has(listener, burst.talker);
            burst.talker != listener && !muted && !burst.unwanted_by.contains(&listener)
        })
    }

    /// What `listener` hears of the bursts on its channels, and what it does not.
    pub(super) fn heard_by(&self, listener: ParticipantNo) -> Hearing {
        let bursts = self.roster.tuned(listener).flat_map(|channel| self.floor.on_air(channel));
        bursts.map(|burst| (burst, listener, self.hears(listener, burst).is_some())).collect()
    }

    /// The same for several people who move, and for everybody who may hear them.
    pub(super) fn hearing_of(&self, movers: &[ParticipantNo]) -> Hearing {
        let mut hearing = Hearing::new();
        for &mover in movers {
            hearing.extend(self.heard_by(mover));
            let Some(channel) = self.talks_where(mover) else { continue };
            let known = &self.roster[channel];
            let theirs = self.floor.on_air(channel).filter(|&burst| self.floor[burst].talker == mover);
            for burst in theirs {
                let listeners = known.here().iter().map(|member| member.participant);
                hearing.extend(
                    listeners.map(|listener| (burst, listener, self.hears(listener, burst).is_some())),
                );
            }
        }
        hearing.sort_unstable();
        hearing.dedup();
        hearing
    }

    /// Does `change`. Then tells listeners who lost a burst, and lets in listeners who gained one. `before` says what
    /// everybody concerned heard before the change.
    pub(super) fn reconcile_audience(&mut self, before: Hearing, change: impl FnOnce(&mut Self)) {
        change(self);
        for (burst, listener, heard) in before {
            let Some(conn) = self.sessions.conn_of(listener) else { continue };
            match (heard, self.hears(listener, burst)) {
                (true, None) => {
                    self.hears_no_more(burst, conn);
                    self.agenda.send(conn, out_of_range(burst));
                }
                (false, Some(grade)) => self.let_in(burst, conn, grade, StartAt::Live),
                _ => {}
            }
        }
    }

    /// Somebody hears a burst from now on.
    pub(super) fn let_in(&mut self, burst: BurstNo, conn: ConnId, grade: Option<SignalGrade>, from: StartAt) {
        let who = Tuned::Hears(Hears { conn, grade });
        self.agenda.push(Output::Join { burst, who, from });
    }

    /// Somebody no longer hears a burst, but stays tuned.
    pub(super) fn hears_no_more(&mut self, burst: BurstNo, conn: ConnId) {
        if !self.sits_by(burst, conn, StartAt::Live) {
            self.agenda.push(Output::Leave { burst, conn });
        }
    }

    /// Somebody is tuned but does not hear a burst. On a small channel the workers do equal work for them, beginning
    /// at `from` if they are new. Returns false on a large channel, where nothing is done for them.
    pub(super) fn sits_by(&mut self, burst: BurstNo, conn: ConnId, from: StartAt) -> bool {
        let small = self.floor.get(burst).is_some_and(|burst| burst.small);
        if small {
            self.agenda.push(Output::Join { burst, who: Tuned::Not(conn), from });
        }
        small
    }
}

/// The message for somebody who does not hear the rest of a burst.
pub(super) fn out_of_range(burst: BurstNo) -> ServerMessage {
    ServerMessage::BurstEnded { burst, frames: 0, reason: EndReason::OutOfRange }
}
