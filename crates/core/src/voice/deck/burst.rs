//! A burst, as a deck has it.

use std::time::Duration;

use tenfour_protocol::limits::{BUNDLE_FRAMES, BUNDLE_TIME};
use tenfour_protocol::{BurstNo, opus};

use super::ByGrade;
use crate::Time;
use crate::voice::{BurstLog, Packet};

/// Its log, and who hears it.
#[derive(Debug)]
pub(super) struct Burst<A> {
    pub(super) number: BurstNo,
    pub(super) started: ByGrade<A>,
    pub(super) ended: Option<A>,
    pub(super) log: BurstLog,
    /// Places of the listeners.
    pub(super) members: Vec<usize>,
    /// Frames that its listeners are sent at once, or more if they wish so.
    pub(super) crowd: u8,
    /// The largest bundle, from the length of a frame.
    pub(super) bundle: u8,
    /// When waiting frames are sent though their bundle is not full.
    pub(super) flush: Option<Time>,
    /// When it is forgotten, unless a listener has not taken all.
    pub(super) forget: Option<Time>,
    pub(super) deadline: Option<Time>,
}

impl<A> Burst<A> {
    pub(super) fn new(number: BurstNo, started: ByGrade<A>, crowd: u8, log: BurstLog) -> Self {
        Self {
            number,
            started,
            ended: None,
            log,
            members: Vec::new(),
            crowd,
            bundle: 1,
            flush: None,
            forget: None,
            deadline: None,
        }
    }
}

/// Frames that are sent at once at most, for frames like this one.
pub(super) fn largest_bundle(packet: &Packet) -> u8 {
    let header = tenfour_protocol::limits::VOICE_HEADER_BYTES;
    let frame = opus::check(&packet.message()[header..]).unwrap_or(BUNDLE_TIME).max(Duration::from_millis(1));
    let frames = BUNDLE_TIME.as_millis() / frame.as_millis();
    u8::try_from(frames).unwrap_or(BUNDLE_FRAMES).clamp(1, BUNDLE_FRAMES)
}
