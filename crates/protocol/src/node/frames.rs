//! Voice between nodes: one or more frames of one node in one message.
//!
//! ```text
//! offset size
//! 0      1    0x20: version 1 of the format between nodes in the high half, less one, kind 0 below
//! 1      8    the node, big-endian
//! 9           then for each frame:
//!        2      its length, big-endian
//!        n      a voice frame (see `voice`) with the node's own number of the burst
//! ```
//!
//! A message of control begins with `{`, so the first byte tells both apart on one subject.

use thiserror::Error;
use zeroize::Zeroizing;

use super::NodeId;
use crate::limits::{NODE_FRAMES, VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES};
use crate::voice::VoiceFrame;

/// The first byte of a message with frames.
pub const FRAMES: u8 = 0x20;
const HEADER_BYTES: usize = 9;
const LENGTH_BYTES: usize = 2;

/// A message with frames that borrows its bytes, which were checked.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    /// Whose frames they are.
    pub from: NodeId,
    frames: Vec<VoiceFrame<'a>>,
}

/// Why bytes are no message with frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramesError {
    /// Another version or kind.
    #[error("version or kind is unknown")]
    Version,
    /// It ends in the middle, or has no frame.
    #[error("the message ends in the middle")]
    Short,
    /// More frames than a message may have.
    #[error("the message has more than {NODE_FRAMES} frames")]
    Many,
    /// One of its frames is none.
    #[error("a frame is malformed")]
    Frame,
}

impl<'a> Frames<'a> {
    /// Whether bytes claim to be frames, not control.
    pub fn is_next(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FRAMES)
    }

    /// Reads a message. It does not check payloads.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FramesError> {
        if !Self::is_next(bytes) {
            return Err(FramesError::Version);
        }
        let (header, mut rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FramesError::Short)?;
        let node: [u8; 8] = header[1..].try_into().expect("eight bytes");
        let mut frames = Vec::with_capacity(1);
        while let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let (frame, after) = after.split_at_checked(length).ok_or(FramesError::Short)?;
            if frames.len() == NODE_FRAMES {
                return Err(FramesError::Many);
            }
            frames.push(VoiceFrame::parse(frame).map_err(|_| FramesError::Frame)?);
            rest = after;
        }
        match rest.is_empty() && !frames.is_empty() {
            true => Ok(Self { from: NodeId(u64::from_be_bytes(node)), frames }),
            false => Err(FramesError::Short),
        }
    }

    /// The frames, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VoiceFrame<'a>> {
        self.frames.iter()
    }

    /// A message of `node` with these voice frames, each the bytes of one (as
    /// [`VoiceFrame::to_bytes`] writes it). At most [`NODE_FRAMES`]. Wiped on drop.
    pub fn to_bytes<'b>(node: NodeId, frames: impl IntoIterator<Item = &'b [u8]>) -> Zeroizing<Vec<u8>> {
        const ONE: usize = HEADER_BYTES + LENGTH_BYTES + VOICE_HEADER_BYTES + VOICE_PAYLOAD_BYTES;
        let frames = frames.into_iter();
        let many = frames.size_hint().1.unwrap_or(NODE_FRAMES).clamp(1, NODE_FRAMES);
        // With its final size, since a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(ONE * many));
        bytes.push(FRAMES);
        bytes.extend_from_slice(&node.0.to_be_bytes());
        for frame in frames {
            bytes.extend_from_slice(&(frame.len() as u16).to_be_bytes());
            bytes.extend_from_slice(frame);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BurstNo;

    fn frame(seq: u16) -> Vec<u8> {
        let media_time = u32::from(seq) * 960;
        VoiceFrame { burst: BurstNo(7), seq, media_time, last: false, payload: &[9; 3] }.to_bytes()
    }

    #[test]
    fn frames_survive_the_bus() {
        let bytes = Frames::to_bytes(NodeId(0x0102_0304_0506_0708), [&frame(1)[..], &frame(2)]);
        assert_eq!(bytes[..11], [0x20, 1, 2, 3, 4, 5, 6, 7, 8, 0, 15]);
        let frames = Frames::parse(&bytes).unwrap();
        assert_eq!(frames.from, NodeId(0x0102_0304_0506_0708));
        assert_eq!(frames.iter().map(|frame| frame.seq).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        let good = Frames::to_bytes(NodeId(1), [&frame(1)[..]]);
        for end in 1..good.len() {
            assert!(Frames::parse(&good[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(Frames::parse(b"").unwrap_err(), FramesError::Version);
        assert_eq!(Frames::parse(b"{}").unwrap_err(), FramesError::Version);
        assert_eq!(Frames::parse(&[&good[..], &[0]].concat()).unwrap_err(), FramesError::Short);
        assert_eq!(Frames::parse(&[&good[..], &[0, 1, 0x10]].concat()).unwrap_err(), FramesError::Frame);
        let many: Vec<_> = (0..=NODE_FRAMES as u16).map(frame).collect();
        let many = Frames::to_bytes(NodeId(1), many.iter().map(Vec::as_slice));
        assert_eq!(Frames::parse(&many).unwrap_err(), FramesError::Many);
    }
}
