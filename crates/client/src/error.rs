//! What can go wrong for a client.

use std::io;
use std::path::PathBuf;

use tenfour_protocol::Refusal;

use crate::key_file::KeyFileError;

/// Why a client could not do what it was asked. Each says what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no address of a server.
    #[error(
        "`{0}` is no address of a server. Write it like https://radio.example or http://127.0.0.1:27185."
    )]
    Address(String),
    /// The text is no fingerprint.
    #[error("`{0}` is no fingerprint. It has 64 hexadecimal digits; `tenfour serve` prints it.")]
    Fingerprint(String),
    /// No connection to the server.
    #[error("No link to {server}: {why}. Is the server running, and is the address right?")]
    NoLink {
        /// The server's origin.
        server: String,
        /// What the system says.
        why: String,
    },
    /// The server's certificate is not trusted.
    #[error("{server} is not trusted: {why}. If it is yours, pass the fingerprint it prints with --trust.")]
    NotTrusted {
        /// The server's origin.
        server: String,
        /// What is wrong.
        why: String,
    },
    /// The server said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something else answers there.
    #[error("{server} does not answer like a Tenfour server ({why}). Check the address.")]
    NotTenfour {
        /// The server's origin.
        server: String,
        /// What came instead.
        why: String,
    },
    /// First contact without a handle.
    #[error("This key is not known at {0} yet. Give yourself a handle with --handle NAME.")]
    HandleNeeded(String),
    /// The key file cannot be read or made.
    #[error("The key file {} cannot be used: {why}. Name another with --key FILE.", path.display())]
    Key {
        /// Where it is, or should be.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no key file.
    #[error("There is no key at {}, so there is nobody to be. Name another file with --key FILE.", path.display())]
    NoKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// A key is in the place of one that is to be kept.
    #[error(
        "There is a key at {} already, and it is another one. With --replace it is kept beside the new one.",
        path.display()
    )]
    KeyThere {
        /// Where it is.
        path: PathBuf,
    },
    /// The key file of another device cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The recording cannot be read.
    #[error("The recording cannot be used: {0}.")]
    Recording(String),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
