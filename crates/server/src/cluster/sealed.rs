//! Sealed messages between nodes: NATS and its operators cannot read them, and a message that was not made with the
//! cluster's secret is dropped.
//!
//! ```text
//! offset size
//! 0      1    0x40: version 1 of the seal
//! 1      8    the node that says it, big-endian
//! 9      8    its number on this lane, big-endian: counts up
//! 17          what it says, encrypted with AES-256-GCM, and the tag of 16 bytes
//! ```
//!
//! Each start of a node has a key of its own, made of the cluster's secret and the node's random number, so
//! lane and number make a nonce that is used once. The subject is authenticated with the message.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use tenfour_protocol::node::NodeId;
use zeroize::Zeroizing;

use crate::bus::Lane;
use crate::nats::ClusterSecret;

/// The first byte.
const SEALED: u8 = 0x40;
const HEADER: usize = 17;
const TAG: usize = 16;

/// The key of one start of a node.
pub(super) struct NodeKey(LessSafeKey);

/// Nothing of it.
impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey(…)")
    }
}

/// What stands before a sealed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) from: NodeId,
    pub(super) number: u64,
}

impl Header {
    /// Nothing when these bytes are no sealed message.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>().filter(|_| bytes.len() >= HEADER + TAG)?;
        let number = |at: usize| u64::from_be_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        (header[0] == SEALED).then(|| Self { from: NodeId(number(1)), number: number(9) })
    }

    fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [SEALED; HEADER];
        bytes[1..9].copy_from_slice(&self.from.0.to_be_bytes());
        bytes[9..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }
}

impl NodeKey {
    pub(super) fn of(secret: &ClusterSecret, prefix: &str, node: NodeId) -> Self {
        let bytes = secret.key(&[b"bus", prefix.as_bytes(), &node.0.to_be_bytes()]);
        let key = UnboundKey::new(&AES_256_GCM, &*bytes).expect("32 bytes are a key");
        Self(LessSafeKey::new(key))
    }

    fn seal(&self, header: Header, lane: Lane, subject: &str, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        // Sized before: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + length + TAG));
        bytes.extend_from_slice(&header.bytes());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        let (nonce, about) = (nonce(lane, header.number), about(header, subject));
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(&*about), &mut bytes[HEADER..]);
        bytes.extend_from_slice(tag.expect("a message is far shorter than a cipher can take").as_ref());
        bytes
    }

    /// What the message says; nothing when it is not of this node, lane and subject.
    pub(super) fn open(
        &self,
        header: Header,
        lane: Lane,
        subject: &str,
        bytes: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut message = Zeroizing::new(bytes.get(HEADER..)?.to_vec());
        let (nonce, about) = (nonce(lane, header.number), about(header, subject));
        let length = self.0.open_in_place(nonce, Aad::from(&*about), &mut message).ok()?.len();
        message.truncate(length);
        Some(message)
    }
}

/// Seals what this node says.
#[derive(Debug)]
pub(super) struct Sealer {
    node: NodeId,
    key: NodeKey,
    /// The next numbers, of control and of voice.
    next: [AtomicU64; 2],
}

impl Sealer {
    pub(super) fn of(secret: &ClusterSecret, prefix: &str, node: NodeId) -> Self {
        Self { node, key: NodeKey::of(secret, prefix, node), next: Default::default() }
    }

    pub(super) fn seal(&self, lane: Lane, subject: &str, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        let number = self.next[lane_number(lane)].fetch_add(1, Ordering::SeqCst);
        self.key.seal(Header { from: self.node, number }, lane, subject, parts)
    }

    /// The next number on a lane.
    pub(super) fn next(&self, lane: Lane) -> u64 {
        self.next[lane_number(lane)].load(Ordering::SeqCst)
    }
}

pub(super) fn lane_number(lane: Lane) -> usize {
    match lane {
        Lane::Control => 0,
        Lane::Voice => 1,
    }
}

fn nonce(lane: Lane, number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3] = lane_number(lane) as u8;
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// What is authenticated beside the message.
fn about(header: Header, subject: &str) -> Vec<u8> {
    [&header.bytes()[..], subject.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(7);

    fn secret() -> ClusterSecret {
        ClusterSecret::of(None).unwrap()
    }

    #[test]
    fn what_is_sealed_is_read_with_the_key_and_only_as_it_was_said() {
        let sealer = Sealer::of(&secret(), "tenfour", NODE);
        let sealed = sealer.seal(Lane::Voice, "voice.19.25km.none", &[b"Quail ", b"of Xylo"]);
        assert!(!sealed.windows(5).any(|bytes| bytes == b"Quail"));
        let header = Header::of(&sealed).unwrap();
        assert_eq!(header, Header { from: NODE, number: 0 });
        let key = NodeKey::of(&secret(), "tenfour", NODE);
        let open = |lane, subject: &str, bytes: &[u8]| key.open(Header::of(bytes)?, lane, subject, bytes);
        let said = open(Lane::Voice, "voice.19.25km.none", &sealed).unwrap();
        assert_eq!(&said[..], b"Quail of Xylo");
        assert!(open(Lane::Control, "voice.19.25km.none", &sealed).is_none(), "another lane");
        assert!(open(Lane::Voice, "voice.9.25km.none", &sealed).is_none(), "another subject");
        for at in 0..sealed.len() {
            let mut bent = sealed.to_vec();
            bent[at] ^= 1;
            assert!(open(Lane::Voice, "voice.19.25km.none", &bent).is_none(), "bent at {at}");
            assert!(open(Lane::Voice, "voice.19.25km.none", &sealed[..at]).is_none(), "cut at {at}");
        }
        assert!(
            NodeKey::of(&secret(), "club", NODE)
                .open(header, Lane::Voice, "voice.19.25km.none", &sealed)
                .is_none()
        );
    }

    #[test]
    fn no_number_is_used_twice() {
        let sealer = Sealer::of(&secret(), "tenfour", NODE);
        let number = |lane| Header::of(&sealer.seal(lane, "nodes", &[b"x"])).unwrap().number;
        assert_eq!([number(Lane::Voice), number(Lane::Voice), number(Lane::Control)], [0, 1, 0]);
        assert_eq!((sealer.next(Lane::Voice), sealer.next(Lane::Control)), (2, 1));
    }

    /// What a frame costs: `cargo nextest run -p tenfour-server --run-ignored only -E 'test(cost_of_a_frame)' --no-capture`.
    #[test]
    #[ignore = "measures"]
    fn the_cost_of_a_frame() {
        let (sealer, key) = (Sealer::of(&secret(), "tenfour", NODE), NodeKey::of(&secret(), "tenfour", NODE));
        let frame = [7; 120];
        const TIMES: u32 = 200_000;
        let began = std::time::Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(sealer.seal(Lane::Voice, "voice.19.25km.841f8d7ffffffff", &[&frame]));
        }
        let (sealing, sealed) = (began.elapsed() / TIMES, sealer.seal(Lane::Voice, "v", &[&frame]));
        let began = std::time::Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(key.open(Header::of(&sealed).unwrap(), Lane::Voice, "v", &sealed).unwrap());
        }
        println!("a frame of 120 bytes: sealed in {sealing:?}, opened in {:?}", began.elapsed() / TIMES);
    }
}
