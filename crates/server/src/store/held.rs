//! Everything the store holds of one user: what the user is shown, and what an operator could hand
//! over to anybody.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use tenfour_protocol::UserId;
use tenfour_protocol::http::{Held, HeldSession};

use super::{Sqlite, Store, StoreError, StoredSession, TokenHash, User};

/// Both tables, in the words of the API. `this` is the session that asks.
pub fn held_by(user: User, mut sessions: Vec<StoredSession>, this: Option<&TokenHash>) -> Held {
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
    }
}

/// Reads it from the store at `path`, and changes nothing; a server may be running on it.
pub fn read_held(path: &Path, id: &UserId) -> Result<Option<Held>, StoreError> {
    let mut store = Sqlite::look_into(path)?;
    let Some(user) = store.user(id)? else { return Ok(None) };
    let sessions = store.sessions_of(id)?;
    Ok(Some(held_by(user, sessions, None)))
}
