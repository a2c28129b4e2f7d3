//! The front: the code between connections, workers and the [hub](crate::hub), which is the same for every shell.
//!
//! ```text
//! client ── messages, frames ──► Port ── inputs ──► Hub ── outputs ──► Dispatch ── rounds of orders ──► workers
//!                                 ▲                                                                        │
//!                                 └──────────────────────────── PortOrder ─────────────────────────────────┘
//! ```
//!
//! * [`Port`] - one for each connection: takes what its client says, owns its [`Uplink`](crate::voice::Uplink), gives
//!   the hub its inputs.
//! * [`Dispatch`] - one for each hub: sorts the hub's outputs into orders for workers and messages for the bus.
//!   Outputs that must not overtake each other are in different [`Round`]s.
//! * [`Order`] - what one worker does. [`DeckOrder::carry_out`] and [`Port::obey`] do most of them.
//!
//! The server, the simulations, the scenarios and the attackers are shells around these three. Shells carry bytes and
//! know threads; none of them decides what a message means or what comes first.

mod dispatch;
mod order;
mod port;

pub use dispatch::{Dispatch, Handover, Round, Shell, Unwritten};
pub use order::{DeckOrder, Order, PortOrder};
pub use port::{Port, PortOutput};
