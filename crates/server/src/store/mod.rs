//! The store: users, the hashes of their sessions, and what they wrote to the operator.
//!
//! A [`Store`] may block; the [`StoreHandle`] gives it a thread of its own and everybody else a handle that can be
//! awaited. When the answer comes, what was deleted or replaced is gone from the files too: see [`Store::scrub`].

mod files;
mod handle;
mod held;
mod inbox;
mod jetstream;
mod job;
mod messages;
mod reserve;
mod residue;
mod schema;
mod sqlite;
mod thread;
#[cfg(test)]
mod trace_tests;
mod users;
mod wiped;

use tenfour_protocol::{ContactText, Description, Handle, Person, UserId};
use thiserror::Error;

use crate::nats::NatsError;

pub use crate::calendar::{Day, Minute};
pub use handle::{StoreHandle, StoreThread};
pub use held::{held_by, held_in, read_held};
pub(crate) use inbox::letters;
pub use inbox::{Letter, letters_in, read_inbox, remove_messages};
pub use jetstream::{Changes, JetStream};
pub use sqlite::Sqlite;

/// SHA-256 of a session token: what is kept of it.
pub type TokenHash = [u8; 32];

/// Which state of the store something is from. It only grows. A store that one node has to itself has
/// one state only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// What a store of many nodes says by itself: all there is from one identifier to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The state that this is.
    pub revision: Revision,
    /// Of whom.
    pub first: UserId,
    /// To whom, inclusive.
    pub last: UserId,
    /// Everybody in between.
    pub users: Vec<User>,
    /// Every session of theirs.
    pub sessions: Vec<StoredSession>,
}

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Nickname.
    pub handle: Handle,
    /// A line about oneself.
    pub description: Option<Description>,
    /// When it was made.
    pub created: Day,
}

impl User {
    /// The user as others see it, before it says where it is.
    pub fn person(&self) -> Person {
        Person {
            handle: self.handle.clone(),
            tag: self.id.tag(),
            description: self.description.clone(),
            country: None,
        }
    }
}

/// A session that outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSession {
    /// Hash of its token.
    pub hash: TokenHash,
    /// Whose it is.
    pub user: UserId,
    /// Day of its last use.
    pub used: Day,
}

/// A message to the operator. The handle is the one at the time; the tag follows from the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Counts up, and is never used again.
    pub id: u32,
    /// Who wrote it.
    pub user: UserId,
    /// The writer's nickname when it was sent.
    pub handle: Handle,
    /// When.
    pub sent: Minute,
    /// What.
    pub text: ContactText,
}

/// Everything of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The user.
    pub user: User,
    /// Its sessions.
    pub sessions: Vec<StoredSession>,
    /// What it wrote to the operator, the oldest first.
    pub messages: Vec<StoredMessage>,
}

/// How a message was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It waits for the operator.
    Done,
    /// Not stored: there is no such user.
    Unknown,
    /// Not stored: as many of this user wait as may.
    TooMany,
    /// Not stored: as many of everybody wait as may, each of them from somebody else.
    Full,
}

/// How a user was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As asked.
    Done,
    /// Not added: the key is known already.
    Known,
    /// Not changed: there is no such user.
    Unknown,
    /// Not added: there are as many users as may be, or as many with this tag.
    Full,
    /// Not at all: another user has the same tag, and a handle that looks the same. The two could
    /// not be told apart by what others see.
    Mistakable,
}

/// What a store does. Calls may block.
pub trait Store: Send {
    /// Adds a user.
    fn insert_user(&mut self, user: &User) -> Result<Written, StoreError>;
    /// Writes a user's handle and description.
    fn update_user(&mut self, user: &User) -> Result<Written, StoreError>;
    /// Forgets a user, its sessions and its messages; false when there was none.
    fn erase(&mut self, id: &UserId) -> Result<bool, StoreError>;
    /// The user with this identifier.
    fn user(&mut self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// Every session.
    fn sessions(&mut self) -> Result<Vec<StoredSession>, StoreError>;
    /// The sessions of a user.
    fn sessions_of(&mut self, id: &UserId) -> Result<Vec<StoredSession>, StoreError>;
    /// Adds a session, or notes its last use, and says from which state on it is there; nothing when
    /// there is no such user.
    fn put_session(&mut self, session: &StoredSession) -> Result<Option<Revision>, StoreError>;
    /// Forgets a session of a user.
    fn remove_session(&mut self, id: &UserId, hash: &TokenHash) -> Result<(), StoreError>;
    /// Forgets every session of a user.
    fn remove_sessions(&mut self, id: &UserId) -> Result<(), StoreError>;
    /// Leaves a message for the operator, with the writer's handle of this moment. When as many wait as may,
    /// the oldest one of whoever has most of them makes room for somebody who has none.
    fn put_message(&mut self, user: &UserId, text: &ContactText, sent: Minute) -> Result<Left, StoreError>;
    /// The messages of a user, the oldest first.
    fn messages_of(&mut self, id: &UserId) -> Result<Vec<StoredMessage>, StoreError>;
    /// The messages of everybody, the oldest first.
    fn messages(&mut self) -> Result<Vec<StoredMessage>, StoreError>;
    /// Forgets the messages that were sent before this; says how many they were.
    fn expire_messages(&mut self, before: Minute) -> Result<usize, StoreError>;
    /// Forgets messages, as far as there are any of these numbers.
    fn remove_messages(&mut self, ids: &[u32]) -> Result<(), StoreError>;
    /// Begins to collect changes: they last once [`Store::commit`] has returned. A store of many nodes
    /// collects nothing: each change lasts by itself.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Makes the collected changes last, all of them or none.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Gives up the collected changes.
    fn roll_back(&mut self);
    /// Overwrites what earlier changes left behind. After it the files hold no byte of a row that
    /// was deleted, nor of the earlier value of one that was changed. A store of many nodes asks NATS
    /// for it.
    fn scrub(&mut self) -> Result<(), StoreError>;
    /// Keeps the room that erasures, log-outs and log-ins need, for a time when the disk is full. An error says
    /// why nothing else should be stored now.
    fn keep_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Whether the disk has less than is kept for those. A question to the system, and cheap.
    fn is_full(&self) -> bool {
        false
    }
    /// Writes something that means nothing: a disk that fails may not say so until somebody writes.
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// The newest state of everybody with the tag of this identifier, in a store of many nodes.
    fn state_of(&mut self, _id: &UserId) -> Result<Option<Change>, StoreError> {
        Ok(None)
    }
    /// What the nodes of a cluster sign with; nothing when there is one node only.
    fn secret(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(None)
    }
    /// Spends a nonce of a cluster: true for the first node that asks.
    fn spend_nonce(&mut self, _nonce: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(false)
    }
}

/// Why the store does not do what it is asked. Each says what to do.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Cannot be created, read or written.
    #[error(
        "{path} cannot be opened for writing ({reason}): check its rights and the free space, or name another folder with --data DIR"
    )]
    NotWritable {
        /// The file.
        path: String,
        /// What SQLite says.
        reason: String,
    },
    /// Another program has it.
    #[error(
        "{path} is in use by another program: stop the other server, or name another folder with --data DIR"
    )]
    Locked {
        /// The file.
        path: String,
    },
    /// Not a database, or a broken one.
    #[error(
        "{path} is damaged ({reason}): restore it from a copy, or move it away to begin anew (people then register again)"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite says.
        reason: String,
    },
    /// Written by a newer program.
    #[error(
        "{path} was written by a newer version (schema {found}, this one knows {known}): use that version"
    )]
    TooNew {
        /// The file.
        path: String,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// There was something, and is nothing.
    #[error(
        "{path} is empty, and had users in it: restore it from a copy, or remove it to begin anew (people then register again)"
    )]
    Empty {
        /// The file.
        path: String,
    },
    /// No room.
    #[error("{path}: the disk is full: make room; registration works again at once")]
    Full {
        /// The file.
        path: String,
    },
    /// NATS, which has the store, does not do what it is asked.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The thread of the store is gone.
    #[error("the store has stopped")]
    Stopped,
}
