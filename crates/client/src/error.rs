//! Errors of a client.

use std::io;
use std::path::PathBuf;

use tenfour_protocol::Refusal;
use tenfour_protocol::limits::{PASSPHRASE_BYTES, PASSPHRASE_CHARACTERS};

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
    /// Another key is where a key is to be kept.
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

/// Why a key file is not written or not read. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The passphrase is wrong.
    #[error("The passphrase does not fit this key file. Try again; nobody can open the file without it.")]
    WrongPassphrase,
    /// The file is damaged.
    #[error("The key file is damaged. Copy it once more from where it was made.")]
    Damaged,
    /// Of a version that this program does not know.
    #[error(
        "The key file was made by a newer Tenfour (version {0} of the format). Use a newer one here, too."
    )]
    Newer(u64),
    /// Something else.
    #[error(
        "That is no Tenfour key file. Such a file is made by `tenfour key export`, or by the settings of the page."
    )]
    NotAKeyFile,
    /// Too short, or too long.
    #[error(
        "The passphrase has to have {PASSPHRASE_CHARACTERS} characters or more, and {PASSPHRASE_BYTES} bytes at most."
    )]
    Passphrase,
    /// The file cannot be written, or the system has no randomness.
    #[error("{0}")]
    System(String),
}
