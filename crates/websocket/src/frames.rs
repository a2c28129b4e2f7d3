//! Frames to send.

use std::sync::Arc;

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

use crate::wire::{BINARY, CLOSE, CONTROL_FRAME_BYTES, FINAL, MASKED, PING, PONG, TEXT, grow, mask};

/// RFC 6455, 1.3.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer of a server to `Sec-WebSocket-Key`.
pub fn accept(key: &[u8]) -> String {
    BASE64.encode(&Sha1::new().chain_update(key).chain_update(MAGIC).finalize())
}

/// What stands before the payload of a server's frame.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; 10],
    length: usize,
}

impl Header {
    /// 2 to 10 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn new(opcode: u8, payload: usize) -> Self {
        let mut bytes = [0; 10];
        bytes[0] = FINAL | opcode;
        let length = match payload {
            0..126 => {
                bytes[1] = payload as u8;
                2
            }
            126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, length }
    }
}

/// The header of a server's binary message with `payload` bytes.
pub fn binary_header(payload: usize) -> Header {
    Header::new(BINARY, payload)
}

/// A server's text message.
pub fn text(message: &[u8]) -> Arc<[u8]> {
    frame(TEXT, &[message])
}

/// A server's ping, without payload.
pub fn ping() -> Arc<[u8]> {
    frame(PING, &[])
}

/// A server's answer to a ping.
pub fn pong(payload: &[u8]) -> Arc<[u8]> {
    frame(PONG, &[payload])
}

/// A server's close frame; the reason is cut to what fits.
pub fn close(code: u16, reason: &str) -> Arc<[u8]> {
    let most = CONTROL_FRAME_BYTES - 2;
    frame(CLOSE, &[&code.to_be_bytes(), &reason.as_bytes()[..reason.len().min(most)]])
}

/// A server's close frame without a code.
pub fn close_plain() -> Arc<[u8]> {
    frame(CLOSE, &[])
}

fn frame(opcode: u8, parts: &[&[u8]]) -> Arc<[u8]> {
    let header = Header::new(opcode, parts.iter().map(|part| part.len()).sum());
    [&[header.as_bytes()], parts].concat().concat().into()
}

/// What a client sends, in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// The answer to a ping: its payload, of at most [`CONTROL_FRAME_BYTES`].
    Pong(&'a [u8]),
    /// Close, with a code if there is one.
    Close(Option<u16>),
}

impl Frame<'_> {
    /// Adds it to `out`, masked. The mask must be unpredictable and new for each frame: RFC 6455, 5.3. If `out` has
    /// to grow, the old buffer is wiped.
    pub fn put(self, masked_with: [u8; 4], out: &mut Vec<u8>) {
        let code;
        let (opcode, payload) = match self {
            Frame::Text(text) => (TEXT, text.as_bytes()),
            Frame::Binary(bytes) => (BINARY, bytes),
            Frame::Pong(payload) => (PONG, payload),
            Frame::Close(None) => (CLOSE, &[][..]),
            Frame::Close(Some(of)) => {
                code = of.to_be_bytes();
                (CLOSE, &code[..])
            }
        };
        let mut header = Header::new(opcode, payload.len());
        header.bytes[1] |= MASKED;
        grow(out, header.length + masked_with.len() + payload.len());
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&masked_with);
        let start = out.len();
        out.extend_from_slice(payload);
        mask(&mut out[start..], masked_with);
    }
}
