//! Everything that a data folder holds of a user, which is all that an operator could hand over.

use std::path::{Path, PathBuf};

use tenfour_protocol::UserId;
use tenfour_protocol::http::Held;
use thiserror::Error;

use crate::connection_log::{self, ConnectionLogError};
use crate::server::STORE;
use crate::store::{self, Store, StoreError};

/// Why it cannot be told.
#[derive(Debug, Error)]
pub enum SubjectError {
    /// No server has worked in this folder.
    #[error("there is no store in {0}: name its folder with --data DIR")]
    NoStore(PathBuf),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection log cannot be read.
    #[error(transparent)]
    Log(#[from] ConnectionLogError),
}

/// Reads it, and changes nothing; a server may be running. Nothing when the user is not known.
///
/// # Errors
/// When there is no store, or it or the log cannot be read.
pub fn subject(data: &Path, user: &UserId) -> Result<Option<Held>, SubjectError> {
    let path = store_in(data)?;
    let Some(mut held) = store::read_held(&path, user)? else { return Ok(None) };
    held.connections = connection_log::held_by(data, user)?;
    Ok(Some(held))
}

/// The same of the store of a cluster, with the connection log of this node: the other nodes have theirs.
///
/// # Errors
/// When it or the log cannot be read.
pub fn subject_in(store: &mut impl Store, data: &Path, user: &UserId) -> Result<Option<Held>, SubjectError> {
    let Some(mut held) = store::held_in(store, user)? else { return Ok(None) };
    held.connections = connection_log::held_by(data, user)?;
    Ok(Some(held))
}

/// The store's file in a data folder.
///
/// # Errors
/// When there is none.
pub fn store_in(data: &Path) -> Result<PathBuf, SubjectError> {
    let path = data.join(STORE);
    if path.exists() { Ok(path) } else { Err(SubjectError::NoStore(data.to_owned())) }
}
