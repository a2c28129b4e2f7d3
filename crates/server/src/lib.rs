//! The shell around the hub: sockets, HTTP, store, the web page, configuration. It decides nothing: `tenfour-core`
//! does.
//!
//! ```no_run
//! use tenfour_server::{Server, config::{Config, Settings}};
//!
//! let server = Server::start(Config::new(Settings::default())?)?;
//! println!("on the air: {}", server.url());
//! server.stop();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Threads: one for the hub, one for the store, one for the connection log, one for the door (accepting, the operator's
//! listener and socket, watching certificates), and a [worker](crate) for each core.

pub mod auth;
pub mod bus;
mod calendar;
mod channel_list;
mod clock;
mod cluster;
pub mod config;
pub mod confine;
pub mod connection_log;
mod disk;
mod door;
mod error;
mod follow;
#[doc(hidden)]
mod gate;
pub mod handle;
mod household;
mod housekeeping;
mod http;
mod hub_thread;
mod lobby;
mod lock;
mod metrics;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod nats;
pub mod operator;
mod ops;
mod orders;
mod privacy;
mod process;
mod proxies;
mod random;
mod server;
mod share;
mod shared;
pub mod store;
mod subject;
pub mod telemetry;
mod tls;
mod visitors;
mod web;
mod websocket;
mod worker;

pub use error::StartError;
pub use http::openapi;
pub use server::{STORE, Server};
pub use subject::{SubjectError, store_in, subject, subject_in};
pub use tls::TlsError;
pub use worker::Sinks;
