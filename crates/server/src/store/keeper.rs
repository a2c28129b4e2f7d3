//! The thread of the store.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tenfour_protocol::{ContactText, UserId};
use tokio::sync::oneshot;

use super::command::{Asker, Command, Trouble};
use super::keeping::Keeping;
use super::{
    Change, Left, Revision, Store, StoreError, Stored, StoredMessage, StoredSession, TokenHash, User, Written,
};

/// A handle to the store that can be cloned and awaited.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Boxed: a channel keeps what went through it for a while, a box is wiped when it is given back.
    commands: mpsc::Sender<Box<Command>>,
    trouble: Trouble,
}

/// The thread behind a [`Keeper`]. It ends when all handles are gone.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

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

    /// See [`Store::messages`].
    pub async fn messages(&self) -> Result<Vec<StoredMessage>, StoreError> {
        self.ask(Command::Messages).await
    }

    /// See [`Store::remove_messages`].
    pub async fn remove_messages(&self, ids: Vec<u32>) -> Result<(), StoreError> {
        self.ask(|answer| Command::RemoveMessages(ids, answer)).await
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
