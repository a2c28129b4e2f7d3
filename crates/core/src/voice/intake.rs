//! Frames of other nodes, on their way from the bus to the decks.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::node::{Frames, FramesError, NodeId};
use tenfour_protocol::{BurstNo, VoiceFrame};

use super::{Framing, Packet};
use crate::Time;

/// Frames of a burst that wait for the hub to say what they are.
const WAITING: usize = 64;
/// How long they wait. The hub answers in less than a millisecond, and a start that was lost comes
/// again within a second; by then they are no news.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it is remembered how far a burst was heard that is heard no more: longer than any burst.
const PAST: Duration = Duration::from_secs(700);
/// Bursts of which frames may wait.
const UNANNOUNCED: usize = 1024;

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

/// Takes frames from the bus, gives them this node's number of the burst, and drops what nobody asked
/// for. There is one for a node: it sits where frames come from the bus.
#[derive(Debug)]
pub struct Intake {
    node: NodeId,
    framing: Framing,
    heard: BTreeMap<(NodeId, BurstNo), Heard>,
    waiting: BTreeMap<(NodeId, BurstNo), Waiting>,
    /// How far others were heard, and when that ended. One that comes again goes on from there.
    past: BTreeMap<(NodeId, BurstNo), (u16, Time)>,
    outputs: VecDeque<IntakeOutput>,
}

#[derive(Debug)]
struct Heard {
    local: BurstNo,
    /// The sequence number that comes next: what is below came late, or twice.
    next: u16,
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
        Self { node, framing, heard, waiting, past, outputs: VecDeque::new() }
    }

    /// A message with frames came.
    ///
    /// # Errors
    /// When it is none; nothing of it is taken.
    pub fn message(&mut self, bytes: &[u8], now: Time) -> Result<(), FramesError> {
        let frames = Frames::parse(bytes)?;
        if frames.from == self.node {
            return Ok(());
        }
        for frame in frames.iter() {
            match self.heard.get_mut(&(frames.from, frame.burst)) {
                Some(heard) if frame.seq < heard.next => {}
                Some(heard) => {
                    heard.next = frame.seq.saturating_add(1);
                    let burst = heard.local;
                    let packet = Packet::new(self.framing, &VoiceFrame { burst, ..*frame }, now);
                    self.outputs.push_back(IntakeOutput::Frame { burst, packet });
                }
                None => self.wait(frames.from, frame, now),
            }
        }
        Ok(())
    }

    /// The hub knows the burst as `local`: what waits goes on.
    pub fn hear(&mut self, node: NodeId, burst: BurstNo, local: BurstNo) {
        let next = self.past.remove(&(node, burst)).map_or(0, |(next, _)| next);
        let mut heard = Heard { local, next };
        for packet in self.waiting.remove(&(node, burst)).into_iter().flat_map(|waiting| waiting.frames) {
            let frame = VoiceFrame::parse(packet.message()).expect("framed from a frame");
            if frame.seq >= heard.next {
                heard.next = frame.seq.saturating_add(1);
                let frame = VoiceFrame { burst: local, ..frame };
                let packet = Packet::new(self.framing, &frame, packet.arrived());
                self.outputs.push_back(IntakeOutput::Frame { burst: local, packet });
            }
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
        let waiting = self.waiting.values().map(|waiting| waiting.since + PATIENCE);
        waiting.chain(self.past.values().map(|(_, since)| *since + PAST)).min()
    }

    /// Wipes what has waited in vain.
    pub fn handle_timeout(&mut self, now: Time) {
        self.waiting.retain(|_, waiting| waiting.since + PATIENCE > now);
        self.past.retain(|_, (_, since)| *since + PAST > now);
    }

    /// Bursts that are heard, and frames that wait.
    pub fn figures(&self) -> (usize, usize) {
        (self.heard.len(), self.waiting.values().map(|waiting| waiting.frames.len()).sum())
    }

    fn wait(&mut self, node: NodeId, frame: &VoiceFrame<'_>, now: Time) {
        let key = (node, frame.burst);
        if !self.waiting.contains_key(&key) {
            if self.waiting.len() >= UNANNOUNCED {
                return;
            }
            self.waiting.insert(key, Waiting { since: now, frames: Vec::new() });
            self.outputs.push_back(IntakeOutput::Unannounced { node, burst: frame.burst });
        }
        if let Some(waiting) = self.waiting.get_mut(&key).filter(|waiting| waiting.frames.len() < WAITING) {
            waiting.frames.push(Packet::new(super::unframed, frame, now));
        }
    }
}
