//! Decodes input in place, and checks it.

use std::fmt;
use std::marker::PhantomData;

use zeroize::Zeroize;

use crate::wire::{
    BINARY, CLOSE, CONTINUATION, CONTROL_FRAME_BYTES, FINAL, MASKED, PING, PONG, RESERVED, TEXT, grow, mask,
};

/// Longest header of a frame: 2 bytes, 8 of length, 4 of mask.
pub(crate) const HEADER_BYTES: usize = 14;

/// Whose frames are decoded, and how long their messages may be. It is a type, so that a decoder does not store it.
pub trait Peer {
    /// Clients mask what they send, and servers must not: RFC 6455, 5.1.
    const MASKS: bool;
    /// Largest text message that is taken.
    const TEXT_BYTES: usize;
    /// Largest binary message that is taken.
    const BINARY_BYTES: usize;
}

/// A message or a control frame. The bytes are gone after the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// To be answered with the same payload.
    Ping(&'a [u8]),
    /// Answers a ping.
    Pong,
    /// The peer closes.
    Close {
        /// Its code, if it gave one.
        code: Option<u16>,
        /// Its words, or nothing.
        reason: &'a str,
    },
}

/// What a peer did against the rules; the connection is closed with the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// It broke RFC 6455: code 1002.
    Protocol,
    /// A text message is not UTF-8: code 1007.
    Text,
    /// A message is too long: code 1009.
    TooLarge,
}

impl Violation {
    /// The close code of RFC 6455.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::Text => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// Decodes the bytes of one peer. It keeps bytes only while a frame or a fragmented message is unfinished, and wipes
/// them.
pub struct Decoder<P> {
    /// A frame that has not come whole.
    pub(crate) rest: Vec<u8>,
    /// The fragments of a message so far, and what kind it is.
    pub(crate) message: Vec<u8>,
    fragmented: Option<Kind>,
    closed: bool,
    /// Whether nothing was kept at some time since [`Decoder::take_emptied`] was called.
    emptied: bool,
    /// Frames that came since it was asked.
    frames: u32,
    peer: PhantomData<P>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl Kind {
    fn limit<P: Peer>(self) -> usize {
        match self {
            Self::Text => P::TEXT_BYTES,
            Self::Binary => P::BINARY_BYTES,
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

impl<P> Default for Decoder<P> {
    fn default() -> Self {
        let (rest, message) = (Vec::new(), Vec::new());
        Self { rest, message, fragmented: None, closed: false, emptied: false, frames: 0, peer: PhantomData }
    }
}

/// Shows no byte of it.
impl<P> fmt::Debug for Decoder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("closed", &self.closed).finish_non_exhaustive()
    }
}

impl<P: Peer> Decoder<P> {
    /// Decodes `bytes`, which are overwritten, and passes on what is whole. After an error,
    /// or a close frame, nothing more may come.
    ///
    /// # Errors
    /// When the peer broke a rule: the connection is to be closed with its code.
    pub fn feed(&mut self, mut bytes: &mut [u8], mut sink: impl FnMut(Event<'_>)) -> Result<(), Violation> {
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
    pub fn is_unfinished(&self) -> bool {
        !self.rest.is_empty() || self.fragmented.is_some()
    }

    /// Whether all that is kept came since the last time that this was asked.
    pub fn take_emptied(&mut self) -> bool {
        std::mem::take(&mut self.emptied)
    }

    /// How many frames have come since the last call. Frames of which nothing was passed on count too: an empty
    /// fragment is work like any other.
    pub fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// Moves bytes of an incomplete frame to `rest`, never more than that frame has.
    fn keep<'a>(
        &mut self,
        bytes: &'a mut [u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<&'a mut [u8], Violation> {
        let needed = match self.header(&self.rest)? {
            Some(header) => header.frame_bytes() - self.rest.len(),
            // The header is read byte by byte; it has at most 14.
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
        if first & RESERVED != 0 || !known || (second & MASKED != 0) != P::MASKS {
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
        let (mask, after) = match after.split_first_chunk::<4>() {
            _ if !P::MASKS => ([0; 4], after),
            Some((mask, after)) => (*mask, after),
            None => return Ok(None),
        };
        let header_bytes = bytes.len() - after.len();
        debug_assert!(header_bytes <= HEADER_BYTES);
        Ok(Some(Header { last, opcode, mask, header_bytes, payload_bytes }))
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
        if payload_bytes > kind.limit::<P>() - self.message.len() {
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
        self.frames = self.frames.saturating_add(1);
        if P::MASKS {
            mask(payload, header.mask);
        }
        match header.opcode {
            PING => sink(Event::Ping(payload)),
            PONG => sink(Event::Pong),
            CLOSE => {
                self.closed = true;
                let (code, reason) = closing(payload)?;
                sink(Event::Close { code, reason });
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

impl<P> Drop for Decoder<P> {
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

fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    grow(buffer, bytes.len());
    buffer.extend_from_slice(bytes);
}

/// Code and reason of a close frame: RFC 6455, 7.4.
fn closing(payload: &[u8]) -> Result<(Option<u16>, &str), Violation> {
    let (code, reason) = match payload {
        [] => return Ok((None, "")),
        [_] => return Err(Violation::Protocol),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol);
    }
    Ok((Some(code), std::str::from_utf8(reason).map_err(|_| Violation::Text)?))
}
