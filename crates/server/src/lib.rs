//! The shell around the hub: sockets, HTTP, store, the web page, configuration.

pub mod config;
mod error;

use std::net::{SocketAddr, TcpListener};

pub use error::StartError;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// Starts a server.
    pub fn start(config: config::Config) -> Result<Self, StartError> {
        let listener = TcpListener::bind(config.listen)
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        Ok(Self { address: listener.local_addr().map_err(StartError::System)? })
    }

    /// Serves until SIGINT or SIGTERM.
    pub fn run_until_signal(self) -> Result<(), StartError> {
        println!("Tenfour is on the air: http://{}", self.address);
        Ok(())
    }
}
