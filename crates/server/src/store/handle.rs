//! A handle to the store, and the thread behind it.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tenfour_protocol::{ContactText, UserId};

use super::held::read_stored;
use super::job::{Answer, Effect, Job, LogOut, Trouble};
use super::thread::StoreLoop;
use super::{
    Change, Left, Revision, Store, StoreError, Stored, StoredMessage, StoredSession, TokenHash, User, Written,
};
use crate::calendar::this_minute;

/// A handle to the store that can be cloned and awaited.
#[derive(Debug, Clone)]
pub struct StoreHandle {
    jobs: mpsc::Sender<Job>,
    trouble: Trouble,
}

/// The thread behind a [`StoreHandle`]. It ends when all handles are gone.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

impl StoreHandle {
    /// Starts the thread.
    pub fn start(store: impl Store + 'static) -> std::io::Result<(Self, StoreThread)> {
        let (jobs, inbox) = mpsc::channel();
        let trouble = Trouble::default();
        let mut serving = StoreLoop::new(store, trouble.clone());
        let thread =
            std::thread::Builder::new().name("tenfour-store".into()).spawn(move || serving.run(&inbox))?;
        Ok((Self { jobs, trouble }, StoreThread(thread)))
    }

    /// Why nothing, or not everything, is stored at the moment, in words for the operator; nothing when all is
    /// well.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.words()
    }

    /// See [`Store::insert_user`].
    pub async fn insert_user(&self, user: User) -> Result<Written, StoreError> {
        self.ask(Effect::Add, move |store| store.insert_user(&user)).await
    }

    /// See [`Store::update_user`].
    pub async fn update_user(&self, user: User) -> Result<Written, StoreError> {
        self.ask(Effect::Remove, move |store| store.update_user(&user)).await
    }

    /// See [`Store::erase`]. When it is answered, nothing is left in the files.
    pub async fn erase(&self, id: UserId) -> Result<bool, StoreError> {
        self.ask(Effect::Remove, move |store| store.erase(&id)).await
    }

    /// See [`Store::user`].
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.ask(Effect::Read, move |store| store.user(&id)).await
    }

    /// Everything of a user.
    pub async fn held(&self, id: UserId) -> Result<Option<Stored>, StoreError> {
        self.ask(Effect::Read, move |store| read_stored(store, &id)).await
    }

    /// Adds a session, and says whose it is and from which state of the store on it is there; nothing
    /// when there is no such user.
    pub async fn begin_session(
        &self,
        session: StoredSession,
    ) -> Result<Option<(User, Revision)>, StoreError> {
        let begin = move |store: &mut dyn Store| {
            let Some(since) = store.put_session(&session)? else { return Ok(None) };
            Ok(store.user(&session.user)?.map(|user| (user, since)))
        };
        self.ask(Effect::Session, begin).await
    }

    /// See [`Store::put_session`].
    pub async fn put_session(&self, session: StoredSession) -> Result<Option<Revision>, StoreError> {
        self.ask(Effect::Session, move |store| store.put_session(&session)).await
    }

    /// See [`Store::remove_session`].
    pub async fn remove_session(&self, id: UserId, hash: TokenHash) -> Result<(), StoreError> {
        self.log_out(LogOut { user: id, session: Some(hash) }).await
    }

    /// See [`Store::remove_sessions`].
    pub async fn remove_sessions(&self, id: UserId) -> Result<(), StoreError> {
        self.log_out(LogOut { user: id, session: None }).await
    }

    /// See [`Store::put_message`]; sent now.
    pub async fn put_message(&self, id: UserId, text: ContactText) -> Result<Left, StoreError> {
        self.ask(Effect::AddOrReplace, move |store| store.put_message(&id, &text, this_minute())).await
    }

    /// See [`Store::spend_nonce`].
    pub async fn spend_nonce(&self, nonce: [u8; 32]) -> Result<bool, StoreError> {
        self.ask(Effect::Read, move |store| store.spend_nonce(&nonce)).await
    }

    /// See [`Store::state_of`].
    pub async fn state_of(&self, id: UserId) -> Result<Option<Change>, StoreError> {
        self.ask(Effect::Read, move |store| store.state_of(&id)).await
    }

    /// See [`Store::messages`].
    pub async fn messages(&self) -> Result<Vec<StoredMessage>, StoreError> {
        self.ask(Effect::Read, |store| store.messages()).await
    }

    /// See [`Store::remove_messages`].
    pub async fn remove_messages(&self, ids: Vec<u32>) -> Result<(), StoreError> {
        self.ask(Effect::Remove, move |store| store.remove_messages(&ids)).await
    }

    async fn log_out(&self, log_out: LogOut) -> Result<(), StoreError> {
        let (mut job, answer) = Job::new(Effect::Remove, move |store| log_out.carry_out(store));
        job.log_out = Some(Box::new(log_out));
        self.send(job, answer).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        effect: Effect,
        operation: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = Job::new(effect, operation);
        self.send(job, answer).await
    }

    async fn send<T>(&self, job: Job, answer: Answer<T>) -> Result<T, StoreError> {
        self.jobs.send(job).map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
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
        let (handle, thread) = StoreHandle::start(store).unwrap();
        let mut kept = Vec::new();
        let full = loop {
            let next = user(u32::try_from(kept.len()).unwrap());
            match handle.insert_user(next.clone()).await {
                Ok(Written::Done) => kept.push(next),
                Ok(other) => panic!("{other:?}: nobody is registered twice"),
                Err(error) => break error,
            }
            assert!(kept.len() < 10_000, "the disk is never full");
        };
        assert!(matches!(full, StoreError::Full { .. }), "{full}");
        assert_eq!(handle.user(kept[0].id).await.unwrap(), Some(kept[0].clone()), "reading goes on");
        drop(handle);
        thread.join();
        let (handle, thread) = StoreHandle::start(Sqlite::open(&path).unwrap()).unwrap();
        for user in &kept {
            assert_eq!(handle.user(user.id).await.unwrap().as_ref(), Some(user));
        }
        assert_eq!(handle.insert_user(user(5000)).await.unwrap(), Written::Done, "there is room again");
        drop(handle);
        thread.join();
    }
}
