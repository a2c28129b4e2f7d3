//! A press, a talk and a burst, as the floor keeps them.

use std::collections::BTreeSet;

use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::limits::{BUNDLES, PRESS_PATIENCE};
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, Range, UserId};

use super::AddressNo;
use super::nodes::Origin;
use crate::{ConnId, Time};

/// Somebody wants to talk.
#[derive(Debug)]
pub(super) struct Press {
    pub(super) local: BurstNo,
    pub(super) channel: ChannelId,
    pub(super) codec: Codec,
    pub(super) frame_ms: FrameTime,
    /// Until when it waits for an earlier burst of the same talker to end.
    pub(super) until: Time,
}

/// What a connection has on the air.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    pub(super) local: BurstNo,
    pub(super) burst: BurstNo,
    pub(super) since: Time,
    /// When it is ended, and by which limit.
    pub(super) limit: Time,
    pub(super) ends: EndReason,
    /// How many people in its talker's hearing began to talk since.
    pub(super) others: u32,
}

/// A burst on the air, or one that ended and is held.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) talker: ParticipantNo,
    /// The talker's user and address; none if the talker is on another node.
    pub(super) user: Option<UserId>,
    pub(super) address: Option<AddressNo>,
    /// As it was at the start.
    pub(super) tx: Range,
    /// The number of the input that ended it.
    pub(super) over: Option<u64>,
    /// Who had muted the talker when the talker's session ended: the mute lasts as long as the voice is held.
    pub(super) unwanted_by: BTreeSet<ParticipantNo>,
    pub(super) channel: ChannelId,
    /// Whether everybody who is tuned has a turn, as it was at the start.
    pub(super) small: bool,
    pub(super) origin: Origin,
}

impl Press {
    pub(super) fn new(
        local: BurstNo,
        channel: ChannelId,
        codec: Codec,
        frame_ms: FrameTime,
        now: Time,
    ) -> Self {
        Self { local, channel, codec, frame_ms, until: now + PRESS_PATIENCE }
    }
}

impl Burst {
    pub(super) fn is_on_air(&self) -> bool {
        self.over.is_none()
    }

    /// Whether it is on the air on another node.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_on_air() && matches!(self.origin, Origin::Elsewhere(_))
    }

    /// The talker's connection, unless that is on another node.
    pub(super) fn conn(&self) -> Option<ConnId> {
        match self.origin {
            Origin::Here { conn, .. } => Some(conn),
            Origin::Elsewhere(_) => None,
        }
    }
}

/// How many frames are sent together in a channel of so many people. Everybody counts, not only those in range: how a
/// burst is sent must not tell how many are near.
pub(super) fn bundle(participants: usize) -> u8 {
    let reached = BUNDLES.iter().rev().find(|(least, _)| participants >= *least);
    reached.map_or(1, |(_, frames)| *frames)
}
