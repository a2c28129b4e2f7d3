//! The thread of the store.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tenfour_protocol::UserId;
use tokio::sync::oneshot;

use super::{Store, StoreError, StoredSession, TokenHash, User};

/// Changes that one commit makes last together. One wait for the disk serves all of them.
const TOGETHER: usize = 256;

/// A handle to the store that can be cloned and awaited.
#[derive(Debug, Clone)]
pub struct Keeper {
    commands: mpsc::Sender<Command>,
}

/// The thread behind a [`Keeper`]. It ends when all handles are gone.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

#[derive(Debug)]
enum Command {
    InsertUser(Box<User>, oneshot::Sender<Result<bool, StoreError>>),
    User(UserId, oneshot::Sender<Result<Option<User>, StoreError>>),
    PutSession(StoredSession, oneshot::Sender<Result<(), StoreError>>),
    RemoveSession(TokenHash, oneshot::Sender<Result<(), StoreError>>),
}

/// An answer that is given once the changes last.
type Answer = Box<dyn FnOnce(bool)>;

impl Keeper {
    /// Starts the thread.
    pub fn start(store: impl Store + 'static) -> std::io::Result<(Self, StoreThread)> {
        let (commands, inbox) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("tenfour-store".into()).spawn(move || keep(store, &inbox))?;
        Ok((Self { commands }, StoreThread(thread)))
    }

    /// See [`Store::insert_user`].
    pub async fn insert_user(&self, user: User) -> Result<bool, StoreError> {
        self.ask(|answer| Command::InsertUser(Box::new(user), answer)).await
    }

    /// See [`Store::user`].
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.ask(|answer| Command::User(id, answer)).await
    }

    /// See [`Store::put_session`].
    pub async fn put_session(&self, session: StoredSession) -> Result<(), StoreError> {
        self.ask(|answer| Command::PutSession(session, answer)).await
    }

    /// See [`Store::remove_session`].
    pub async fn remove_session(&self, hash: TokenHash) -> Result<(), StoreError> {
        self.ask(|answer| Command::RemoveSession(hash, answer)).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).map_err(|_| StoreError::Stopped)?;
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

fn keep(mut store: impl Store, inbox: &mpsc::Receiver<Command>) {
    while let Ok(first) = inbox.recv() {
        let rest = inbox.try_iter().take(TOGETHER - 1);
        let batch: Vec<_> = std::iter::once(first).chain(rest).collect();
        carry_out(&mut store, batch);
    }
}

fn carry_out(store: &mut impl Store, batch: Vec<Command>) {
    let writes = batch.iter().any(|command| !matches!(command, Command::User(..)));
    if writes && let Err(error) = store.begin() {
        tracing::error!(reason = %error, "the store cannot be written");
        // The answers are dropped with the commands: whoever asked hears `Stopped`.
        return;
    }
    let answers: Vec<_> = batch.into_iter().filter_map(|command| one(store, command)).collect();
    let kept = !writes || commit(store);
    answers.into_iter().for_each(|answer| answer(kept));
}

fn commit(store: &mut impl Store) -> bool {
    match store.commit() {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(reason = %error, "the store cannot be written");
            store.roll_back();
            false
        }
    }
}

/// Reads are answered at once, changes when they last.
fn one(store: &mut impl Store, command: Command) -> Option<Answer> {
    match command {
        Command::User(id, answer) => {
            drop(answer.send(told(store.user(&id))));
            None
        }
        Command::InsertUser(user, answer) => Some(later(told(store.insert_user(&user)), answer)),
        Command::PutSession(session, answer) => Some(later(told(store.put_session(&session)), answer)),
        Command::RemoveSession(hash, answer) => Some(later(told(store.remove_session(&hash)), answer)),
    }
}

fn later<T: 'static>(done: Result<T, StoreError>, answer: oneshot::Sender<Result<T, StoreError>>) -> Answer {
    Box::new(move |kept| {
        let done = if kept { done } else { done.and(Err(StoreError::Stopped)) };
        // Who asked may have gone away in the meantime.
        drop(answer.send(done));
    })
}

/// The operator reads about each failure; the person is told that the store does not answer.
fn told<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.inspect_err(|error| tracing::error!(reason = %error, "the store failed"))
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
            handle: Handle::parse("Roadrunner").unwrap(),
            description: Description::parse(&"x".repeat(140)).ok(),
            created: Day(1),
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_what_was_answered_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let store = Sqlite::open(&path).unwrap();
        store.limit_pages(12);
        let (keeper, thread) = Keeper::start(store).unwrap();
        let mut kept = Vec::new();
        let full = loop {
            let next = user(u32::try_from(kept.len()).unwrap());
            match keeper.insert_user(next.clone()).await {
                Ok(true) => kept.push(next),
                Ok(false) => panic!("nobody is registered twice"),
                Err(error) => break error,
            }
            assert!(kept.len() < 1000, "the disk is never full");
        };
        assert!(matches!(full, StoreError::Full { .. }), "{full}");
        assert_eq!(keeper.user(kept[0].id).await.unwrap(), Some(kept[0].clone()), "reading goes on");
        drop(keeper);
        thread.join();
        let (keeper, thread) = Keeper::start(Sqlite::open(&path).unwrap()).unwrap();
        for user in &kept {
            assert_eq!(keeper.user(user.id).await.unwrap().as_ref(), Some(user));
        }
        assert!(keeper.insert_user(user(5000)).await.unwrap(), "there is room again");
        drop(keeper);
        thread.join();
    }
}
