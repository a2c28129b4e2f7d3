//! One voice message, ready to be sent to anybody.

use std::sync::Arc;

use tenfour_protocol::VoiceFrame;
use zeroize::Zeroizing;

use crate::Time;

/// Bytes that the transport puts before a message, e.g. the header of a WebSocket frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Prefix {
    /// Most bytes: the longest header of RFC 6455.
    pub const LONGEST: usize = 14;

    /// A prefix of at most [`Prefix::LONGEST`] bytes.
    ///
    /// # Panics
    /// When it is longer.
    pub fn new(prefix: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        bytes[..prefix.len()].copy_from_slice(prefix);
        Self { bytes, length: prefix.len() as u8 }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Makes the prefix of a message of so many bytes.
pub type Framing = fn(usize) -> Prefix;

/// The framing of a transport that needs none.
pub fn unframed(_message_bytes: usize) -> Prefix {
    Prefix::new(&[])
}

/// A cheap handle to one voice message. The bytes are wiped when the last handle is dropped.
#[derive(Clone)]
pub struct Packet(Arc<Framed>);

struct Framed {
    bytes: Zeroizing<Box<[u8]>>,
    prefix: u8,
    seq: u16,
    arrived: Time,
}

impl Packet {
    /// Frames `frame`, which carries the server's burst number, once for every listener.
    pub fn new(framing: Framing, frame: &VoiceFrame<'_>, arrived: Time) -> Self {
        let header = frame.header();
        let message = header.len() + frame.payload.len();
        let prefix = framing(message);
        // With its final size, since a buffer that grows leaves copies behind.
        let mut bytes = Vec::with_capacity(prefix.as_bytes().len() + message);
        bytes.extend_from_slice(prefix.as_bytes());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(frame.payload);
        let bytes = Zeroizing::new(bytes.into_boxed_slice());
        Self(Arc::new(Framed { bytes, prefix: prefix.length, seq: frame.seq, arrived }))
    }

    /// Prefix and message: what is written to the socket.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The message without the transport's prefix: a voice frame.
    pub fn message(&self) -> &[u8] {
        &self.0.bytes[usize::from(self.0.prefix)..]
    }

    /// Sequence number of the frame.
    pub fn seq(&self) -> u16 {
        self.0.seq
    }

    /// When the frame arrived at the server.
    pub fn arrived(&self) -> Time {
        self.0.arrived
    }
}

/// Equal if the bytes are.
impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.bytes() == other.bytes()
    }
}

impl Eq for Packet {}

/// Shows no voice.
impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packet")
            .field("seq", &self.0.seq)
            .field("bytes", &self.0.bytes.len())
            .field("arrived", &self.0.arrived)
            .finish()
    }
}
