//! The voice frame: the only binary message, the same bytes for every listener.
//!
//! ```text
//! offset size
//! 0      1    0x10: version 1 in the high half, kind 0 (voice) in the low half
//! 1      1    flags: bit 0 = last frame of the burst; the others are 0
//! 2      4    burst number, big-endian
//! 6      2    sequence number, from 0, big-endian
//! 8      4    media time of the first sample, in samples at 48 kHz, big-endian
//! 12     n    payload: one Opus packet, 1 to 400 bytes
//! ```

use thiserror::Error;

use crate::id::BurstNo;
use crate::limits::{VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES};

const VERSION_AND_KIND: u8 = 0x10;
const LAST: u8 = 0x01;

/// A voice frame that borrows its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VoiceFrame<'a> {
    /// Which burst: the talker's number on the way up, the server's on the way down.
    pub burst: BurstNo,
    /// Counts frames from 0; a hole is a loss.
    pub seq: u16,
    /// Position of the first sample, at 48 kHz, as the sender says; a hole without a loss is silence (DTX).
    pub media_time: u32,
    /// True on the last frame of a burst.
    pub last: bool,
    /// One Opus packet.
    pub payload: &'a [u8],
}

/// Why bytes are no voice frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VoiceFrameError {
    /// No room for header and payload.
    #[error("a voice frame has a header of 12 bytes and a payload")]
    Short,
    /// Payload over the limit.
    #[error("the payload is over {VOICE_PAYLOAD_BYTES} bytes")]
    Long,
    /// Another version or kind.
    #[error("version or kind is unknown: 0x{0:02x}")]
    Version(u8),
    /// A flag that has no meaning yet.
    #[error("a reserved flag is set: 0x{0:02x}")]
    Flags(u8),
}

impl<'a> VoiceFrame<'a> {
    /// Parses the bytes of one message. It does not check the payload.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, VoiceFrameError> {
        let (header, payload) =
            bytes.split_first_chunk::<VOICE_HEADER_BYTES>().ok_or(VoiceFrameError::Short)?;
        let [kind, flags, b0, b1, b2, b3, s0, s1, t0, t1, t2, t3] = *header;
        if kind != VERSION_AND_KIND {
            return Err(VoiceFrameError::Version(kind));
        }
        if flags & !LAST != 0 {
            return Err(VoiceFrameError::Flags(flags));
        }
        if payload.is_empty() {
            return Err(VoiceFrameError::Short);
        }
        if payload.len() > VOICE_PAYLOAD_BYTES {
            return Err(VoiceFrameError::Long);
        }
        Ok(Self {
            burst: BurstNo(u32::from_be_bytes([b0, b1, b2, b3])),
            seq: u16::from_be_bytes([s0, s1]),
            media_time: u32::from_be_bytes([t0, t1, t2, t3]),
            last: flags & LAST != 0,
            payload,
        })
    }

    /// The burst number in a message that may be no valid frame, if it is long enough to have one.
    pub fn burst_of(bytes: &[u8]) -> Option<BurstNo> {
        let [VERSION_AND_KIND, _, b0, b1, b2, b3, ..] = *bytes else { return None };
        Some(BurstNo(u32::from_be_bytes([b0, b1, b2, b3])))
    }

    /// The header as bytes.
    pub fn header(&self) -> [u8; VOICE_HEADER_BYTES] {
        let mut header = [0; VOICE_HEADER_BYTES];
        header[0] = VERSION_AND_KIND;
        header[1] = if self.last { LAST } else { 0 };
        header[2..6].copy_from_slice(&self.burst.0.to_be_bytes());
        header[6..8].copy_from_slice(&self.seq.to_be_bytes());
        header[8..12].copy_from_slice(&self.media_time.to_be_bytes());
        header
    }

    /// Appends header and payload to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header());
        out.extend_from_slice(self.payload);
    }

    /// Header and payload as one message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(VOICE_HEADER_BYTES + self.payload.len());
        self.write(&mut out);
        out
    }
}

/// Shows the header only: voice does not belong in a debug print.
impl std::fmt::Debug for VoiceFrame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceFrame")
            .field("burst", &self.burst.0)
            .field("seq", &self.seq)
            .field("media_time", &self.media_time)
            .field("last", &self.last)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_wire() {
        let frame = VoiceFrame {
            burst: BurstNo(0x0102_0304),
            seq: 7,
            media_time: 6720,
            last: true,
            payload: &[9; 80],
        };
        let bytes = frame.to_bytes();
        assert_eq!(VoiceFrame::parse(&bytes), Ok(frame));
        assert_eq!(bytes[..12], [0x10, 1, 1, 2, 3, 4, 0, 7, 0, 0, 0x1a, 0x40]);
    }

    #[test]
    fn what_is_no_frame_is_told_apart() {
        let good =
            VoiceFrame { burst: BurstNo(1), seq: 0, media_time: 0, last: false, payload: &[1] }.to_bytes();
        assert_eq!(VoiceFrame::parse(&[]), Err(VoiceFrameError::Short));
        assert_eq!(VoiceFrame::parse(&good[..12]), Err(VoiceFrameError::Short));
        assert_eq!(VoiceFrame::parse(&[&good[..], &[0; 400]].concat()), Err(VoiceFrameError::Long));
        assert_eq!(VoiceFrame::parse(&[&[0x20], &good[1..]].concat()), Err(VoiceFrameError::Version(0x20)));
        assert_eq!(VoiceFrame::parse(&[&[0x10, 2], &good[2..]].concat()), Err(VoiceFrameError::Flags(2)));
    }
}
