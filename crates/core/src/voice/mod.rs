//! Voice on its way through: no decision is made here, and each frame is kept once.
//!
//! A talker's [`Uplink`] checks frames at the door and makes each into a [`Packet`]: bytes
//! that are ready to be sent, framed once. Each worker has a [`Deck`]: a [`BurstLog`] for each
//! burst, and for each listener a [`Cursor`] into it, so that a slow listener costs nothing
//! and wiping a log wipes the only copy. Frames of other nodes come in through the [`Intake`].

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
