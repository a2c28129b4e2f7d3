//! What the thread of the store does.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tenfour_core::reach::scrub_stack;
use tenfour_protocol::UserId;
use tenfour_protocol::limits::CONTACT_KEPT;

use super::command::{Asker, Command, Trouble};
use super::{Minute, Revision, Store, StoreError, Stored, StoredSession, TokenHash, User};
use crate::calendar::this_minute;

/// Changes that one commit makes last together. One wait for the disk serves all of them.
const TOGETHER: usize = 256;
/// The same on a full disk: what they write has to fit into the room that is kept.
const TOGETHER_WHEN_FULL: usize = 2;
/// Changes after which it is looked whether the room that is kept is whole. A look costs as much as a commit.
const CHANGES_A_LOOK: usize = 64;
/// How often it is looked what the disk says.
const LOOK: Duration = Duration::from_secs(1);
/// How often something is written to see whether it can be.
const PROBE: Duration = Duration::from_secs(5);
/// How often messages that have waited for too long are removed.
const EXPIRY: Duration = Duration::from_secs(3600);
/// Log-outs that wait for a store that takes nothing. More are lost, and told.
const DEBTS: usize = 10_000;

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

/// A store, and what is to be done with it.
pub(super) struct Keeping<S> {
    store: S,
    /// Set until a scrub has worked.
    unclean: bool,
    /// The disk is full: what makes files longer is refused.
    full: bool,
    /// Changes since it was looked whether the room is there.
    changes: usize,
    trouble: Trouble,
    debts: Debts,
    looked: Instant,
    probed: Instant,
    expired: Option<Instant>,
}

/// Log-outs that are not stored: somebody has left, and a restart would bring the session back. They are tried
/// again until they are. Boxed, as the spare room of a vector keeps what was removed.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "the spare room of a vector keeps what was removed, too")]
struct Debts {
    owed: Vec<Box<(UserId, Option<TokenHash>)>>,
    /// Those of the batch that is under way: they are owed if it does not last.
    under_way: Vec<Box<(UserId, Option<TokenHash>)>>,
}

impl Debts {
    /// A log-out, and whether the store has taken it.
    fn note(&mut self, user: UserId, session: Option<TokenHash>, taken: bool) {
        let debt = Box::new((user, session));
        if taken {
            self.under_way.push(debt);
        } else if self.owed.len() < DEBTS {
            self.owed.push(debt);
        } else {
            tracing::error!("too many log-outs wait for the store: a restart may undo one");
        }
    }

    /// Log-outs of a batch that was not begun.
    fn note_all(&mut self, batch: &[Command]) {
        for command in batch {
            match command {
                Command::RemoveSession(id, hash, _) => self.note(*id, Some(*hash), false),
                Command::RemoveSessions(id, _) => self.note(*id, None, false),
                _ => {}
            }
        }
    }

    /// The batch is over.
    fn settle(&mut self, lasting: bool) {
        for debt in std::mem::take(&mut self.under_way) {
            if !lasting {
                self.note(debt.0, debt.1, false);
            }
        }
    }
}

impl<S: Store> Keeping<S> {
    pub(super) fn of(store: S, trouble: Trouble) -> Self {
        let now = Instant::now();
        let debts = Debts::default();
        Self {
            store,
            unclean: false,
            full: false,
            changes: 0,
            trouble,
            debts,
            looked: now,
            probed: now,
            expired: None,
        }
    }

    /// Serves until all handles are gone.
    pub(super) fn run(&mut self, inbox: &Receiver<Box<Command>>) {
        self.keep_room();
        loop {
            if self.expired.is_none_or(|at| at.elapsed() >= EXPIRY) {
                self.expired = Some(Instant::now());
                self.expire();
            }
            let together = if self.full { TOGETHER_WHEN_FULL } else { TOGETHER };
            let batch: Vec<_> = match inbox.recv_timeout(LOOK.saturating_sub(self.looked.elapsed())) {
                Ok(first) => std::iter::once(first).chain(inbox.try_iter().take(together - 1)).collect(),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return drop(told(self.pay())),
            };
            if self.looked.elapsed() >= LOOK {
                self.look();
            }
            if !batch.is_empty() {
                self.carry_out(batch.into_iter().map(|command| *command).collect());
                scrub_stack();
            }
        }
    }

    fn look(&mut self) {
        self.looked = Instant::now();
        self.changes = 0;
        let mut found = self.store.keep_room();
        // What was wrong may not show in the room: only a write tells that it is over.
        if found.is_ok() && (self.probed.elapsed() >= PROBE || self.trouble.words().is_some()) {
            self.probed = Instant::now();
            found = self.store.probe().and_then(|()| self.pay());
        }
        self.judge(found);
    }

    /// Makes the room that is kept whole again.
    fn keep_room(&mut self) {
        self.changes = 0;
        let room = self.store.keep_room();
        self.judge(room);
    }

    /// What is wrong is told when it begins and when it is over.
    fn judge(&mut self, found: Result<(), StoreError>) {
        self.full = matches!(found, Err(StoreError::Full { .. }));
        let words = found.err().map(|error| error.to_string());
        let before = self.trouble.note(words.clone());
        match (before, words) {
            (None, Some(reason)) => tracing::error!(reason, "the store takes nothing new"),
            (Some(_), None) => tracing::warn!("the store takes everything again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Removes messages that nobody has removed for too long. Failed, it is done in an hour.
    fn expire(&mut self) {
        let kept = u32::try_from(CONTACT_KEPT.as_secs() / 60).unwrap_or(u32::MAX);
        let before = Minute(this_minute().0.saturating_sub(kept));
        if let Ok(gone @ 1..) = told(self.store.expire_messages(before)) {
            tracing::info!(count = gone, "messages to the operator were removed: nobody had for 90 days");
            self.unclean = told(self.store.scrub()).is_err();
        }
    }

    /// Stores log-outs that could not be stored before.
    fn pay(&mut self) -> Result<(), StoreError> {
        if self.debts.owed.is_empty() {
            return Ok(());
        }
        let store = &mut self.store;
        self.debts.owed.iter().try_for_each(|owed| match &**owed {
            (user, Some(hash)) => store.remove_session(user, hash),
            (user, None) => store.remove_sessions(user),
        })?;
        self.store.scrub()?;
        let count = self.debts.owed.len();
        self.debts.owed.clear();
        tracing::info!(count, "log-outs that could not be stored before are stored");
        Ok(())
    }

    fn carry_out(&mut self, mut batch: Vec<Command>) {
        let changes = batch.iter().filter(|command| !command.is_read()).count();
        let writes = changes > 0;
        self.changes += changes;
        if writes && (self.full || self.changes >= CHANGES_A_LOOK || self.store.is_full()) {
            self.keep_room();
        }
        if writes && self.full {
            let refuse = || StoreError::Full { path: "the store".to_owned() };
            batch = batch.into_iter().filter_map(|command| command.unless_it_grows(refuse)).collect();
            // So that the write-ahead log begins where its room does.
            self.unclean = told(self.store.scrub()).is_err();
        }
        let writes = batch.iter().any(|command| !command.is_read());
        self.unclean |= batch.iter().any(Command::leaves_something);
        if writes && let Err(error) = self.store.begin() {
            tracing::error!(reason = %error, "the store cannot be written");
            self.debts.note_all(&batch);
            // The answers are dropped with the commands: whoever asked hears `Stopped`.
            return self.judge(Err(error));
        }
        let (store, debts) = (&mut self.store, &mut self.debts);
        let answers: Vec<_> = batch.into_iter().filter_map(|command| one(store, debts, command)).collect();
        let lasting = !writes || self.commit();
        self.debts.settle(lasting);
        if self.unclean && writes {
            self.unclean = told(self.store.scrub()).is_err();
        }
        let kept = Kept { lasting, scrubbed: !self.unclean };
        answers.into_iter().for_each(|answer| answer(kept));
    }

    fn commit(&mut self) -> bool {
        match self.store.commit() {
            Ok(()) => true,
            Err(error) => {
                self.store.roll_back();
                tracing::error!(reason = %error, "the store cannot be written");
                self.judge(Err(error));
                false
            }
        }
    }
}

/// Reads are answered at once, changes when they last.
fn one(store: &mut impl Store, debts: &mut Debts, command: Command) -> Option<Answer> {
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
        Command::Messages(answer) => {
            drop(answer.send(told(store.messages())));
            None
        }
        Command::RemoveMessages(ids, answer) => Some(scrubbed(told(store.remove_messages(&ids)), answer)),
        Command::InsertUser(user, answer) => Some(lasting(told(store.insert_user(&user)), answer)),
        Command::BeginSession(session, answer) => Some(lasting(told(begun(store, &session)), answer)),
        Command::PutSession(session, answer) => Some(lasting(told(store.put_session(&session)), answer)),
        Command::PutMessage(id, text, answer) => {
            Some(lasting(told(store.put_message(&id, &text, this_minute())), answer))
        }
        Command::UpdateUser(user, answer) => Some(scrubbed(told(store.update_user(&user)), answer)),
        Command::Erase(id, answer) => Some(scrubbed(told(store.erase(&id)), answer)),
        Command::RemoveSession(id, hash, answer) => {
            let done = told(store.remove_session(&id, &hash));
            debts.note(id, Some(hash), done.is_ok());
            Some(scrubbed(done, answer))
        }
        Command::RemoveSessions(id, answer) => {
            let done = told(store.remove_sessions(&id));
            debts.note(id, None, done.is_ok());
            Some(scrubbed(done, answer))
        }
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
