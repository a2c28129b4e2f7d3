//! Control messages between nodes.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{NodeId, NodeName};
use crate::control::{Codec, EndReason, FrameTime};
use crate::id::{BurstNo, ChannelId, ParticipantNo, UserId};
use crate::limits::{MUTES_PER_SESSION, NODE_CHANNELS, NODE_MESSAGE_BYTES, PAGE_PARTICIPANTS};
use crate::person::Participant;
use crate::place::{GeoCell, Range};

/// A message, and its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The node that says it.
    pub from: NodeId,
    /// What it says.
    pub message: NodeMessage,
}

/// What a node tells others, with its own numbers of bursts and participants. Messages may be lost, come twice or
/// come late; each has what is needed to notice that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum NodeMessage {
    /// Sent on a voice subject before the first frame, each second after that, and when the talker has moved; also to
    /// a node that asked. Only this message carries a cell.
    #[serde(rename = "burst.start")]
    BurstStart {
        /// Which burst.
        burst: BurstNo,
        /// Numbers the announcements of this burst: the larger number is newer.
        word: u32,
        /// Where.
        channel: ChannelId,
        /// Who talks.
        talker: Participant,
        /// How far.
        tx: Range,
        /// From where, unless no place is shared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell: Option<GeoCell>,
        /// How the payload is coded.
        codec: Codec,
        /// Sound in one frame.
        frame_ms: FrameTime,
    },
    /// Sent on the same subject, after the last frame.
    #[serde(rename = "burst.end")]
    BurstEnd {
        /// Which burst.
        burst: BurstNo,
        /// Frames it had.
        frames: u32,
        /// Why it ended.
        reason: EndReason,
    },
    /// To one node: frames of this burst came, but its start did not.
    #[serde(rename = "burst.ask")]
    BurstAsk {
        /// Which burst.
        burst: BurstNo,
    },
    /// To all, each second: the node is alive.
    #[serde(rename = "beat")]
    Beat {
        /// What its operator calls it.
        name: NodeName,
        /// The number of its newest counts.
        counts: u64,
    },
    /// To all: what has changed. To one node that asked: everything.
    #[serde(rename = "counts")]
    Counts {
        /// Numbers the counts. Changes are relative to the number before.
        number: u64,
        /// Whether these are all channels that have somebody, or only those that changed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
        /// Participants of the node on a channel; 0 when the last one left.
        counts: Vec<(ChannelId, u32)>,
    },
    /// To one node: tell all counts.
    #[serde(rename = "counts.ask")]
    CountsAsk,
    /// To one node: asks for a page of its participants of a channel.
    #[serde(rename = "page.ask")]
    PageAsk {
        /// A number that the answer repeats.
        ask: u32,
        /// Which channel.
        channel: ChannelId,
        /// Page of this node's participants, from 0.
        page: u32,
    },
    /// The answer to that.
    #[serde(rename = "page")]
    Page {
        /// From the question.
        ask: u32,
        /// Those of the page.
        participants: Vec<Participant>,
    },
    /// To all: the node that has the session of this token must end it, and hand over its mutes.
    #[serde(rename = "session.claim")]
    SessionClaim {
        /// As in `hello`.
        token: String,
        /// The user to whom it must belong.
        user: UserId,
    },
    /// The answer, to one node.
    #[serde(rename = "session.handed")]
    SessionHanded {
        /// From the claim.
        token: String,
        /// Whom the session had muted: by node and that node's number.
        muted: Vec<(NodeId, ParticipantNo)>,
    },
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NodeMessageError {
    /// Over the limit.
    #[error("the message is over {NODE_MESSAGE_BYTES} bytes")]
    Long,
    /// Not JSON, an unknown type, an unknown or missing field, a value out of bounds.
    #[error("the message is malformed")]
    Malformed,
    /// A list is longer than any can be.
    #[error("the message has a list over its limit")]
    List,
}

impl Envelope {
    /// Reads a message. The error repeats nothing of it, since it may be a place.
    pub fn parse(bytes: &[u8]) -> Result<Self, NodeMessageError> {
        if bytes.len() > NODE_MESSAGE_BYTES {
            return Err(NodeMessageError::Long);
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(|_| NodeMessageError::Malformed)?;
        let (listed, most) = match &envelope.message {
            NodeMessage::Counts { counts, .. } => (counts.len(), NODE_CHANNELS),
            NodeMessage::Page { participants, .. } => (participants.len(), PAGE_PARTICIPANTS),
            NodeMessage::SessionHanded { muted, .. } => (muted.len(), MUTES_PER_SESSION),
            NodeMessage::BurstStart { .. }
            | NodeMessage::BurstEnd { .. }
            | NodeMessage::BurstAsk { .. }
            | NodeMessage::Beat { .. }
            | NodeMessage::CountsAsk
            | NodeMessage::PageAsk { .. }
            | NodeMessage::SessionClaim { .. } => (0, 0),
        };
        if listed > most { Err(NodeMessageError::List) } else { Ok(envelope) }
    }

    /// The message as bytes, which are wiped on drop since they may have a cell.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Large enough for a start, since a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
        serde_json::to_writer(&mut *bytes, self).expect("messages are JSON");
        bytes
    }
}
