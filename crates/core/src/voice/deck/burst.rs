//! A burst, as a deck has it.

use std::time::Duration;

use tenfour_protocol::limits::{BUNDLE_FRAMES, BUNDLE_TIME, TURNS};
use tenfour_protocol::{BurstNo, opus};

use super::ByGrade;
use crate::chance::Chance;
use crate::voice::{BurstLog, Packet};
use crate::{ConnId, Time};

/// Its log, and who is sent it.
#[derive(Debug)]
pub(super) struct Burst<A> {
    pub(super) number: BurstNo,
    pub(super) started: ByGrade<A>,
    pub(super) ended: Option<A>,
    pub(super) log: BurstLog,
    /// Indexes of those who hear it, and in a small channel of everybody else who is tuned.
    pub(super) members: Vec<usize>,
    /// Whether everybody who is tuned has a turn.
    pub(super) small: bool,
    /// Turns that were given so far, in a small channel.
    turns: u8,
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
    pub(super) fn new(number: BurstNo, started: ByGrade<A>, crowd: u8, small: bool, log: BurstLog) -> Self {
        Self {
            number,
            started,
            ended: None,
            log,
            members: Vec::new(),
            small,
            turns: 0,
            crowd,
            bundle: 1,
            flush: None,
            forget: None,
            deadline: None,
        }
    }
}

impl<A> Burst<A> {
    /// The turn of a new member. In a small channel it is the next one. In a large channel it follows from the
    /// numbers of burst and connection, so that it does not depend on anybody else.
    pub(super) fn turn_of(&mut self, conn: ConnId) -> u8 {
        if !self.small {
            return Chance::new(conn.0 ^ u64::from(self.number.0) << 32).below(TURNS.into()) as u8;
        }
        let turn = self.turns % TURNS;
        self.turns = turn + 1;
        turn
    }
}

/// Most frames that are sent at once, if they are as long as this one.
pub(super) fn largest_bundle(packet: &Packet) -> u8 {
    let header = tenfour_protocol::limits::VOICE_HEADER_BYTES;
    let frame = opus::check(&packet.message()[header..]).unwrap_or(BUNDLE_TIME).max(Duration::from_millis(1));
    let frames = BUNDLE_TIME.as_millis() / frame.as_millis();
    u8::try_from(frames).unwrap_or(BUNDLE_FRAMES).clamp(1, BUNDLE_FRAMES)
}
