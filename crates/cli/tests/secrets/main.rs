//! What the server must not keep, looked for from outside: in the memory of a real process, in its
//! data folder, in its log and in what went over the wire.
//!
//! The searches read `/proc`, so this is for Linux. `cargo xtask soak cells` runs the search for
//! cells at length.
#![cfg(target_os = "linux")]

mod canary;
mod cells;
mod clients;
mod coordinates;
mod forms;
mod http;
mod image;
mod line;
mod logs;
#[path = "../../../server/tests/cluster/nats.rs"]
#[allow(dead_code, reason = "made for more tests than these")]
mod nats;
mod nodes;
mod operational;
mod people;
mod queues;
mod recorder;
mod requests;
mod search;
mod server;
mod sessions;
mod socket;
mod table;
mod unfinished;
