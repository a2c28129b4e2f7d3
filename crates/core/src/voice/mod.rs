//! The path of voice. Nothing is decided here, and each frame is kept once.
//!
//! A talker's [`Uplink`] checks incoming frames and makes each a [`Packet`]: bytes that are framed once and ready to
//! be sent. Each worker has a [`Deck`] with a [`BurstLog`] for each burst, and a [`Cursor`] into it for each
//! listener. So a slow listener costs nothing, and wiping a log wipes the only copy. Frames of other nodes come in
//! through the [`Intake`].

mod budget;
mod deck;
mod fault;
mod intake;
mod log;
#[cfg(feature = "mutants")]
#[path = "../mutants/voice.rs"]
mod mutants;
mod packet;
mod uplink;

pub use deck::{ByGrade, Deck, DeckFigures, Item, LINGER, NAMED, Turn};
pub use intake::{Intake, IntakeOutput};
pub use log::{BurstLog, Cursor};
pub use packet::{Framing, Packet, Prefix, unframed};
pub use uplink::{Uplink, UplinkOutput};
