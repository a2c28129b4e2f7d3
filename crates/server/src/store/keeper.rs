//! The thread of the store.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use tenfour_protocol::{ContactText, UserId};
use tokio::sync::oneshot;

use super::keeping::Keeping;
use super::{Change, Left, Revision, Store, StoreError, Stored, StoredSession, TokenHash, User, Written};

use crate::lock::lock;

/// A handle to the store that can be cloned and awaited.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Boxed: a channel keeps what went through it for a while, a box is wiped when it is given back.
    commands: mpsc::Sender<Box<Command>>,
    trouble: Trouble,
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

/// The thread behind a [`Keeper`]. It ends when all handles are gone.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

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
}

pub(super) type Asker<T> = oneshot::Sender<Result<T, StoreError>>;

impl Command {
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::User(..) | Self::Held(..) | Self::SpendNonce(..) | Self::StateOf(..))
    }

    /// True when something is deleted or replaced that must not be found any more.
    pub(super) fn leaves_something(&self) -> bool {
        match self {
            // A message may take the place of another.
            Self::UpdateUser(..)
            | Self::Erase(..)
            | Self::RemoveSession(..)
            | Self::RemoveSessions(..)
            | Self::PutMessage(..) => true,
            Self::InsertUser(..)
            | Self::User(..)
            | Self::Held(..)
            | Self::BeginSession(..)
            | Self::PutSession(..)
            | Self::SpendNonce(..)
            | Self::StateOf(..) => false,
        }
    }
}

impl Command {
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

impl Keeper {
    /// Starts the thread.
    pub fn start(store: impl Store + 'static) -> std::io::Result<(Self, StoreThread)> {
        let (commands, inbox) = mpsc::channel();
        let trouble = Trouble::default();
        let mut keeping = Keeping::of(store, trouble.clone());
        let thread =
            std::thread::Builder::new().name("tenfour-store".into()).spawn(move || keeping.run(&inbox))?;
        Ok((Self { commands, trouble }, StoreThread(thread)))
    }

    /// Why nothing, or not everything, is stored at the moment, in words for the operator; nothing when all is
    /// well.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.words()
    }

    /// See [`Store::insert_user`].
    pub async fn insert_user(&self, user: User) -> Result<Written, StoreError> {
        self.ask(|answer| Command::InsertUser(Box::new(user), answer)).await
    }

    /// See [`Store::update_user`].
    pub async fn update_user(&self, user: User) -> Result<Written, StoreError> {
        self.ask(|answer| Command::UpdateUser(Box::new(user), answer)).await
    }

    /// See [`Store::erase`]. When it is answered, nothing is left in the files.
    pub async fn erase(&self, id: UserId) -> Result<bool, StoreError> {
        self.ask(|answer| Command::Erase(id, answer)).await
    }

    /// See [`Store::user`].
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.ask(|answer| Command::User(id, answer)).await
    }

    /// Everything of a user.
    pub async fn held(&self, id: UserId) -> Result<Option<Stored>, StoreError> {
        self.ask(|answer| Command::Held(id, answer)).await
    }

    /// Adds a session, and says whose it is and from which state of the store on it is there; nothing
    /// when there is no such user.
    pub async fn begin_session(
        &self,
        session: StoredSession,
    ) -> Result<Option<(User, Revision)>, StoreError> {
        self.ask(|answer| Command::BeginSession(session, answer)).await
    }

    /// See [`Store::put_session`].
    pub async fn put_session(&self, session: StoredSession) -> Result<Option<Revision>, StoreError> {
        self.ask(|answer| Command::PutSession(session, answer)).await
    }

    /// See [`Store::remove_session`].
    pub async fn remove_session(&self, id: UserId, hash: TokenHash) -> Result<(), StoreError> {
        self.ask(|answer| Command::RemoveSession(id, hash, answer)).await
    }

    /// See [`Store::remove_sessions`].
    pub async fn remove_sessions(&self, id: UserId) -> Result<(), StoreError> {
        self.ask(|answer| Command::RemoveSessions(id, answer)).await
    }

    /// See [`Store::put_message`]; sent now.
    pub async fn put_message(&self, id: UserId, text: ContactText) -> Result<Left, StoreError> {
        self.ask(|answer| Command::PutMessage(id, Box::new(text), answer)).await
    }

    /// See [`Store::spend_nonce`].
    pub async fn spend_nonce(&self, nonce: [u8; 32]) -> Result<bool, StoreError> {
        self.ask(|answer| Command::SpendNonce(nonce, answer)).await
    }

    /// See [`Store::state_of`].
    pub async fn state_of(&self, id: UserId) -> Result<Option<Change>, StoreError> {
        self.ask(|answer| Command::StateOf(id, answer)).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Asker<T>) -> Command) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Box::new(command(answer))).map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }
}

impl StoreThread {
    /// Waits until everything is written. All handles have to be gone.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the thread of the store had panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Day, Sqlite};
    use tenfour_protocol::{Description, Handle};

    fn user(seed: u32) -> User {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&seed.to_be_bytes());
        User {
            id: UserId::of_key(&key),
            key,
            handle: Handle::parse(&format!("Roadrunner {seed}")).unwrap(),
            description: Description::parse(&"x".repeat(140)).ok(),
            created: Day(1),
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_what_was_answered_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let store = Sqlite::open(&path).unwrap();
        // Some more than what is kept.
        store.limit_pages(300);
        let (keeper, thread) = Keeper::start(store).unwrap();
        let mut kept = Vec::new();
        let full = loop {
            let next = user(u32::try_from(kept.len()).unwrap());
            match keeper.insert_user(next.clone()).await {
                Ok(Written::Done) => kept.push(next),
                Ok(other) => panic!("{other:?}: nobody is registered twice"),
                Err(error) => break error,
            }
            assert!(kept.len() < 10_000, "the disk is never full");
        };
        assert!(matches!(full, StoreError::Full { .. }), "{full}");
        assert_eq!(keeper.user(kept[0].id).await.unwrap(), Some(kept[0].clone()), "reading goes on");
        drop(keeper);
        thread.join();
        let (keeper, thread) = Keeper::start(Sqlite::open(&path).unwrap()).unwrap();
        for user in &kept {
            assert_eq!(keeper.user(user.id).await.unwrap().as_ref(), Some(user));
        }
        assert_eq!(keeper.insert_user(user(5000)).await.unwrap(), Written::Done, "there is room again");
        drop(keeper);
        thread.join();
    }
}
