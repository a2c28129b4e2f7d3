//! Why a talker's frame is not relayed, in words for the author of the client.

use std::time::Duration;

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::opus::OpusError;
use tenfour_protocol::voice::VoiceFrameError;
use tenfour_protocol::{Code, Refusal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Header or size.
    Unreadable(VoiceFrameError),
    /// After the last number that can be counted.
    Uncountable,
    /// Not above the number of the frame before.
    Number,
    /// Not after the media time of the frame before.
    MediaTime,
    /// No Opus packet.
    NoOpus(OpusError),
    /// Another length than `burst.start` announced.
    Length { holds: Duration, announced: FrameTime },
    /// More sound or more bits than a talker may send.
    TooMuch,
}

impl Fault {
    /// The number of the kind. Faults of one kind are told once a second.
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Unreadable(VoiceFrameError::Short) => 0,
            Self::Unreadable(VoiceFrameError::Long) => 1,
            Self::Unreadable(VoiceFrameError::Version(_)) => 2,
            Self::Unreadable(VoiceFrameError::Flags(_)) => 3,
            Self::Uncountable => 4,
            Self::Number => 5,
            Self::MediaTime => 6,
            Self::NoOpus(_) => 7,
            Self::Length { .. } => 8,
            Self::TooMuch => 9,
        }
    }

    pub(super) fn refusal(self) -> Refusal {
        let (code, why, hint) = match self {
            Self::Unreadable(error) => {
                (Code::MalformedFrame, error.to_string(), "See the voice frame in docs/protocol.md, 2.6.")
            }
            Self::Uncountable => (
                Code::MalformedFrame,
                "a burst has no frame after number 65534".to_owned(),
                "Release and begin another burst.",
            ),
            Self::Number => (
                Code::MalformedFrame,
                "its sequence number is not above that of the frame before".to_owned(),
                "Count frames upwards from 0 in each burst.",
            ),
            Self::MediaTime => (
                Code::MalformedFrame,
                "its media time is not after that of the frame before".to_owned(),
                "Count samples at 48 kHz, whatever the rate of the sound was.",
            ),
            Self::NoOpus(error) => (
                Code::MalformedFrame,
                format!("its payload is no Opus packet: {error}"),
                "Send one Opus packet in each frame, without Ogg or RTP around it.",
            ),
            Self::Length { holds, announced } => (
                Code::MalformedFrame,
                format!(
                    "it holds {} ms of sound, and burst.start said frame_ms {}",
                    holds.as_secs_f64() * 1000.0,
                    announced.millis()
                ),
                "Say in frame_ms how long the packets are: 20, 40 or 60.",
            ),
            Self::TooMuch => (
                Code::TooMuchVoice,
                "it is above 64 kbit a second, or there is more sound than time that passed".to_owned(),
                "Send at the pace of the sound, and at a lower bit rate.",
            ),
        };
        Refusal { hint: hint.into(), ..Refusal::because(code, format!("A frame was dropped: {why}.")) }
    }
}
