//! What passes between the thread of the store and those who ask it.

use std::sync::{Arc, Mutex};

use tenfour_protocol::{ContactText, UserId};
use tokio::sync::oneshot;

use super::{
    Change, Left, Revision, StoreError, Stored, StoredMessage, StoredSession, TokenHash, User, Written,
};
use crate::lock::lock;

#[derive(Debug)]
pub(super) enum Command {
    InsertUser(Box<User>, Asker<Written>),
    UpdateUser(Box<User>, Asker<Written>),
    Erase(UserId, Asker<bool>),
    User(UserId, Asker<Option<User>>),
    Held(UserId, Asker<Option<Stored>>),
    BeginSession(StoredSession, Asker<Option<(User, Revision)>>),
    PutSession(StoredSession, Asker<Option<Revision>>),
    RemoveSession(UserId, TokenHash, Asker<()>),
    RemoveSessions(UserId, Asker<()>),
    PutMessage(UserId, Box<ContactText>, Asker<Left>),
    SpendNonce([u8; 32], Asker<bool>),
    StateOf(UserId, Asker<Option<Change>>),
    Messages(Asker<Vec<StoredMessage>>),
    RemoveMessages(Vec<u32>, Asker<()>),
}

pub(super) type Asker<T> = oneshot::Sender<Result<T, StoreError>>;

impl Command {
    pub(super) fn is_read(&self) -> bool {
        matches!(
            self,
            Self::User(..) | Self::Held(..) | Self::SpendNonce(..) | Self::StateOf(..) | Self::Messages(..)
        )
    }

    /// True when something is deleted or replaced that must not be found any more.
    pub(super) fn leaves_something(&self) -> bool {
        match self {
            // A message may take the place of another.
            Self::UpdateUser(..)
            | Self::Erase(..)
            | Self::RemoveSession(..)
            | Self::RemoveSessions(..)
            | Self::PutMessage(..)
            | Self::RemoveMessages(..) => true,
            Self::InsertUser(..)
            | Self::User(..)
            | Self::Held(..)
            | Self::BeginSession(..)
            | Self::PutSession(..)
            | Self::SpendNonce(..)
            | Self::StateOf(..)
            | Self::Messages(..) => false,
        }
    }

    /// Refuses what makes the files longer, and gives back what does not.
    pub(super) fn unless_it_grows(self, refuse: impl Fn() -> StoreError) -> Option<Self> {
        match self {
            // Who asked may have gone away.
            Self::InsertUser(_, answer) => drop(answer.send(Err(refuse()))),
            Self::PutMessage(_, _, answer) => drop(answer.send(Err(refuse()))),
            other => return Some(other),
        }
        None
    }
}

/// Why nothing, or not everything, is stored at the moment, for the operator.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// Notes it, and returns what was noted before.
    pub(super) fn note(&self, words: Option<String>) -> Option<String> {
        std::mem::replace(&mut *lock(&self.0), words)
    }

    pub(super) fn words(&self) -> Option<String> {
        lock(&self.0).clone()
    }
}
