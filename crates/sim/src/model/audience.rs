//! Who must hear a burst, and nobody else: judged after each step of the hub.

use std::collections::{BTreeMap, BTreeSet};

use tenfour_core::hub::{Hears, Output, Recipients, Route, Tuned};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Range, ServerMessage, SignalGrade};

use super::{Model, SLACK};
use crate::place::Heard;

/// A burst, and who hears it by the hub's word.
struct Air {
    talker: ParticipantNo,
    channel: ChannelId,
    /// The talker's transmit range when it began.
    tx: Range,
    audience: BTreeSet<ConnId>,
    /// The hub has ended it, or its talker has gone: the model does not judge any more whom the hub lets in or sends away.
    ending: bool,
    /// When it was over. From then on only those who come back are let in.
    over: Option<Time>,
}

/// Who hears which bursts.
#[derive(Default)]
pub(super) struct Audiences {
    airs: BTreeMap<BurstNo, Air>,
    /// The connection of each session, and whose it is.
    links: BTreeMap<ParticipantNo, (ConnId, usize)>,
    /// When a listener who hears a burst no more heard it last.
    until: BTreeMap<(BurstNo, ConnId), Time>,
    /// Announcements that were due, by client.
    announced: BTreeSet<(BurstNo, usize, Option<u8>)>,
    /// Bursts that a client heard less than all of, since it was out of range for a while.
    partly: BTreeSet<(BurstNo, usize)>,
    /// Left a burst in this step and was not told why.
    wordless: BTreeSet<(BurstNo, ConnId)>,
    /// Came back in this step.
    back: BTreeSet<ParticipantNo>,
}

impl Audiences {
    /// A session has a connection.
    pub(super) fn arrives(&mut self, who: ParticipantNo, conn: ConnId, client: usize, resumed: bool) {
        self.links.insert(who, (conn, client));
        if resumed {
            self.back.insert(who);
        }
    }

    /// A connection is gone: the session that had it, unless it has another one by now.
    pub(super) fn drops(&mut self, conn: ConnId) -> Option<ParticipantNo> {
        let who = self.links.iter().find(|(_, link)| link.0 == conn).map(|(who, _)| *who)?;
        self.links.remove(&who);
        for air in self.airs.values_mut().filter(|air| air.talker == who) {
            air.ending = true;
        }
        Some(who)
    }

    /// Whether a session has this connection.
    pub(super) fn has(&self, who: ParticipantNo, conn: ConnId) -> bool {
        self.links.get(&who).is_some_and(|link| link.0 == conn)
    }

    /// How often somebody was not in range of a burst.
    pub(super) fn out_of_range(&self) -> usize {
        self.partly.len()
    }

    pub(super) fn was_in_range(&self, burst: BurstNo, client: usize) -> bool {
        !self.partly.contains(&(burst, client))
    }
}

impl Model {
    /// The hub says who hears what.
    pub(super) fn hub_routes(&mut self, output: &Output, now: Time) {
        match output {
            Output::Open(route) => self.opens(route),
            Output::Join { burst, who: Tuned::Hears(listener), .. } => {
                self.is_graded(*burst, listener);
                if let Some(air) = self.audiences.airs.get_mut(burst) {
                    air.audience.insert(listener.conn);
                }
            }
            Output::Leave { burst, conn } | Output::Join { burst, who: Tuned::Not(conn), .. } => {
                let air = self.audiences.airs.get_mut(burst);
                if air.is_some_and(|air| air.audience.remove(conn)) {
                    self.audiences.until.insert((*burst, *conn), now);
                    self.audiences.wordless.insert((*burst, *conn));
                }
            }
            Output::Send {
                to: Recipients::One(conn),
                message: ServerMessage::BurstEnded { burst, reason, .. },
            } => {
                let word = *reason == EndReason::OutOfRange;
                self.must(word, || format!("burst {burst} ends for {conn:?} alone with {reason:?}"));
                self.audiences.wordless.remove(&(*burst, *conn));
            }
            Output::EndBurst { conn, .. } => {
                let link = self.audiences.links.iter().find(|(_, link)| link.0 == *conn);
                let talker = link.map(|(who, _)| *who);
                let theirs = self.audiences.airs.values_mut().filter(|air| Some(air.talker) == talker);
                theirs.for_each(|air| air.ending = true);
            }
            Output::Close { burst, .. } => {
                let air = self.audiences.airs.get_mut(burst);
                air.into_iter().for_each(|air| (air.ending, air.over) = (true, Some(now)));
            }
            _ => {}
        }
    }

    fn opens(&mut self, route: &Route) {
        let ServerMessage::BurstStarted { talker, .. } = &route.started else {
            return self.must(false, || format!("burst {} begins with {:?}", route.burst, route.started));
        };
        let tuned: BTreeSet<_> = route.tuned.iter().map(|who| who.conn()).collect();
        self.must(tuned.len() == route.tuned.len(), || format!("burst {} has twins", route.burst));
        let audience = route.listeners().map(|listener| listener.conn).collect();
        let tx = self.whereabouts.ranges(talker.id).tx;
        let channel = route.channel.clone();
        let air = Air { talker: talker.id, channel, tx, audience, ending: false, over: None };
        self.audiences.airs.insert(route.burst, air);
        for listener in route.listeners() {
            self.is_graded(route.burst, &listener);
        }
    }

    /// A listener who is let in must be in range, and is told how near the talker is.
    fn is_graded(&mut self, burst: BurstNo, listener: &Hears) {
        let Some(air) = self.audiences.airs.get(&burst) else {
            return self.must(false, || format!("burst {burst} is joined and never began"));
        };
        let Some(&who) = self.sessions.get(&listener.conn) else {
            return self.must(false, || format!("{:?} hears burst {burst} unknown", listener.conn));
        };
        let (talker, heard) = (air.talker, self.whereabouts.heard(air.talker, air.tx, who));
        let wanted = !self.mutes.has(who, talker);
        let grade = listener.grade.map(u8::from);
        let right = match heard {
            Heard::Yes(expected) => grade == expected,
            Heard::No => false,
            Heard::Unsure => true,
        };
        self.must(right, || format!("{who:?} joins burst {burst} with grade {grade:?}, but: {heard:?}"));
        self.must(wanted, || format!("{who:?} has {talker:?} muted, and joins burst {burst}"));
        let client = self.callers.get(&listener.conn);
        self.audiences.announced.extend(client.map(|&client| (burst, client, grade)));
    }

    /// The hub has done all that follows from one thing.
    pub(super) fn audiences_are_right(&mut self, now: Time) {
        let (mut wrong, mut unwanted) = (Vec::new(), Vec::new());
        let held = |air: &Air| air.over.is_none_or(|over| now <= over + self.hold);
        for (&burst, air) in self.audiences.airs.iter().filter(|(_, air)| held(air)) {
            for (&who, &(conn, client)) in &self.audiences.links {
                let back = self.audiences.back.contains(&who);
                let hears = air.audience.contains(&conn);
                if self.mutes.has(who, air.talker) {
                    if hears {
                        wrong.push(format!("client {client} hears burst {burst} and has the talker muted"));
                    } else if self.is_tuned(who, &air.channel) {
                        unwanted.push((burst, who));
                    }
                    continue;
                }
                if who == air.talker || air.over.is_some() && !back {
                    continue;
                }
                let tuned = self.is_tuned(who, &air.channel);
                let heard = if tuned { self.whereabouts.heard(air.talker, air.tx, who) } else { Heard::No };
                if tuned && !matches!(heard, Heard::Yes(_)) {
                    self.audiences.partly.insert((burst, client));
                }
                let right = match heard {
                    Heard::No => !hears || air.ending && !back,
                    Heard::Yes(_) => hears || air.ending,
                    Heard::Unsure => true,
                };
                if !right {
                    wrong.push(format!("client {client}, burst {burst}: heard is {hears}, but: {heard:?}"));
                }
            }
        }
        for (burst, conn) in std::mem::take(&mut self.audiences.wordless) {
            let link = self.audiences.links.iter().find(|(_, link)| link.0 == conn);
            let Some((&who, &(_, client))) = link else { continue };
            let Some(air) = self.audiences.airs.get(&burst) else { continue };
            if self.is_tuned(who, &air.channel) && !self.mutes.has(who, air.talker) {
                wrong.push(format!("client {client} hears burst {burst} no more, without a word"));
            }
        }
        self.audiences.back.clear();
        unwanted.into_iter().for_each(|(burst, who)| self.mutes.spares(burst, who));
        wrong.into_iter().for_each(|wrong| self.must(false, || wrong));
    }

    fn is_tuned(&self, who: ParticipantNo, channel: &ChannelId) -> bool {
        let spans = self.session_tuned.get(&(who, channel.clone()));
        spans.and_then(|spans| spans.last()).is_some_and(|(_, end)| end.is_none())
    }

    /// Whether a frame of `burst` may be written to `conn` now: it hears it, or did a moment ago.
    pub(super) fn may_be_written(&self, burst: BurstNo, conn: ConnId, now: Time) -> bool {
        let hears = self.audiences.airs.get(&burst).is_some_and(|air| air.audience.contains(&conn));
        hears || self.audiences.until.get(&(burst, conn)).is_some_and(|until| now <= *until + SLACK)
    }

    /// A client is told that a burst begins, with this grade.
    pub(super) fn is_announced(&mut self, client: usize, burst: BurstNo, grade: Option<SignalGrade>) {
        let grade = grade.map(u8::from);
        let right = self.audiences.announced.contains(&(burst, client, grade));
        self.must(right, || format!("client {client} sees grade {grade:?} for burst {burst}"));
    }

    /// A client is told that it hears no more of a burst.
    pub(super) fn goes_out_of_range(&mut self, client: usize, burst: BurstNo) {
        let right = self.audiences.partly.contains(&(burst, client));
        self.must(right, || format!("client {client} was always in range of burst {burst}"));
        self.seen.out_of_range += 1;
    }
}
