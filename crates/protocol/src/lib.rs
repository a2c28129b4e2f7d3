//! The wire of Tenfour, as types: identifiers, control messages, the voice frame,
//! limits and error codes. Nothing here does IO, reads a clock or keeps state.
//!
//! Bytes are parsed once, at the edge, into types with private fields; inside the
//! program nothing is checked twice. The normative text is `docs/protocol.md`, and
//! `vectors/` holds golden messages that this crate and the web client both read.
//!
//! * [`limits`] - every limit, one file
//! * [`id`] - channels, bursts, participants, user identifiers and tags
//! * [`person`] - handle, description, country: all that others may see of somebody
//! * [`place`] - cell, range, signal grade; no coordinate
//! * [`control`] - what travels in text frames, up ([`ClientMessage`]) and down ([`ServerMessage`])
//! * [`device`] - what a client says of its machine, for the connection log alone
//! * [`contact`] - a message to the operator
//! * [`voice`] - the binary voice frame, and [`opus`], the check of its payload
//! * [`error`] - stable codes, with words for people
//! * [`node`] - what nodes of one cluster tell each other, and where
//! * [`json`] - what clients send, read and refused in words, by [`fields`], the table of all that messages have
//! * [`http`] - bodies of the HTTP API, and [`auth`], the bytes a device key signs
//! * [`work`] - what a registration costs when many came from one address

pub mod auth;
pub mod contact;
pub mod control;
pub mod device;
pub mod error;
pub mod fields;
pub mod http;
pub mod id;
pub mod json;
pub mod limits;
#[macro_use]
pub mod mutants;
pub mod node;
pub mod opus;
pub mod person;
pub mod place;
mod refusal;
pub mod voice;
pub mod work;

pub use contact::ContactText;
pub use control::{ClientMessage, ServerMessage};
pub use device::{Device, DeviceText};
pub use error::Code;
pub use id::{BurstNo, ChannelId, ParticipantNo, Tag, UserId};
pub use person::{Country, Description, Handle, Participant, Person};
pub use place::{GeoCell, Place, Range, Ranges, SignalGrade};
pub use refusal::Refusal;
pub use voice::VoiceFrame;
pub use work::Work;

/// The WebSocket subprotocol that both sides must agree on at the upgrade.
pub const SUBPROTOCOL: &str = "tenfour.v1";

/// Path of the radio socket.
pub const RADIO_PATH: &str = "/api/v1/radio";
