//! What must be true of several nodes, whatever happens to them: who hears what is decided by cells and
//! ranges alone, nothing is heard twice, and when nothing goes wrong nothing is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenfour_core::hub::Hears;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, Range, VoiceFrame};

use super::person::{Line, Person};
use crate::place::{Heard, Position, heard};
use crate::report::seen;
use crate::voice::Mark;

/// After the last trouble, until nothing may be missed any more.
const RECOVERY_TIME: Duration = Duration::from_secs(6);
/// How long a listener must have been there before a burst, to have to hear all of it.
const MIN_PRESENCE: Duration = Duration::from_secs(1);

seen! {
    /// Bursts that went on the air.
    aired,
    /// Frames that were heard on the node of their talker.
    heard_here,
    /// Frames that were heard on another node.
    heard_elsewhere,
    /// Bursts that somebody on another node had to hear whole, and did.
    whole,
    /// Bursts that were opened on another node.
    opened_elsewhere,
    /// Listeners who were not in range of a burst of another node.
    beyond,
    /// Connections that went on where they had ended.
    resumed,
    /// Connections to another node than before.
    changed_node,
    /// Nodes that were killed, paused, cut off, or lost the bus.
    faults,
    /// Counts that were compared.
    counted,
}

/// A burst, as its talker made it.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) talker: usize,
    pub(super) local: BurstNo,
    home: usize,
    channel: ChannelId,
    tx: Range,
    place: Option<Position>,
    began: Time,
    pub(super) frames: BTreeSet<u16>,
}

/// Watches and complains.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) bursts: BTreeMap<(NodeId, BurstNo), Truth>,
    of_press: BTreeMap<(usize, BurstNo), (NodeId, BurstNo)>,
    heard: BTreeMap<(usize, usize, BurstNo), BTreeSet<u16>>,
    /// The last trouble of any kind, and the last that stopped a node itself.
    pub(super) trouble: Option<Time>,
    pub(super) stopped: BTreeMap<usize, Time>,
    pub(super) violations: Vec<String>,
    pub(super) seen: Seen,
}

impl Judge {
    pub(super) fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violations.len() < 20 {
            self.violations.push(what());
        }
    }

    /// A node admits a burst of its own.
    pub(super) fn admitted(
        &mut self,
        key: (NodeId, BurstNo),
        home: usize,
        talker: &Line,
        local: BurstNo,
        channel: ChannelId,
        now: Time,
    ) {
        let (place, frames, tx) = (talker.here(), BTreeSet::new(), talker.ranges.tx);
        let truth = Truth { talker: talker.person, local, home, channel, tx, place, began: now, frames };
        let twice = self.of_press.insert((talker.person, local), key).is_some();
        self.must(!twice, || format!("press {local} of {} is admitted twice", talker.person));
        self.bursts.insert(key, truth);
        self.seen.aired += 1;
    }

    /// A node opens a burst for its listeners: those of `people` who are on `node`.
    pub(super) fn opened(
        &mut self,
        key: (NodeId, BurstNo),
        node: usize,
        listeners: &[Hears],
        lines: &BTreeMap<ConnId, Line>,
    ) {
        let Some(truth) = self.bursts.get(&key).cloned() else {
            return self.must(false, || format!("{key:?} is opened and was never admitted"));
        };
        let elsewhere = usize::from(truth.home != node);
        self.seen.opened_elsewhere += elsewhere;
        // A talker who has moved to another node may hear itself, while the old node still takes it for the talker.
        let theirs = |line: &Line| line.person == truth.talker && node != truth.home;
        for (&conn, line) in lines.iter().filter(|(_, line)| line.node == node && !theirs(line)) {
            let listener = listeners.iter().find(|listener| listener.conn == conn);
            let tuned = line.tuned.contains(&truth.channel) && line.person != truth.talker;
            let hears = if tuned { truth.heard_by(line) } else { Heard::No };
            let right = match hears {
                Heard::No => listener.is_none(),
                Heard::Yes(grade) => listener.is_some_and(|listener| listener.grade.map(u8::from) == grade),
                Heard::Unsure => true,
            };
            if tuned && hears == Heard::No {
                self.seen.beyond += elsewhere;
            }
            let id = line.person;
            self.must(right, || format!("{id} on node {node}, {truth:?}: {listener:?}, but {hears:?}"));
        }
    }

    /// Somebody is let into a burst, or goes on hearing it.
    pub(super) fn joined(&mut self, key: (NodeId, BurstNo), listener: &Hears, line: &Line) {
        let Some(truth) = self.bursts.get(&key) else { return };
        let hears = truth.heard_by(line);
        let right = match hears {
            Heard::No => false,
            Heard::Yes(grade) => listener.grade.map(u8::from) == grade,
            Heard::Unsure => true,
        };
        // A talker who has gone has no place: held frames go to listeners whose range is unlimited.
        let nowhere = listener.grade.is_none() && line.ranges.rx == Range::Unlimited;
        self.must(right || nowhere, || format!("{} joins: {hears:?}", line.person));
    }

    /// Somebody hears a frame.
    pub(super) fn hears(&mut self, person: &mut Person, line: &Line, bytes: &[u8]) {
        let id = person.id;
        let Ok(frame) = VoiceFrame::parse(bytes) else {
            return self.must(false, || format!("{id} is sent no voice frame"));
        };
        let Some(mark) = Mark::of(frame.payload) else {
            return self.must(false, || format!("{id} hears what nobody said"));
        };
        let talker = usize::from(mark.talker);
        let heard = self.heard.entry((id, talker, mark.local)).or_default();
        let new = heard.insert(mark.seq);
        self.must(new, || format!("{id} hears frame {} of {talker}'s {} twice", mark.seq, mark.local));
        let open = person.open.get_mut(&frame.burst);
        let in_order = open.is_some_and(|open| {
            let grows = frame.seq >= open.next;
            open.next = frame.seq + 1;
            grows
        });
        self.must(in_order, || format!("{id} hears {} of burst {} out of order", frame.seq, frame.burst));
        let Some(truth) = self.of_press.get(&(talker, mark.local)).and_then(|key| self.bursts.get(key))
        else {
            return self.must(false, || format!("{id} hears what was never admitted"));
        };
        let (far, on) = (truth.heard_by(line) == Heard::No, line.tuned.contains(&truth.channel));
        match truth.home == person.node {
            true => self.seen.heard_here += 1,
            false => self.seen.heard_elsewhere += 1,
        }
        self.must(!far, || format!("{id} hears {talker}, who is out of range"));
        self.must(on, || format!("{id} hears a channel without being tuned to it"));
    }

    /// A burst was over a moment ago: everybody who had to hear all of it has.
    pub(super) fn over(
        &mut self,
        key: (NodeId, BurstNo),
        good: bool,
        people: &[Person],
        lines: &BTreeMap<ConnId, Line>,
    ) {
        let Some(truth) = self.bursts.get(&key).cloned() else { return };
        let calm = good && self.trouble.is_none_or(|last| last + RECOVERY_TIME <= truth.began);
        let stood = self.stopped.get(&truth.home).is_none_or(|last| *last < truth.began);
        for person in people.iter().filter(|person| person.id != truth.talker) {
            let Some(line) = person.conn.and_then(|conn| lines.get(&conn)) else { continue };
            let steady =
                person.changed + MIN_PRESENCE <= truth.began && person.tuned.contains(&truth.channel);
            let here = person.node == truth.home;
            if !steady || !(calm || here && stood) || !matches!(truth.heard_by(line), Heard::Yes(_)) {
                continue;
            }
            let none = BTreeSet::new();
            let heard = self.heard.get(&(person.id, truth.talker, truth.local)).unwrap_or(&none);
            let missing = truth.frames.difference(heard).count();
            self.seen.whole += usize::from(!here && missing == 0);
            let (id, node) = (person.id, person.node);
            self.must(missing == 0, || {
                format!("{id} on node {node} misses {missing} of {} frames, {truth:?}", truth.frames.len())
            });
        }
    }
}

impl Truth {
    fn heard_by(&self, line: &Line) -> Heard {
        let there = self.place.map(Position::cell);
        heard(there, self.tx, line.here().map(Position::cell), line.ranges.rx)
    }
}
