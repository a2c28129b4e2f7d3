//! Control messages: one JSON object in a text frame, tagged by `type`. What they are made of is
//! here.

mod down;
mod up;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{BurstNo, ChannelId};
use crate::refusal::Refusal;

pub use down::ServerMessage;
pub use up::ClientMessage;

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

/// What holds for everybody who talks: an answer to `hello`, and to `GET /api/v1/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS, utoipa::ToSchema)]
#[ts(export)]
pub struct AirLimits {
    /// Longest burst, in milliseconds.
    pub talk_ms: u32,
    /// How long a talker goes on when somebody begins whom they would hear, in milliseconds.
    pub courtesy_ms: u32,
    /// Rest on a channel after a burst that a limit ended, in milliseconds.
    pub rest_ms: u32,
    /// Speech in `speech_window_ms` while others wait, in milliseconds.
    pub speech_ms: u32,
    /// The time in which speech is counted, in milliseconds.
    pub speech_window_ms: u32,
    /// Bursts of others that make a channel busy for who would hear them.
    pub busy: u32,
    /// Bursts of one user at once, each in another channel.
    pub bursts: u32,
    /// Connections of one user.
    pub connections: u32,
    /// Channels of one session.
    pub channels: u32,
    /// Channels of one user in all.
    pub channels_in_all: u32,
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
    /// Others waited, and the talker had been told. Only the talker's receipt says so: listeners, who
    /// may not hear the others, are told `released`.
    Courtesy,
    /// The talker's connection ended.
    TalkerLost,
    /// The talker left the channel.
    Untuned,
    /// This listener hears no more of it; it may go on. `frames` is 0 and means nothing.
    OutOfRange,
    /// The server stops.
    GoingAway,
}

/// Frames of a press that were not relayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Dropped {
    /// How many.
    pub frames: u32,
    /// Why the first of them was not.
    pub refusal: Refusal,
}

/// What became of a press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    /// It was relayed. How many heard it is nobody's business.
    Aired {
        /// Frames that were relayed, at least one.
        frames: u32,
        /// Why it ended.
        ended: EndReason,
        /// Frames that were not, when there were some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        dropped: Option<Box<Dropped>>,
    },
    /// Nothing of it was relayed.
    Refused {
        /// Why, and what to do.
        refusal: Refusal,
    },
}
