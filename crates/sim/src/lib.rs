//! A seeded world: one hub with its workers, many radios, an emulated network between them,
//! and a reference model that watches everything and complains.
//!
//! The state machines are the real ones of `tenfour-core`; only the shells are simulated. A
//! world is a function of its seed: the same seed gives the same log, byte for byte.
//!
//! * [`schedule`] - virtual time: what happens next
//! * [`network`] - pipes with delay, jitter, loss, reorder, a window, and drops
//! * [`context`] - what all parts share: events, chance, wires, the log
//! * [`place`] - where people are, and how far apart
//! * [`server`] - the server's shell: hub and workers, with queues that take time
//! * [`client`] - a radio's shell: its microphone, its ears
//! * [`world`] - all of it together, and what the people in it do
//! * [`same_cell`] - pairs of worlds that nobody can tell apart; [`tape`] - what leaves the server
//! * [`broken`] - hubs that break a promise on purpose
//! * [`cluster`] - several hubs on a bus
//! * [`planet`] - what a cluster costs when people are spread like on Earth
//! * [`model`] - what must be true

pub mod broken;
pub mod client;
pub mod cluster;
pub mod context;
pub mod letters;
pub mod model;
pub mod network;
pub mod place;
pub mod planet;
pub mod report;
pub mod same_cell;
pub mod schedule;
pub mod server;
pub mod tape;
pub mod voice;
pub mod world;

pub use world::{Plan, run};
