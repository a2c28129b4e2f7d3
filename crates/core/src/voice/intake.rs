//! Frames of other nodes, on their way from the bus to the decks.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::limits::{HEARD_AHEAD, SAMPLE_RATE};
use tenfour_protocol::node::{Frames, FramesError, NodeId};
use tenfour_protocol::{BurstNo, VoiceFrame, opus};

use super::{Framing, Packet};
use crate::bucket::Bucket;
use crate::mutants::Mutants;
use crate::timeline::Timeline;
use crate::{Time, mutant};

/// Most frames of one burst that wait until the hub knows it.
const MAX_WAITING: usize = 64;
/// How long they wait. The hub answers in less than a millisecond. If the start was lost, it is repeated within a
/// second, and by then these frames are too old.
const WAIT_TIME: Duration = Duration::from_millis(500);
/// How long we remember how far a burst was heard after nobody hears it any more: longer than any burst.
const PAST_TIME: Duration = Duration::from_secs(700);
/// Most bursts whose frames may wait.
const MAX_UNANNOUNCED: usize = 1024;

/// What the shell does for an intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntakeOutput {
    /// Appends a frame to the deck of every worker.
    Frame {
        /// This node's number of the burst.
        burst: BurstNo,
        /// The frame.
        packet: Packet,
    },
    /// Tells the hub, as [`NodeInput::Unannounced`](crate::hub::NodeInput::Unannounced).
    Unannounced {
        /// Whose frames.
        node: NodeId,
        /// Of which burst.
        burst: BurstNo,
    },
}

/// Takes frames from the bus, gives them this node's number of the burst, and drops frames that nobody here hears. A
/// node has one.
#[derive(Debug)]
pub struct Intake {
    node: NodeId,
    framing: Framing,
    heard: BTreeMap<(NodeId, BurstNo), Heard>,
    waiting: BTreeMap<(NodeId, BurstNo), Waiting>,
    /// For bursts that are no longer heard: the next sequence number, and since when. If one is heard again, it
    /// continues there.
    past: BTreeMap<(NodeId, BurstNo), (u16, Time)>,
    outputs: VecDeque<IntakeOutput>,
    mutants: Mutants,
}

#[derive(Debug)]
struct Heard {
    local: BurstNo,
    /// The next sequence number. A frame with a smaller one came late or twice.
    next: u16,
    timeline: Timeline,
    /// How many samples media time may still run ahead of arrival.
    ahead: Bucket,
    mutants: Mutants,
}

#[derive(Debug)]
struct Waiting {
    since: Time,
    /// Framed with the other node's number: wiped when they are dropped.
    frames: Vec<Packet>,
}

impl Intake {
    /// Of `node`, whose own frames it ignores.
    pub fn new(node: NodeId, framing: Framing) -> Self {
        let (heard, waiting, past) = Default::default();
        Self { node, framing, heard, waiting, past, outputs: VecDeque::new(), mutants: Mutants::default() }
    }

    /// The same, with these mutants.
    pub fn broken(self, mutants: Mutants) -> Self {
        Self { mutants, ..self }
    }

    /// A message with frames came.
    ///
    /// # Errors
    /// If the bytes are no such message. Nothing of them is used.
    pub fn message(&mut self, bytes: &[u8], now: Time) -> Result<(), FramesError> {
        let frames = Frames::parse(bytes)?;
        if frames.from == self.node {
            return Ok(());
        }
        for frame in frames.iter() {
            match self.heard.get_mut(&(frames.from, frame.burst)) {
                Some(heard) => self.outputs.extend(heard.take(frame, self.framing, now)),
                None => self.wait(frames.from, frame, now),
            }
        }
        Ok(())
    }

    /// The hub knows the burst as `local`: passes on the frames that wait.
    pub fn hear(&mut self, node: NodeId, burst: BurstNo, local: BurstNo) {
        let next = self.past.remove(&(node, burst)).map_or(0, |(next, _)| next);
        let waiting = self.waiting.remove(&(node, burst));
        let mut heard = Heard {
            local,
            next,
            timeline: Timeline::default(),
            ahead: Bucket::of_time(HEARD_AHEAD, SAMPLE_RATE),
            mutants: self.mutants,
        };
        for packet in waiting.into_iter().flat_map(|waiting| waiting.frames) {
            let frame = VoiceFrame::parse(packet.message()).expect("framed from a frame");
            self.outputs.extend(heard.take(&frame, self.framing, packet.arrived()));
        }
        self.heard.insert((node, burst), heard);
    }

    /// Frames of the burst are dropped from now on.
    pub fn unhear(&mut self, node: NodeId, burst: BurstNo, now: Time) {
        if let Some(heard) = self.heard.remove(&(node, burst)) {
            self.past.insert((node, burst), (heard.next, now));
        }
        self.waiting.remove(&(node, burst));
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<IntakeOutput> {
        self.outputs.pop_front()
    }

    /// When [`Intake::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let waiting = self.waiting.values().map(|waiting| waiting.since + WAIT_TIME);
        waiting.chain(self.past.values().map(|(_, since)| *since + PAST_TIME)).min()
    }

    /// Wipes frames that have waited too long.
    pub fn handle_timeout(&mut self, now: Time) {
        self.waiting.retain(|_, waiting| waiting.since + WAIT_TIME > now);
        self.past.retain(|_, (_, since)| *since + PAST_TIME > now);
    }

    /// Bursts that are heard, and frames that wait.
    pub fn figures(&self) -> (usize, usize) {
        (self.heard.len(), self.waiting.values().map(|waiting| waiting.frames.len()).sum())
    }

    fn wait(&mut self, node: NodeId, frame: &VoiceFrame<'_>, now: Time) {
        let key = (node, frame.burst);
        if !self.waiting.contains_key(&key) {
            if self.waiting.len() >= MAX_UNANNOUNCED {
                return;
            }
            self.waiting.insert(key, Waiting { since: now, frames: Vec::new() });
            self.outputs.push_back(IntakeOutput::Unannounced { node, burst: frame.burst });
        }
        if let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.frames.len() < MAX_WAITING)
        {
            waiting.frames.push(Packet::new(super::unframed, frame, now));
        }
    }
}

impl Heard {
    /// Drops a frame that comes late, twice or too far ahead of its time, or that is no Opus packet.
    fn take(&mut self, frame: &VoiceFrame<'_>, framing: Framing, now: Time) -> Option<IntakeOutput> {
        let sound = opus::check(frame.payload).ok().filter(|_| frame.seq >= self.next)?;
        let samples = u32::try_from(sound.as_micros() * u128::from(SAMPLE_RATE) / 1_000_000).ok()?;
        let room = self.room(now);
        let placed = self.timeline.fit(frame.media_time, samples, room)?;
        self.ahead.spend(placed.length);
        self.next = frame.seq.saturating_add(1);
        let burst = self.local;
        let packet =
            Packet::new(framing, &VoiceFrame { burst, media_time: placed.media_time, ..*frame }, now);
        Some(IntakeOutput::Frame { burst, packet })
    }

    fn room(&mut self, now: Time) -> u32 {
        mutant!(self.mutants, BelieveClock => return u32::MAX);
        self.ahead.level(now)
    }
}
