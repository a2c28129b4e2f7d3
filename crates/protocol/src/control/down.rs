//! What the server sends.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AirLimits, ChannelInfo, Codec, EndReason, FrameTime, Outcome};
use crate::id::{BurstNo, ChannelId, ParticipantNo};
use crate::person::{Country, Participant};
use crate::place::{Range, SignalGrade};
use crate::refusal::Refusal;

/// What the server sends. Clients ignore fields and types they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type")]
#[ts(export)]
pub enum ServerMessage {
    /// Answers `hello`.
    #[serde(rename = "welcome")]
    Welcome {
        /// Oneself, as others see it.
        you: Participant,
        /// Token to resume with after a drop, good for `hold_ms`.
        resume: String,
        /// True when the earlier session goes on: its channels are still tuned.
        resumed: bool,
        /// Channels that are tuned now.
        tuned: Vec<ChannelId>,
        /// How long the server keeps a frame, in milliseconds.
        hold_ms: u32,
        /// Longest burst, in milliseconds.
        talk_limit_ms: u32,
        /// What holds for everybody who talks.
        #[serde(default)]
        limits: AirLimits,
        /// Time to the next moment at which places change, in milliseconds.
        epoch_in_ms: u32,
        /// Name of the host, for people.
        host: String,
        /// Program and version of the server.
        server: String,
    },
    /// Answers `locate` and a `place` in `hello`, and tells that a new cell took effect. Never
    /// carries a cell.
    #[serde(rename = "located")]
    Located {
        /// Whether the server knows a cell of this connection.
        shared: bool,
        /// Country of the cell's centre, which others see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        country: Option<Country>,
        /// Shows with the next `hello` that the same cell is no move.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        stamp: Option<String>,
        /// When the cell that was sent takes effect, in milliseconds, unless it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        effective_in_ms: Option<u32>,
    },
    /// Answers `range` and a `range` in `hello`, and tells that ranges went with the cell.
    #[serde(rename = "ranged")]
    Ranged {
        /// Transmit range.
        tx: Range,
        /// Receive range.
        rx: Range,
    },
    /// Answers `tune`, with the channel as it is.
    #[serde(rename = "tuned")]
    Tuned {
        /// The channel.
        #[serde(flatten)]
        info: ChannelInfo,
        /// All participants, or the first page when `pages` is above 1.
        participants: Vec<Participant>,
        /// Pages there are.
        pages: u32,
    },
    /// Answers `untune`, or tells that the affiliation ended.
    #[serde(rename = "untuned")]
    Untuned {
        /// The channel.
        channel: ChannelId,
    },
    /// Who came and who left since the last word. In a large channel the lists are
    /// empty and only the count is told.
    #[serde(rename = "presence")]
    Presence {
        /// The channel.
        channel: ChannelId,
        /// Participants now.
        count: u32,
        /// Who came.
        joined: Vec<Participant>,
        /// Who left.
        left: Vec<ParticipantNo>,
        /// Whose country, handle or description changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<Vec<Participant>>")]
        changed: Vec<Participant>,
    },
    /// One page of participants, by handle.
    #[serde(rename = "participants")]
    Participants {
        /// The channel.
        channel: ChannelId,
        /// Page, from 0.
        page: u32,
        /// Pages there are.
        pages: u32,
        /// Participants of the channel.
        count: u32,
        /// Those of this page.
        participants: Vec<Participant>,
    },
    /// The talker's burst was admitted.
    #[serde(rename = "burst.granted")]
    BurstGranted {
        /// The talker's own number.
        burst: BurstNo,
        /// How long it may last, in milliseconds.
        talk_limit_ms: u32,
    },
    /// Somebody began to talk whom the talker would hear: the burst may not last as long as it could.
    #[serde(rename = "burst.others_wait")]
    OthersWait {
        /// The talker's own number.
        burst: BurstNo,
        /// How many began since the burst did.
        others: u32,
        /// How long it may still last, in milliseconds.
        limit_in_ms: u32,
    },
    /// A burst begins, or is entered late.
    #[serde(rename = "burst.started")]
    BurstStarted {
        /// The server's number.
        burst: BurstNo,
        /// Where.
        channel: ChannelId,
        /// Who talks.
        talker: Participant,
        /// How the payload is coded.
        codec: Codec,
        /// Sound in one frame, in milliseconds.
        frame_ms: FrameTime,
        /// How near the talker is, when both share a cell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        grade: Option<SignalGrade>,
        /// Frames that come together, where that is more than one: the channel is large.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        bundle: Option<u8>,
    },
    /// Frames that the listener will not get: they were past their hold.
    #[serde(rename = "burst.gap")]
    BurstGap {
        /// The server's number.
        burst: BurstNo,
        /// First sequence number lost.
        from: u16,
        /// The one after the last lost.
        to: u16,
    },
    /// A burst is over.
    #[serde(rename = "burst.ended")]
    BurstEnded {
        /// The server's number.
        burst: BurstNo,
        /// Frames it had.
        frames: u32,
        /// Why it ended.
        reason: EndReason,
    },
    /// What became of the talker's own burst. Every press gets exactly one.
    #[serde(rename = "receipt")]
    Receipt {
        /// The talker's own number.
        burst: BurstNo,
        /// True after a resume, of a burst that was cut with the connection before: its number is that
        /// connection's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[ts(optional, as = "Option<bool>")]
        late: bool,
        /// Aired or refused.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// A message was refused; the connection goes on.
    #[serde(rename = "error")]
    Error {
        /// What was refused, and what to do.
        #[serde(flatten)]
        refusal: Refusal,
    },
    /// Answers `ping`.
    #[serde(rename = "pong")]
    Pong {
        /// From the `ping`.
        n: u32,
    },
    /// The server is one of several and has lost the others, or has found them again. Until then its
    /// own people are all there are.
    #[serde(rename = "island")]
    Island {
        /// Whether it is alone.
        alone: bool,
    },
    /// The server stops; the connection is closed next.
    #[serde(rename = "going_away")]
    GoingAway {
        /// When to come back, in milliseconds from now.
        back_in_ms: u32,
    },
}
