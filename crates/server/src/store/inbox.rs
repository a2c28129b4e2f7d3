//! The operator's inbox.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tenfour_protocol::UserId;
use tenfour_protocol::http::HeldMessage;

use super::held::held_message;
use super::{Sqlite, Store, StoreError, StoredMessage};

/// A message with its writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Who wrote it: the identifier that was proven at the log-in.
    pub user: UserId,
    /// The message.
    pub message: HeldMessage,
}

/// All messages, the newest last. Changes nothing; a server may be running.
///
/// # Errors
/// When the store cannot be read.
pub fn read_inbox(path: &Path) -> Result<Vec<Letter>, StoreError> {
    letters_in(&mut Sqlite::look_into(path)?)
}

/// The same of any store.
///
/// # Errors
/// When it cannot be read.
pub fn letters_in(store: &mut impl Store) -> Result<Vec<Letter>, StoreError> {
    Ok(letters(store.messages()?))
}

/// Messages with their writers.
pub(crate) fn letters(messages: Vec<StoredMessage>) -> Vec<Letter> {
    let letter = |message: StoredMessage| Letter { user: message.user, message: held_message(message) };
    messages.into_iter().map(letter).collect()
}

/// Removes messages from the store of a server that does not run, as far as there are any of these numbers, and
/// overwrites their bytes.
///
/// # Errors
/// When the store cannot be written, or a server runs on it.
pub fn remove_messages(path: &Path, ids: &[u32]) -> Result<(), StoreError> {
    let mut store = Sqlite::open(path)?;
    store.remove_messages(ids)?;
    store.scrub()
}
