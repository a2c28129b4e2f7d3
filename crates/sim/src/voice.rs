//! Voice of the simulated world: Opus packets whose payload names who made them.

use tenfour_protocol::BurstNo;

/// SILK narrow band, 20 ms, one frame: RFC 6716, table 2.
const TOC_20_MS: u8 = 1 << 3;

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Which client talks.
    pub talker: u16,
    /// Its own number of the burst.
    pub local: BurstNo,
    /// Its own count of frames.
    pub seq: u16,
}

impl Mark {
    /// A well-formed packet of 60 bytes that carries the mark.
    pub fn packet(self) -> Vec<u8> {
        let mut packet = vec![TOC_20_MS];
        packet.extend(self.talker.to_be_bytes());
        packet.extend(self.local.0.to_be_bytes());
        packet.extend(self.seq.to_be_bytes());
        packet.resize(60, 0x55);
        packet
    }

    /// Reads the mark of a packet; `None` when its bytes were changed.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let [TOC_20_MS, t0, t1, b0, b1, b2, b3, s0, s1, rest @ ..] = packet else { return None };
        let whole = packet.len() == 60 && rest.iter().all(|byte| *byte == 0x55);
        whole.then_some(Self {
            talker: u16::from_be_bytes([*t0, *t1]),
            local: BurstNo(u32::from_be_bytes([*b0, *b1, *b2, *b3])),
            seq: u16::from_be_bytes([*s0, *s1]),
        })
    }
}
