//! Control messages: one JSON object in a text frame, tagged by `type`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::device::Device;
use crate::error::Refusal;
use crate::id::{BurstNo, ChannelId, ParticipantNo};
use crate::person::{Country, Participant};
use crate::place::{GeoCell, Place, Range, Ranges, SignalGrade};

/// What a client sends. Unknown types and unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", deny_unknown_fields)]
#[ts(export)]
pub enum ClientMessage {
    /// The first message on every connection.
    #[serde(rename = "hello")]
    Hello {
        /// The client's program and version, e.g. `tenfour-web 0.1.0`: 1 to 64 bytes.
        client: String,
        /// Goes on where an earlier connection ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        resume: Option<Resume>,
        /// Wishes fewer, larger packets: up to 3 frames at a time.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        economy: bool,
        /// Where one is, as coarse as a cell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        place: Option<Place>,
        /// How far one reaches and hears; unlimited when it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        range: Option<Ranges>,
        /// What one runs on: for the connection log, nobody else is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        device: Option<Box<Device>>,
    },
    /// Says the cell one is in, or takes it back.
    #[serde(rename = "locate")]
    Locate {
        /// The cell; null shares it no longer, and with it go limited ranges.
        #[serde(deserialize_with = "Option::deserialize")]
        cell: Option<GeoCell>,
    },
    /// Sets how far one reaches and hears. Limited ranges need a cell.
    #[serde(rename = "range")]
    Range {
        /// Transmit range, from the next burst on.
        tx: Range,
        /// Receive range, at once.
        rx: Range,
    },
    /// Affiliates with a channel; a named one is made by its first visitor.
    #[serde(rename = "tune")]
    Tune {
        /// Which channel.
        channel: ChannelId,
        /// Bursts on the air begin at the oldest held frame instead of the live edge.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        catch_up: bool,
    },
    /// Ends an affiliation.
    #[serde(rename = "untune")]
    Untune {
        /// Which channel.
        channel: ChannelId,
    },
    /// Asks for one page of the participants of a channel one is tuned to.
    #[serde(rename = "participants")]
    Participants {
        /// Which channel.
        channel: ChannelId,
        /// Page, from 0.
        page: u32,
    },
    /// The press: opens a burst. Voice frames may follow at once.
    #[serde(rename = "burst.start")]
    BurstStart {
        /// Where to talk; the talker is tuned to it.
        channel: ChannelId,
        /// The talker's own number, larger than any used before on this connection.
        burst: BurstNo,
        /// How the payload is coded.
        codec: Codec,
        /// Sound in one frame, in milliseconds: 20, 40 or 60.
        frame_ms: FrameTime,
    },
    /// The release: no more frames come.
    #[serde(rename = "burst.end")]
    BurstEnd {
        /// The talker's own number.
        burst: BurstNo,
        /// Frames that were sent.
        frames: u32,
    },
    /// Stops or starts hearing a participant.
    #[serde(rename = "mute")]
    Mute {
        /// Whom.
        participant: ParticipantNo,
        /// True to hear no more of them.
        muted: bool,
    },
    /// Asks for a `pong`: a browser cannot see the pings of the socket itself.
    #[serde(rename = "ping")]
    Ping {
        /// Comes back in the answer.
        n: u32,
    },
}

/// Where an earlier connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Resume {
    /// The token of the last `welcome`.
    pub token: String,
    /// The largest burst number that was announced; bursts above it are new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub newest: Option<BurstNo>,
    /// Bursts that were begun and not finished. Others up to `newest` are complete.
    #[serde(default)]
    pub have: Vec<Heard>,
}

/// How much of a burst a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Heard {
    /// Which burst.
    pub burst: BurstNo,
    /// The sequence number it waits for.
    pub next: u16,
}

/// How voice is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Codec {
    /// Opus, mono, 48 kHz.
    Opus,
}

/// Sound in one voice frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(try_from = "u8", into = "u8")]
#[ts(type = "20 | 40 | 60", export)]
pub enum FrameTime {
    /// 20 ms: the default.
    Ms20,
    /// 40 ms.
    Ms40,
    /// 60 ms: low data.
    Ms60,
}

impl ClientMessage {
    /// The channel it is about, if it names one.
    pub fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Tune { channel, .. }
            | Self::Untune { channel }
            | Self::Participants { channel, .. }
            | Self::BurstStart { channel, .. } => Some(channel),
            Self::Hello { .. }
            | Self::Locate { .. }
            | Self::Range { .. }
            | Self::BurstEnd { .. }
            | Self::Mute { .. }
            | Self::Ping { .. } => None,
        }
    }
}

impl FrameTime {
    /// In milliseconds.
    pub fn millis(self) -> u8 {
        match self {
            Self::Ms20 => 20,
            Self::Ms40 => 40,
            Self::Ms60 => 60,
        }
    }

    /// In samples at 48 kHz.
    pub fn samples(self) -> u32 {
        u32::from(self.millis()) * (crate::limits::SAMPLE_RATE / 1000)
    }
}

/// A frame time that is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame holds 20, 40 or 60 ms")]
pub struct FrameTimeError;

impl TryFrom<u8> for FrameTime {
    type Error = FrameTimeError;
    fn try_from(millis: u8) -> Result<Self, Self::Error> {
        [Self::Ms20, Self::Ms40, Self::Ms60].into_iter().find(|t| t.millis() == millis).ok_or(FrameTimeError)
    }
}

impl From<FrameTime> for u8 {
    fn from(time: FrameTime) -> Self {
        time.millis()
    }
}

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
    /// The server stops; the connection is closed next.
    #[serde(rename = "going_away")]
    GoingAway {
        /// When to come back, in milliseconds from now.
        back_in_ms: u32,
    },
}

/// A channel in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[ts(export)]
pub struct ChannelInfo {
    /// The channel.
    pub channel: ChannelId,
    /// What it is for, e.g. `Calling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub label: Option<String>,
    /// Participants now.
    pub count: u32,
}

/// Why a burst ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EndReason {
    /// The talker released the button.
    Released,
    /// No frame came for a second.
    Silent,
    /// The talk limit was reached.
    TalkLimit,
    /// The talker's connection ended.
    TalkerLost,
    /// The talker left the channel.
    Untuned,
    /// This listener hears no more of it; it may go on. `frames` is 0 and means nothing.
    OutOfRange,
    /// The server stops.
    GoingAway,
}

/// What became of a press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    /// It was relayed. How many heard it is nobody's business.
    Aired {
        /// Frames that were relayed.
        frames: u32,
        /// Why it ended.
        ended: EndReason,
    },
    /// It was not relayed.
    Refused {
        /// Why, and what to do.
        refusal: Refusal,
    },
}
