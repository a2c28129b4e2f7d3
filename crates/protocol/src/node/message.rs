//! What nodes say.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{NodeId, NodeName};
use crate::control::{Codec, EndReason, FrameTime};
use crate::id::{BurstNo, ChannelId, ParticipantNo, UserId};
use crate::limits::{MUTES_PER_SESSION, NODE_CHANNELS, NODE_MESSAGE_BYTES, PAGE_PARTICIPANTS};
use crate::person::Participant;
use crate::place::{GeoCell, Range};

/// A message, and who says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The node that says it.
    pub from: NodeId,
    /// What it says.
    pub message: NodeMessage,
}

/// What a node says to others. Numbers of bursts and participants are its own. Everything may be
/// lost, come twice, or come late; each message says what is needed to notice it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum NodeMessage {
    /// On a subject of voice, before the first frame, each second after that, and when the talker is
    /// in another cell; to one node that asked. The only message that carries a cell.
    #[serde(rename = "burst.start")]
    BurstStart {
        /// Which burst.
        burst: BurstNo,
        /// Counts the words on this burst: the larger one is the newer.
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
    /// On the same subject, after the last frame.
    #[serde(rename = "burst.end")]
    BurstEnd {
        /// Which burst.
        burst: BurstNo,
        /// Frames it had.
        frames: u32,
        /// Why it ended.
        reason: EndReason,
    },
    /// To one node: frames of this burst come, and its start did not.
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
        /// Numbers them; changes make up one from the number before.
        number: u64,
        /// All channels that have somebody, not what has changed.
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
        /// Comes back in the answer.
        ask: u32,
        /// Which channel.
        channel: ChannelId,
        /// Page of this node's participants, from 0.
        page: u32,
    },
    /// The answer.
    #[serde(rename = "page")]
    Page {
        /// From the question.
        ask: u32,
        /// Those of the page.
        participants: Vec<Participant>,
    },
    /// To all: whoever has the session of this token forgets it, and hands over what is worth keeping.
    #[serde(rename = "session.claim")]
    SessionClaim {
        /// As in `hello`.
        token: String,
        /// Whose it has to be.
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
    /// Reads a message. What is wrong with it is not repeated: it may be a place.
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

    /// The message as it travels. Wiped on drop: it may carry a cell.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Sized before: a buffer that grows leaves copies behind. A start has less than this.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2048));
        serde_json::to_writer(&mut *bytes, self).expect("messages are JSON");
        bytes
    }
}
