//! RFC 6455 for both ends of a radio's socket, without IO. No extension is known.
//!
//! * [`Decoder`] takes the bytes of one peer apart, in place, and checks them. It keeps bytes only between the
//!   pieces of a frame or of a message, and wipes them. What a peer may do is a type of its own, a [`Peer`], so
//!   that a server's decoder carries nothing for clients.
//! * What a server sends is framed once for everybody: [`text`], [`binary_header`], [`ping`], [`pong`], [`close`].
//! * What a client sends is masked: [`Frame`].
//! * [`accept`] is the answer to the key of a handshake.

mod decoder;
mod frames;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, Event, Peer, Violation};
pub use frames::{Frame, Header, accept, binary_header, close, close_plain, ping, pong, text};

/// Largest payload of a control frame (ping, pong, close): RFC 6455, 5.5.
pub const CONTROL_FRAME_BYTES: usize = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// Puts a mask on, or takes it off.
fn mask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// Makes room for `more` bytes by moving to a larger buffer and wiping the old one: a buffer that the
/// allocator moves leaves a copy behind.
fn grow(buffer: &mut Vec<u8>, more: usize) {
    let length = buffer.len() + more;
    if length > buffer.capacity() {
        let mut larger = Vec::with_capacity(length.next_power_of_two().max(64));
        larger.extend_from_slice(buffer);
        zeroize::Zeroize::zeroize(buffer);
        *buffer = larger;
    }
}
