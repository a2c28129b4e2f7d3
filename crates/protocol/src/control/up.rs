//! What clients send.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Codec, FrameTime, Resume};
use crate::device::Device;
use crate::id::{BurstNo, ChannelId, ParticipantNo};
use crate::place::{GeoCell, Place, Range, Ranges};

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
        /// Hears what other sockets of the same user say.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        hear_self: bool,
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
        /// The stamp of the last `located`, where nobody remembers the cell it was for: a page that
        /// was loaded again. Looked at with the first cell of a connection only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        stamp: Option<String>,
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

impl ClientMessage {
    /// A `locate` that shows no stamp.
    pub fn locate(cell: Option<GeoCell>) -> Self {
        Self::Locate { cell, stamp: None }
    }

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
