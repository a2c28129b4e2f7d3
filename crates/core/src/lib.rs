//! The decisions of Tenfour, without the world: no runtime, no socket, no clock, no randomness.
//!
//! # The contract
//!
//! A state machine here is driven by a shell. The shell tells it what happened, and when:
//! `handle(input, now)`. Then it drains `poll()` until that returns `None`, and carries out
//! each output. `poll_timeout()` says when the machine wants to be woken by
//! `handle_timeout(now)` if nothing else happens before. **One mutation, then drain**: between
//! two inputs all outputs are taken. `now` never goes backwards; the machine never asks for it.
//!
//! Given the same inputs at the same times, a machine gives the same outputs, byte for byte.
//! That is what the simulation (`crates/sim`) lives on, and lints in `clippy.toml` keep it true.
//!
//! ```
//! use tenfour_core::hub::{Hub, HubConfig, Input, LoginId, Output, ResumeToken};
//! use tenfour_core::{ConnId, Time};
//! use tenfour_protocol::{Code, Handle, Person, UserId, limits};
//!
//! let mut hub = Hub::new(HubConfig::default());
//! let now = Time::from_micros(0);
//! let user = UserId::of_key(&[1; 32]);
//! let handle = Handle::parse("Roadrunner").unwrap();
//! let person = Person { handle, tag: user.tag(), description: None, country: None };
//! let (conn, login, token) = (ConnId(1), LoginId(1), ResumeToken([7; 32]));
//!
//! // Somebody connects. Nothing is to be done yet, but the hub wants to be woken.
//! hub.handle(Input::Connected { conn, login, user, address: None, person, token }, now);
//! assert_eq!(hub.poll(), None);
//! let wake = hub.poll_timeout().unwrap();
//! assert_eq!(wake, now + limits::HANDSHAKE);
//!
//! // They do not say hello in time.
//! hub.handle_timeout(wake);
//! assert_eq!(hub.poll(), Some(Output::Disconnect { conn, code: Code::HelloExpected }));
//! hub.handle(Input::Disconnected { conn }, wake);
//! assert_eq!((hub.poll(), hub.poll_timeout()), (None, None));
//! ```
//!
//! Who is near enough to hear whom is decided in [`reach`].
//!
//! # The machines
//!
//! * [`hub::Hub`] - one for a server: sessions, channels, presence, permission to talk, routes.
//! * [`front::Port`] - one for each connection, and [`front::Dispatch`] - one for a hub: what a shell would write otherwise.
//! * [`voice::Uplink`] - one for each talking connection: takes frames at the door, keeps them
//!   until the burst is admitted, notices silence.
//! * [`voice::Deck`] - one for each worker: the logs of the bursts on the air, a cursor for each
//!   listener, wiping on time.
//! * [`radio::Radio`] - one for each native client: link, button, playout.
//! * [`Reading`] - one for each connection: when its socket is read.

mod bucket;
mod chance;
pub mod front;
pub mod hub;
pub mod radio;
pub mod reach;
mod reading;
pub mod time;
mod timeline;
pub mod voice;

pub use bucket::Bucket;
pub use reading::Reading;
pub use tenfour_protocol::{mutant, mutants};
pub use time::Time;

/// Names a connection. The shell chooses the numbers and never uses one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);
