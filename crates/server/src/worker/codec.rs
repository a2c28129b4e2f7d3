//! RFC 6455, the server's side: what a client sends is decoded in place and checked at the
//! door; what the server sends is framed once for everybody. No extension is known.

use std::sync::Arc;

use tenfour_core::voice::Prefix;
use tenfour_protocol::limits::{CONTROL_BYTES, VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES};
use zeroize::Zeroize;

/// Largest payload of a control frame (ping, pong, close): RFC 6455, 5.5.
const CONTROL_FRAME_BYTES: usize = 125;
/// Longest header of a client's frame: 2 bytes, 8 of length, 4 of mask.
const HEADER_BYTES: usize = 14;
const VOICE_BYTES: usize = VOICE_HEADER_BYTES + VOICE_PAYLOAD_BYTES;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// A message or a control frame of a client. The bytes are gone after the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// To be answered with the same payload.
    Ping(&'a [u8]),
    /// Answers a ping.
    Pong,
    /// The client closes; its code, if it gave one.
    Close(Option<u16>),
}

/// What a client did against the rules; the connection is closed with the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// 1002.
    Protocol,
    /// 1007.
    Text,
    /// 1009.
    TooLarge,
}

impl Violation {
    /// The close code of RFC 6455.
    pub(crate) fn close_code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::Text => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// Takes the bytes of one client apart. Holds bytes only between the pieces of a frame or of
/// a fragmented message, and wipes them.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// A frame that has not come whole.
    rest: Vec<u8>,
    /// The fragments of a message so far, and what kind it is.
    message: Vec<u8>,
    fragmented: Option<Kind>,
    closed: bool,
    /// Nothing was kept at some moment since it was asked.
    emptied: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl Kind {
    fn limit(self) -> usize {
        match self {
            Self::Text => CONTROL_BYTES,
            Self::Binary => VOICE_BYTES,
        }
    }
}

/// The header of one frame.
#[derive(Debug, Clone, Copy)]
struct Header {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    header_bytes: usize,
    payload_bytes: usize,
}

impl Header {
    fn frame_bytes(&self) -> usize {
        self.header_bytes + self.payload_bytes
    }
}

impl Decoder {
    /// Decodes `bytes`, which are overwritten, and passes on what is whole. After an error,
    /// or a close frame, nothing more may come.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &mut [u8],
        mut sink: impl FnMut(Event<'_>),
    ) -> Result<(), Violation> {
        while !bytes.is_empty() && !self.closed {
            self.emptied |= !self.is_unfinished();
            if self.rest.is_empty()
                && let Some(header) = self.header(bytes)?
                && header.frame_bytes() <= bytes.len()
            {
                let (frame, after) = std::mem::take(&mut bytes).split_at_mut(header.frame_bytes());
                self.frame(header, &mut frame[header.header_bytes..], &mut sink)?;
                bytes = after;
            } else {
                bytes = self.keep(bytes, &mut sink)?;
            }
        }
        Ok(())
    }

    /// Whether a part of a frame or of a message is kept.
    pub(crate) fn is_unfinished(&self) -> bool {
        !self.rest.is_empty() || self.fragmented.is_some()
    }

    /// Whether all that is kept came since the last time that this was asked.
    pub(crate) fn take_emptied(&mut self) -> bool {
        std::mem::take(&mut self.emptied)
    }

    /// Moves bytes of an incomplete frame to `rest`, never more than that frame has.
    fn keep<'a>(
        &mut self,
        bytes: &'a mut [u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<&'a mut [u8], Violation> {
        let needed = match self.header(&self.rest)? {
            Some(header) => header.frame_bytes() - self.rest.len(),
            // The header comes byte by byte: it is at most 14.
            None => 1,
        };
        let (now, after) = bytes.split_at_mut(needed.min(bytes.len()));
        append(&mut self.rest, now);
        if let Some(header) = self.header(&self.rest)?
            && header.frame_bytes() == self.rest.len()
        {
            let mut rest = std::mem::take(&mut self.rest);
            let done = self.frame(header, &mut rest[header.header_bytes..], sink);
            rest.zeroize();
            done?;
        }
        Ok(after)
    }

    /// Reads and checks a header; `None` while it is not whole.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let [first, second, after @ ..] = bytes else {
            return Ok(None);
        };
        let (last, opcode) = (first & FINAL != 0, first & 0x0f);
        let short = usize::from(second & 0x7f);
        let known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        if first & RESERVED != 0 || !known || second & MASKED == 0 {
            return Err(Violation::Protocol);
        }
        if opcode >= CLOSE && (!last || short > CONTROL_FRAME_BYTES) {
            return Err(Violation::Protocol);
        }
        let (payload_bytes, after) = match (short, after) {
            (0..126, after) => (short, after),
            (126, [a, b, after @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), after),
            (127, [a, b, c, d, e, f, g, h, after @ ..]) => {
                let long = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                (usize::try_from(long).map_err(|_| Violation::TooLarge)?, after)
            }
            _ => return Ok(None),
        };
        self.check_data(opcode, payload_bytes)?;
        let Some(mask) = after.first_chunk::<4>() else { return Ok(None) };
        let header_bytes = bytes.len() - after.len() + 4;
        debug_assert!(header_bytes <= HEADER_BYTES);
        Ok(Some(Header { last, opcode, mask: *mask, header_bytes, payload_bytes }))
    }

    /// Order of fragments, and the size of the whole message.
    fn check_data(&self, opcode: u8, payload_bytes: usize) -> Result<(), Violation> {
        let kind = match (opcode, self.fragmented) {
            (CONTINUATION, Some(kind)) => kind,
            (TEXT, None) => Kind::Text,
            (BINARY, None) => Kind::Binary,
            (CONTINUATION | TEXT | BINARY, _) => return Err(Violation::Protocol),
            _ => return Ok(()),
        };
        if payload_bytes > kind.limit() - self.message.len() {
            return Err(Violation::TooLarge);
        }
        Ok(())
    }

    fn frame(
        &mut self,
        header: Header,
        payload: &mut [u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Violation> {
        unmask(payload, header.mask);
        match header.opcode {
            PING => sink(Event::Ping(payload)),
            PONG => sink(Event::Pong),
            CLOSE => {
                self.closed = true;
                sink(Event::Close(close_code(payload)?));
            }
            opcode => self.data(opcode, header.last, payload, sink)?,
        }
        Ok(())
    }

    fn data(
        &mut self,
        opcode: u8,
        last: bool,
        payload: &[u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Violation> {
        let kind = self.fragmented.unwrap_or(if opcode == TEXT { Kind::Text } else { Kind::Binary });
        if last && self.fragmented.is_none() {
            return whole(kind, payload, sink);
        }
        append(&mut self.message, payload);
        self.fragmented = Some(kind);
        if !last {
            return Ok(());
        }
        self.fragmented = None;
        let mut message = std::mem::take(&mut self.message);
        let done = whole(kind, &message, sink);
        message.zeroize();
        done
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.rest.zeroize();
        self.message.zeroize();
    }
}

fn whole(kind: Kind, message: &[u8], sink: &mut impl FnMut(Event<'_>)) -> Result<(), Violation> {
    match kind {
        Kind::Text => sink(Event::Text(std::str::from_utf8(message).map_err(|_| Violation::Text)?)),
        Kind::Binary => sink(Event::Binary(message)),
    }
    Ok(())
}

/// Grows by moving to a larger buffer and wiping the old one: a buffer that the allocator
/// moves leaves a copy behind.
fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let length = buffer.len() + bytes.len();
    if length > buffer.capacity() {
        let mut larger = Vec::with_capacity(length.next_power_of_two().max(64));
        larger.extend_from_slice(buffer);
        buffer.zeroize();
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

/// Code of a close frame: RFC 6455, 7.4.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Violation::Protocol),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol);
    }
    std::str::from_utf8(reason).map_err(|_| Violation::Text)?;
    Ok(Some(code))
}

/// The header of a server's binary frame with `message` bytes: the framing of voice.
pub(crate) fn voice_framing(message: usize) -> Prefix {
    let (bytes, length) = header(BINARY, message);
    Prefix::new(&bytes[..length])
}

/// A text frame.
pub(crate) fn text(message: &[u8]) -> Arc<[u8]> {
    frame(TEXT, &[message])
}

/// A ping without payload.
pub(crate) fn ping() -> Arc<[u8]> {
    frame(PING, &[])
}

/// The answer to a ping.
pub(crate) fn pong(payload: &[u8]) -> Arc<[u8]> {
    frame(PONG, &[payload])
}

/// Whether a client that closes with `code` has left for good: 1000 is a normal end, 1001 a page
/// that was closed.
pub(crate) fn is_good_bye(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}

/// A close frame; the reason is cut to what fits.
pub(crate) fn close(code: u16, reason: &str) -> Arc<[u8]> {
    let most = CONTROL_FRAME_BYTES - 2;
    frame(CLOSE, &[&code.to_be_bytes(), &reason.as_bytes()[..reason.len().min(most)]])
}

/// A close frame without a code.
pub(crate) fn close_plain() -> Arc<[u8]> {
    frame(CLOSE, &[])
}

fn frame(opcode: u8, parts: &[&[u8]]) -> Arc<[u8]> {
    let (bytes, length) = header(opcode, parts.iter().map(|part| part.len()).sum());
    [&[&bytes[..length]], parts].concat().concat().into()
}

fn header(opcode: u8, payload: usize) -> ([u8; 10], usize) {
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
    (bytes, length)
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
