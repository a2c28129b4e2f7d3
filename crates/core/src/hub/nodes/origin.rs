//! Where a burst comes from.

use tenfour_protocol::BurstNo;
use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::node::{NodeId, Subject};

use crate::reach::Slot;
use crate::{ConnId, Time};

/// Where a burst comes from.
#[derive(Debug)]
pub(in super::super) enum Origin {
    /// From a connection of this node, and what others are told of it.
    Here { conn: ConnId, announced: Option<Announcement> },
    /// From another node.
    Elsewhere(Elsewhere),
}

/// What other nodes are told of a burst.
#[derive(Debug)]
pub(in super::super) struct Announcement {
    pub(super) codec: Codec,
    pub(super) frame_ms: FrameTime,
    pub(super) subject: Subject,
    /// How many times they were told.
    pub(super) times: u32,
}

/// A burst of another node.
#[derive(Debug)]
pub(in super::super) struct Elsewhere {
    pub(in super::super) node: NodeId,
    pub(super) number: BurstNo,
    /// The newest announcement's number, and when it came.
    pub(super) word: u32,
    pub(super) seen: Time,
    /// Where its talker is; wiped when the burst is over.
    pub(in super::super) slot: Option<Slot>,
    /// Frames and reason, when it is over.
    pub(in super::super) ended: Option<(u32, EndReason)>,
}
