//! The operator's door: HTTP over a unix socket, `operator.sock` in the data folder. `tenfour admin` asks a running
//! server through it, and opens the store itself when none runs.
//!
//! Root and the user of the server may ask, nobody else: the socket has the mode 0600, and the kernel says who
//! connects.

mod running;
mod socket;

pub use running::{OperatorError, Running};
pub(crate) use socket::Socket;
