//! Why a server does not start. Each says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::bus::BusError;
use crate::store::StoreError;
use crate::tls::TlsError;

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The listener cannot be opened.
    #[error("cannot listen on {address}: {}", listen_advice(.cause, *.address, .flag))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The flag that names another address.
        flag: &'static str,
        /// Why. It is part of the text, so it is no source.
        cause: io::Error,
    },
    /// The data folder cannot be used.
    #[error("cannot use the data folder {path}: {cause}; name another with --data DIR, or make it writable")]
    Data {
        /// Which folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is no folder for the connection log.
    #[error(
        "cannot use {}: {cause}; it has to be a folder, for the connection log: move away what has this name, or make the data folder writable",
        .path.join("log").display()
    )]
    ConnectionLog {
        /// The data folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no way to the other nodes.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses a thread, a runtime or a socket option.
    #[error("the system refuses what a server needs: {0}")]
    System(io::Error),
}

fn listen_advice(error: &io::Error, address: SocketAddr, flag: &str) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is taken; stop the other program, or choose another port with {flag} {}:{}",
            address.ip(),
            port.wrapping_add(1).max(1024),
        ),
        io::ErrorKind::PermissionDenied => {
            format!(
                "port {port} needs more rights; use one from 1024 on, or give the binary CAP_NET_BIND_SERVICE"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {}; use 127.0.0.1, or 0.0.0.0 for all", address.ip())
        }
        _ => error.to_string(),
    }
}
