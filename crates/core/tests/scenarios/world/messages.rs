//! What clients send, and what to look for in what they get.

use std::time::Duration;

use tenfour_core::hub::LoginId;
use tenfour_protocol::control::{Codec, EndReason, FrameTime, Outcome, Resume};
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, Code, ServerMessage, VoiceFrame};

use super::Got;

pub(crate) const FRAME: Duration = Duration::from_millis(20);
/// SILK narrowband, one frame of 20 ms.
pub(crate) const OPUS_20_MS: [u8; 4] = [1 << 3, 1, 2, 3];

/// No sequence number.
pub(crate) const NO_VOICE: [u16; 0] = [];
/// No burst's number.
pub(crate) const NO_RECEIPT: [u32; 0] = [];

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn channel(text: &str) -> ChannelId {
    text.parse().unwrap()
}

/// One voice frame as a client sends it.
pub(crate) fn frame(burst: u32, seq: u16) -> Vec<u8> {
    flagged_frame(burst, seq, false)
}

pub(crate) fn flagged_frame(burst: u32, seq: u16, last: bool) -> Vec<u8> {
    let media_time = u32::from(seq) * 960;
    VoiceFrame { burst: BurstNo(burst), seq, media_time, last, payload: &OPUS_20_MS }.to_bytes()
}

pub(crate) fn login_of(name: &str) -> LoginId {
    LoginId(name.bytes().fold(7, |hash, byte| hash * 31 + u64::from(byte)))
}

pub(crate) fn hello(resume: Option<Resume>) -> ClientMessage {
    ClientMessage::Hello {
        client: "scenario 1".into(),
        resume,
        economy: false,
        hear_self: false,
        place: None,
        range: None,
        device: None,
    }
}

pub(crate) fn start(on: &str, local: u32) -> ClientMessage {
    let burst = BurstNo(local);
    ClientMessage::BurstStart { channel: channel(on), burst, codec: Codec::Opus, frame_ms: FrameTime::Ms20 }
}

pub(crate) fn voice_in(got: &[Got], of: u32) -> Vec<u16> {
    let voice = got.iter().filter_map(|got| match got {
        Got::Voice { burst, seq, .. } if *burst == of => Some(*seq),
        _ => None,
    });
    voice.collect()
}

pub(crate) fn aired(local: u32, frames: u32, ended: EndReason) -> ServerMessage {
    let outcome = Outcome::Aired { frames, ended, dropped: None };
    ServerMessage::Receipt { burst: BurstNo(local), late: false, outcome }
}

/// Codes of the refusals among `messages`, on errors and on receipts.
pub(crate) fn refusals(messages: &[ServerMessage]) -> Vec<Code> {
    let codes = messages.iter().filter_map(|message| match message {
        ServerMessage::Error { refusal } => Some(refusal.code),
        ServerMessage::Receipt { outcome: Outcome::Refused { refusal }, .. } => Some(refusal.code),
        _ => None,
    });
    codes.collect()
}

/// The bursts of this connection that `messages` has a receipt for.
pub(crate) fn receipts(messages: &[ServerMessage]) -> Vec<u32> {
    let receipts = messages.iter().filter_map(|message| match message {
        ServerMessage::Receipt { burst, late: false, .. } => Some(burst.0),
        _ => None,
    });
    receipts.collect()
}
