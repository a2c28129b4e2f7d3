//! TLS for both ends of a connection, with every byte in a buffer that we wipe.
//!
//! A TLS library with buffers of its own keeps voice, tokens and cells in them for as long as the socket lives. So a
//! [`Session`] has no buffers for whole messages. Input is decrypted in a scratch buffer of the thread and handed on
//! at once. Output is encrypted into a [`Row`] of the caller. Both are wiped after each use. A session keeps three
//! things, each in memory that is wiped: a record that has not come whole, the rest of a record whose reader was
//! full, and sealed bytes that the socket has not taken.
//!
//! * [`Session`] is sans-IO: bytes in, bytes out. Only `session.rs` uses rustls' unbuffered connections, which the
//!   next version of rustls changes.
//! * [`Stream`] puts a session on a socket, for whatever reads and writes tokio's way.
//!
//! rustls 0.23 makes a `Vec` for each record, both ways, and drops it before it returns. The program's
//! allocator wipes what is freed; a program without such an allocator leaves copies there.

#[cfg(feature = "mutants")]
mod mutants;
mod nobody;
mod row;
mod scratch;
mod session;
mod stream;

#[cfg(feature = "mutants")]
pub use mutants::keep_buffers;
pub use row::Row;
pub use session::{Error, SEALED_MORE, Session};
pub use stream::{Stream, accept, connect};
