//! What passes between the thread of the store and its handles.

use std::sync::{Arc, Mutex};

use tenfour_protocol::UserId;
use tokio::sync::oneshot;

use super::{Store, StoreError, TokenHash};
use crate::lock::lock;

/// Where the answer to an operation arrives.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// Gives the result to whoever asked. False says that the change does not last, or that something is left of what
/// was before.
pub(super) type Reply = Box<dyn FnOnce(bool)>;

/// Works on the store, or passes on why it may not.
type Run = Box<dyn FnOnce(Result<&mut dyn Store, StoreError>) -> Outcome + Send>;

/// An operation, and what the thread has to know before it carries it out. What it says of a person is in boxes:
/// a channel keeps what went through it for a while, but a box is wiped when it is freed.
pub(super) struct Job {
    pub(super) effect: Effect,
    /// Set when the operation is a log-out: it is tried again if the store does not take it.
    pub(super) log_out: Option<Box<LogOut>>,
    run: Run,
}

/// What an operation does to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing. It is answered at once, all others when they last.
    Read,
    /// Makes them longer: refused when the disk is full.
    Add,
    /// The same, and may delete an older row.
    AddOrReplace,
    /// Writes a session, for which there is room on a full disk.
    Session,
    /// Deletes or replaces. It is answered when nothing is left of what was before.
    Remove,
}

impl Effect {
    pub(super) fn writes(self) -> bool {
        self != Self::Read
    }

    pub(super) fn grows(self) -> bool {
        matches!(self, Self::Add | Self::AddOrReplace)
    }

    /// True when something is deleted or replaced that must not be found any more.
    pub(super) fn leaves_something(self) -> bool {
        matches!(self, Self::AddOrReplace | Self::Remove)
    }
}

/// What became of an operation.
pub(super) struct Outcome {
    /// Whether the store has taken it.
    pub(super) is_taken: bool,
    pub(super) reply: Reply,
}

impl Job {
    /// `operation`, and where its answer arrives.
    pub(super) fn new<T: Send + 'static>(
        effect: Effect,
        operation: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> (Self, Answer<T>) {
        let (sender, answered) = oneshot::channel();
        let run = move |store: Result<&mut dyn Store, StoreError>| {
            let done = store.and_then(|store| told(operation(store)));
            let is_taken = done.is_ok();
            let reply = move |lasts: bool| {
                let done = if lasts { done } else { done.and(Err(StoreError::Stopped)) };
                // Whoever asked may have gone away in the meantime.
                drop(sender.send(done));
            };
            Outcome { is_taken, reply: Box::new(reply) }
        };
        (Self { effect, log_out: None, run: Box::new(run) }, answered)
    }

    pub(super) fn run(self, store: &mut dyn Store) -> Outcome {
        (self.run)(Ok(store))
    }

    pub(super) fn refuse(self, error: StoreError) {
        ((self.run)(Err(error)).reply)(true);
    }
}

/// One session of a user, or all of them, to be forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogOut {
    pub(super) user: UserId,
    pub(super) session: Option<TokenHash>,
}

impl LogOut {
    pub(super) fn carry_out(&self, store: &mut dyn Store) -> Result<(), StoreError> {
        match &self.session {
            Some(hash) => store.remove_session(&self.user, hash),
            None => store.remove_sessions(&self.user),
        }
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

/// The operator reads about each failure; the person is told that the store does not answer.
pub(super) fn told<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.inspect_err(|error| tracing::error!(reason = %error, "the store failed"))
}
