//! RFC 6455 for both ends of a radio's socket, without IO and without extensions.
//!
//! * [`Decoder`] decodes the bytes of one peer in place, and checks them. It keeps bytes only while a frame or a
//!   message is unfinished, and wipes them. What a peer may do is a type, a [`Peer`], so that a server's decoder has
//!   no code for clients.
//! * What a server sends is framed once for everybody: [`text`], [`binary_header`], [`ping`], [`pong`], [`close`].
//! * What a client sends is masked: [`Frame`].
//! * [`accept`] is the answer to the key of a handshake.

mod decoder;
mod frames;
#[cfg(test)]
mod tests;
mod wire;

pub use decoder::{Decoder, Event, Peer, Violation};
pub use frames::{Frame, Header, accept, binary_header, close, close_plain, ping, pong, text};
pub use wire::CONTROL_FRAME_BYTES;
