//! Everybody with one tag, with their sessions: one value of the store.
//!
//! What has to hold between users holds between those of one tag: a key is there once, and no two can
//! be mistaken for each other. So it holds when this value is changed by compare-and-set, whichever
//! node does it.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenfour_protocol::limits::USERS_PER_TAG;
use tenfour_protocol::{Description, Handle, UserId};

use crate::handle;
use crate::store::{Day, StoredSession, TokenHash, User, Written};

/// All users of a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Counts its changes: an earlier one that somebody puts back is known by it.
    #[serde(default)]
    version: u64,
    users: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: Bytes,
    handle: Handle,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    created: u32,
    /// Hashes of tokens, with the day of the last use; the oldest first.
    sessions: Vec<(Bytes, u32)>,
}

/// 32 bytes, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bytes([u8; 32]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("32 bytes in base64url"))
    }
}

impl Entry {
    fn id(&self) -> UserId {
        UserId::of_key(&self.key.0)
    }

    fn user(&self) -> User {
        User {
            id: self.id(),
            key: self.key.0,
            handle: self.handle.clone(),
            description: self.description.clone(),
            created: Day(self.created),
        }
    }
}

impl Page {
    /// Of two that are ours, the one with more is the newer.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// This, as a change of what has that version.
    pub(super) fn after(self, version: u64) -> Self {
        Self { version: version + 1, ..self }
    }

    pub(super) fn users(&self) -> Vec<User> {
        self.users.iter().map(Entry::user).collect()
    }

    pub(super) fn user(&self, id: &UserId) -> Option<User> {
        self.users.iter().find(|entry| entry.id() == *id).map(Entry::user)
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.users.len()
    }

    /// Every session of everybody here.
    pub(super) fn sessions(&self) -> Vec<StoredSession> {
        let of = |entry: &Entry| {
            let user = entry.id();
            entry
                .sessions
                .iter()
                .map(move |(hash, used)| StoredSession { hash: hash.0, user, used: Day(*used) })
                .collect::<Vec<_>>()
        };
        self.users.iter().flat_map(of).collect()
    }

    fn entry(&mut self, id: &UserId) -> Option<&mut Entry> {
        self.users.iter_mut().find(|entry| entry.id() == *id)
    }

    fn is_mistakable(&self, user: &User) -> bool {
        let look = handle::look(&user.handle);
        self.users.iter().any(|other| other.id() != user.id && handle::look(&other.handle) == look)
    }

    pub(super) fn insert(&mut self, user: &User) -> Written {
        if self.is_mistakable(user) {
            return Written::Mistakable;
        }
        if self.entry(&user.id).is_some() {
            return Written::Known;
        }
        if self.users.len() >= USERS_PER_TAG {
            return Written::Full;
        }
        self.users.push(Entry {
            key: Bytes(user.key),
            handle: user.handle.clone(),
            description: user.description.clone(),
            created: user.created.0,
            sessions: Vec::new(),
        });
        Written::Done
    }

    pub(super) fn update(&mut self, user: &User) -> Written {
        if self.is_mistakable(user) {
            return Written::Mistakable;
        }
        let Some(entry) = self.entry(&user.id) else { return Written::Unknown };
        entry.handle = user.handle.clone();
        entry.description = user.description.clone();
        Written::Done
    }

    /// False when there is no such user.
    pub(super) fn erase(&mut self, id: &UserId) -> bool {
        let before = self.users.len();
        self.users.retain(|entry| entry.id() != *id);
        self.users.len() < before
    }

    /// False when there is no such user.
    pub(super) fn put_session(&mut self, session: &StoredSession) -> bool {
        let Some(entry) = self.entry(&session.user) else { return false };
        match entry.sessions.iter_mut().find(|(hash, _)| hash.0 == session.hash) {
            Some((_, used)) => *used = session.used.0.max(*used),
            None => entry.sessions.push((Bytes(session.hash), session.used.0)),
        }
        true
    }

    pub(super) fn remove_session(&mut self, id: &UserId, hash: &TokenHash) {
        if let Some(entry) = self.entry(id) {
            entry.sessions.retain(|(kept, _)| kept.0 != *hash);
        }
    }

    pub(super) fn remove_sessions(&mut self, id: &UserId) {
        if let Some(entry) = self.entry(id) {
            entry.sessions.clear();
        }
    }
}
