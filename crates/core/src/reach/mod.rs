//! Range: who is near enough to hear whom. Only this module reads cells.
//!
//! A listener hears a talker when the centres of their H3 resolution-6 cells are no further apart than the smaller of
//! the talker's transmit and the listener's receive range. That is a pure function of two cells and two steps, on one
//! grid that never changes. An attacker who tries a thousand invented places learns the cell, but not where in the
//! cell somebody is.
//!
//! * `cell` - a position snapped to its cell; a cell judged, and its centre taken
//! * `distance` - how far two centres are apart, and the [`SignalGrade`](tenfour_protocol::SignalGrade)
//! * `spots` - the places of everybody who is here, one place in memory for each; wiped
//! * `country` - the country of a centre
//! * `region` - which nodes of a cluster a talker may concern
//! * `epoch` - the moments at which places change
//! * `budget`, `stamp` - how often a key may say another cell

mod budget;
mod cell;
mod country;
mod distance;
mod epoch;
mod region;
mod spots;
mod stamp;

pub(crate) use budget::Ledger;
pub(crate) use cell::Place;
pub use cell::{NoPosition, snap};
pub use epoch::epoch_in;
pub(crate) use spots::{Slot, Spots, Talker};
pub use stamp::Secret;
pub(crate) use stamp::Stamp;

/// Bytes of stack that code for cells may have written.
const STACK_BYTES: usize = 16 * 1024;

/// Overwrites the stack below the caller, where code that worked on a cell left copies that nobody owns. Call it
/// after a message with a cell was parsed or handled.
#[inline(never)]
pub fn scrub_stack() {
    let mut pad = [0_u8; STACK_BYTES];
    std::hint::black_box(&mut pad);
}
