//! What the floor keeps of a press, of a talk and of a burst.

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
    /// How long it waits for an earlier burst of the same talker to be over.
    pub(super) until: Time,
}

/// What a connection has on the air.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    pub(super) local: BurstNo,
    pub(super) burst: BurstNo,
    pub(super) since: Time,
    /// When it is ended, and which limit that is.
    pub(super) limit: Time,
    pub(super) ends: EndReason,
    /// How many began since whom its talker would hear.
    pub(super) others: u32,
}

/// A burst on the air, or one that is over and held.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) talker: ParticipantNo,
    /// Who that is, and from where; none on another node.
    pub(super) user: Option<UserId>,
    pub(super) address: Option<AddressNo>,
    /// As it was at the start.
    pub(super) tx: Range,
    /// The input that ended it.
    pub(super) over: Option<u64>,
    /// Who had the talker muted when its session ended: a mute outlives it as long as its voice.
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

/// Frames that are sent at once in a channel of so many. All of them count, not those in range,
/// whom nobody may count: how a burst is sent must not tell who is near.
pub(super) fn bundle(participants: usize) -> u8 {
    let reached = BUNDLES.iter().rev().find(|(least, _)| participants >= *least);
    reached.map_or(1, |(_, frames)| *frames)
}
