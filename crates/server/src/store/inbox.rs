//! The operator's inbox, in the data folder: read and emptied by a program beside the server.

use std::path::Path;
use std::time::{Duration, Instant};

use tenfour_protocol::UserId;
use tenfour_protocol::http::HeldMessage;

use super::files::Request;
use super::held::held_message;
use super::{Sqlite, Store, StoreError, StoredMessage};

/// The longest that a running server is waited for. It looks each second.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the server is done.
const LOOK: Duration = Duration::from_millis(20);

/// A message with its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    let messages = store.messages()?;
    let letter = |message: StoredMessage| Letter { user: message.user, message: held_message(message) };
    Ok(messages.into_iter().map(letter).collect())
}

/// Removes messages, as far as there are any of these numbers, and overwrites their bytes. A server
/// that runs on the file is asked to do it, and waited for; false when it does not.
///
/// # Errors
/// When the store cannot be written.
pub fn remove_messages(path: &Path, ids: &[u32]) -> Result<bool, StoreError> {
    match Sqlite::open(path) {
        Ok(mut store) => {
            store.remove_messages(ids)?;
            store.scrub()?;
            Ok(true)
        }
        Err(StoreError::Locked { .. }) => {
            let refuse = |error: std::io::Error| StoreError::NotWritable {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            let asked = Instant::now();
            let request = wait(asked, || Request::make(path, ids).map_err(refuse).transpose());
            let Some(request) = request.transpose()? else { return Ok(false) };
            let is_over = wait(asked, || request.is_over().then_some(())).is_some();
            let left = read_inbox(path)?;
            Ok(is_over && !left.iter().any(|letter| ids.contains(&letter.message.id)))
        }
        Err(error) => Err(error),
    }
}

/// Tries until there is something, or for as long as a person waits.
fn wait<T>(since: Instant, mut of: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let found = of();
        if found.is_some() || since.elapsed() > PATIENCE {
            return found;
        }
        std::thread::sleep(LOOK);
    }
}
