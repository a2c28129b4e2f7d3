//! Everything the store holds of one user: what the user is shown, and what an operator could hand
//! over to anybody.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::UserId;
use tenfour_protocol::http::{Held, HeldMessage, HeldSession};

use super::{Sqlite, Store, StoreError, Stored, StoredMessage, TokenHash};

/// All tables, in the words of the API. `this` is the session that asks.
pub fn held_by(stored: Stored, this: Option<&TokenHash>) -> Held {
    let Stored { user, mut sessions, messages } = stored;
    sessions.sort_unstable_by_key(|session| (session.used, session.hash));
    let sessions = sessions.into_iter().map(|session| HeldSession {
        token_hash: BASE64URL_NOPAD.encode(&session.hash),
        used: session.used.to_string(),
        this: this == Some(&session.hash),
    });
    Held {
        user: user.id,
        tag: user.id.tag(),
        handle: user.handle,
        description: user.description,
        key: BASE64URL_NOPAD.encode(&user.key),
        created: user.created.to_string(),
        sessions: sessions.collect(),
        // Not the store's.
        connections: Vec::new(),
        messages: messages.into_iter().map(held_message).collect(),
    }
}

pub(super) fn held_message(message: StoredMessage) -> HeldMessage {
    let StoredMessage { id, user: _, handle, sent, text } = message;
    HeldMessage { id, sent: sent.to_string(), handle, text }
}

/// Reads it from a store.
pub fn held_in(store: &mut impl Store, id: &UserId) -> Result<Option<Held>, StoreError> {
    Ok(read_stored(store, id)?.map(|stored| held_by(stored, None)))
}

/// Everything of a user, as it is stored.
pub(super) fn read_stored(store: &mut dyn Store, id: &UserId) -> Result<Option<Stored>, StoreError> {
    let Some(user) = store.user(id)? else { return Ok(None) };
    Ok(Some(Stored { user, sessions: store.sessions_of(id)?, messages: store.messages_of(id)? }))
}

/// Reads it from the store at `path`, and changes nothing; a server may be running on it.
pub fn read_held(path: &Path, id: &UserId) -> Result<Option<Held>, StoreError> {
    held_in(&mut Sqlite::look_into(path)?, id)
}
