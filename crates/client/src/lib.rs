//! A native client of Tenfour: everything around [`tenfour_core::radio::Radio`] that touches
//! the world.
//!
//! * [`Identity`] - the device key; [`Key`] - where it is meanwhile; [`key_file`] - the same, sealed under a passphrase, to be taken along
//! * [`Server`] - where it is and how it is trusted; [`log_in`] to it, ask it for [`Session::channels`]
//! * [`Client`] - socket and radio: [`Client::next`] gives events, [`Client::handle`] takes what is done
//! * [`cell_at`] - from degrees to the cell that is shared
//! * [`opus`] - encode and decode; [`recording`] - of any kind, read; [`wav`] - written; `audio` (feature) - microphone and loudspeaker

#[cfg(feature = "audio")]
pub mod audio;
mod client;
mod connection;
mod device;
mod error;
mod export;
mod http;
mod identity;
pub mod key_file;
mod login;
#[cfg(feature = "mutants")]
mod mutants;
pub mod opus;
mod patience;
mod place;
pub mod recording;
mod sealed;
mod server;
mod socket;
mod stream;
mod trust;
pub mod wav;

pub use client::{Client, Options};
pub use error::Error;
pub use identity::{Identity, Kept, Key};
pub use login::{Session, log_in, log_in_telling};
pub use patience::Waiting;
pub use place::{PositionError, cell_at};
pub use server::Server;
