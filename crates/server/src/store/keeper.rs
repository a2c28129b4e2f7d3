//! The thread of the store.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tenfour_core::reach::scrub_stack;
use tenfour_protocol::limits::CONTACT_KEPT;
use tenfour_protocol::{ContactText, UserId};
use tokio::sync::oneshot;

use super::{
    Change, Left, Minute, Revision, Store, StoreError, Stored, StoredSession, TokenHash, User, Written,
};
use crate::auth::this_minute;

/// Changes that one commit makes last together. One wait for the disk serves all of them.
const TOGETHER: usize = 256;
/// How often it is looked whether the operator's program has removed something.
const LOOK: Duration = Duration::from_secs(1);
/// How often messages that have waited for too long are removed.
const EXPIRY: Duration = Duration::from_secs(3600);

/// A handle to the store that can be cloned and awaited.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Boxed: a channel keeps what went through it for a while, a box is wiped when it is given back.
    commands: mpsc::Sender<Box<Command>>,
}

/// The thread behind a [`Keeper`]. It ends when all handles are gone.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

#[derive(Debug)]
enum Command {
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

type Asker<T> = oneshot::Sender<Result<T, StoreError>>;

/// An answer that is given once the changes last.
type Answer = Box<dyn FnOnce(Kept)>;

/// What became of a batch of changes.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// They last.
    lasting: bool,
    /// And nothing is left of what was before.
    scrubbed: bool,
}

impl Command {
    fn is_read(&self) -> bool {
        matches!(self, Self::User(..) | Self::Held(..) | Self::SpendNonce(..) | Self::StateOf(..))
    }

    /// True when something is deleted or replaced that must not be found any more.
    fn leaves_something(&self) -> bool {
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

impl Keeper {
    /// Starts the thread.
    pub fn start(store: impl Store + 'static) -> std::io::Result<(Self, StoreThread)> {
        let (commands, inbox) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name("tenfour-store".into()).spawn(move || keep(store, &inbox))?;
        Ok((Self { commands }, StoreThread(thread)))
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

fn keep(mut store: impl Store, inbox: &mpsc::Receiver<Box<Command>>) {
    // Set until a scrub has worked.
    let mut unclean = false;
    let (mut looked, mut expired) = (Instant::now(), None::<Instant>);
    loop {
        if expired.is_none_or(|at| at.elapsed() >= EXPIRY) {
            expired = Some(Instant::now());
            expire(&mut store, &mut unclean);
        }
        let batch: Vec<_> = match inbox.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
            Ok(first) => std::iter::once(first).chain(inbox.try_iter().take(TOGETHER - 1)).collect(),
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            remove_wanted(&mut store, &mut unclean);
        }
        if !batch.is_empty() {
            carry_out(&mut store, batch.into_iter().map(|command| *command).collect(), &mut unclean);
            scrub_stack();
        }
    }
}

/// Does what the operator's program asks for. Failed, the program sees it by what is left.
fn remove_wanted(store: &mut impl Store, unclean: &mut bool) {
    let ids = store.removals_wanted();
    if !ids.is_empty() {
        *unclean = told(store.remove_messages(&ids)).is_err() | told(store.scrub()).is_err();
        store.end_removals();
    }
}

/// Removes messages that nobody has removed for too long. Failed, it is done in an hour.
fn expire(store: &mut impl Store, unclean: &mut bool) {
    let kept = u32::try_from(CONTACT_KEPT.as_secs() / 60).unwrap_or(u32::MAX);
    let before = Minute(this_minute().0.saturating_sub(kept));
    if let Ok(gone @ 1..) = told(store.expire_messages(before)) {
        tracing::info!(count = gone, "messages to the operator were removed: nobody had for 90 days");
        *unclean = told(store.scrub()).is_err();
    }
}

fn carry_out(store: &mut impl Store, batch: Vec<Command>, unclean: &mut bool) {
    let writes = batch.iter().any(|command| !command.is_read());
    *unclean |= batch.iter().any(Command::leaves_something);
    if writes && let Err(error) = store.begin() {
        tracing::error!(reason = %error, "the store cannot be written");
        // The answers are dropped with the commands: whoever asked hears `Stopped`.
        return;
    }
    let answers: Vec<_> = batch.into_iter().filter_map(|command| one(store, command)).collect();
    let lasting = !writes || commit(store);
    if *unclean && writes {
        *unclean = told(store.scrub()).is_err();
    }
    let kept = Kept { lasting, scrubbed: !*unclean };
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
        Command::Held(id, answer) => {
            drop(answer.send(told(held(store, &id))));
            None
        }
        Command::SpendNonce(nonce, answer) => {
            drop(answer.send(told(store.spend_nonce(&nonce))));
            None
        }
        Command::StateOf(id, answer) => {
            drop(answer.send(told(store.state_of(&id))));
            None
        }
        Command::InsertUser(user, answer) => Some(lasting(told(store.insert_user(&user)), answer)),
        Command::BeginSession(session, answer) => Some(lasting(told(begun(store, &session)), answer)),
        Command::PutSession(session, answer) => Some(lasting(told(store.put_session(&session)), answer)),
        Command::PutMessage(id, text, answer) => {
            Some(lasting(told(store.put_message(&id, &text, this_minute())), answer))
        }
        Command::UpdateUser(user, answer) => Some(scrubbed(told(store.update_user(&user)), answer)),
        Command::Erase(id, answer) => Some(scrubbed(told(store.erase(&id)), answer)),
        Command::RemoveSession(id, hash, answer) => {
            Some(scrubbed(told(store.remove_session(&id, &hash)), answer))
        }
        Command::RemoveSessions(id, answer) => Some(scrubbed(told(store.remove_sessions(&id)), answer)),
    }
}

fn begun(store: &mut impl Store, session: &StoredSession) -> Result<Option<(User, Revision)>, StoreError> {
    let Some(since) = store.put_session(session)? else { return Ok(None) };
    Ok(store.user(&session.user)?.map(|user| (user, since)))
}

fn held(store: &mut impl Store, id: &UserId) -> Result<Option<Stored>, StoreError> {
    let Some(user) = store.user(id)? else { return Ok(None) };
    Ok(Some(Stored { user, sessions: store.sessions_of(id)?, messages: store.messages_of(id)? }))
}

fn lasting<T: 'static>(done: Result<T, StoreError>, answer: Asker<T>) -> Answer {
    Box::new(move |kept| reply(done, kept.lasting, answer))
}

fn scrubbed<T: 'static>(done: Result<T, StoreError>, answer: Asker<T>) -> Answer {
    Box::new(move |kept| reply(done, kept.lasting && kept.scrubbed, answer))
}

fn reply<T>(done: Result<T, StoreError>, kept: bool, answer: Asker<T>) {
    let done = if kept { done } else { done.and(Err(StoreError::Stopped)) };
    // Who asked may have gone away in the meantime.
    drop(answer.send(done));
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
                Ok(Written::Done) => kept.push(next),
                Ok(other) => panic!("{other:?}: nobody is registered twice"),
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
        assert_eq!(keeper.insert_user(user(5000)).await.unwrap(), Written::Done, "there is room again");
        drop(keeper);
        thread.join();
    }
}
