//! What a frame's payload says: its talker, its number, and when it was due.

/// Shortest payload that has room for a stamp.
pub(crate) const STAMP_BYTES: usize = 16;

/// The first byte of an Opus packet with one frame, for servers that check the payload. Any bytes may follow.
fn opus_header(frame_ms: u8) -> u8 {
    match frame_ms {
        60 => 11 << 3,
        40 => 10 << 3,
        _ => 9 << 3,
    }
}

/// The stamp of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) talker: u16,
    /// Counts the frames of the talker from 0.
    pub(crate) seq: u32,
    /// When it was due, in microseconds since this process began to measure.
    pub(crate) due: u64,
}

impl Stamp {
    /// A payload of `bytes` bytes, at least [`STAMP_BYTES`].
    pub(crate) fn payload(&self, frame_ms: u8, bytes: usize) -> Vec<u8> {
        let mut payload = vec![0x55; bytes.max(STAMP_BYTES)];
        payload[0] = opus_header(frame_ms);
        payload[1..3].copy_from_slice(&self.talker.to_be_bytes());
        payload[3..7].copy_from_slice(&self.seq.to_be_bytes());
        payload[7..15].copy_from_slice(&self.due.to_be_bytes());
        payload
    }

    /// Reads it back; None when the payload is too short.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let [_, t0, t1, s0, s1, s2, s3, due @ .., _] = payload.first_chunk::<STAMP_BYTES>()?;
        Some(Self {
            talker: u16::from_be_bytes([*t0, *t1]),
            seq: u32::from_be_bytes([*s0, *s1, *s2, *s3]),
            due: u64::from_be_bytes(*due),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_payload_and_the_payload_is_opus() {
        let stamp = Stamp { talker: 500, seq: 70_000, due: 123_456_789 };
        for frame_ms in [20, 40, 60] {
            let payload = stamp.payload(frame_ms, 80);
            assert_eq!((payload.len(), Stamp::read(&payload)), (80, Some(stamp)));
            let time = tenfour_protocol::opus::check(&payload).unwrap();
            assert_eq!(time.as_millis(), u128::from(frame_ms));
        }
        assert_eq!(Stamp::read(&[0; 15]), None);
    }
}
