//! The state of a connection's answers: one at a time, and the memory that they use.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::{Poll, Waker};

use crate::gate::Permit;
use crate::lock::lock;

/// Shared by who answers and who writes.
#[derive(Debug)]
pub(super) struct Flow(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Something is written that the socket has not taken.
    owes: bool,
    /// An answer of ours was made, and is on its way.
    ours: bool,
    /// Who waits until it has.
    waiter: Option<Waker>,
    /// The place at the door.
    place: Permit,
    /// The memory of the answer.
    memory: Option<Permit>,
}

impl Flow {
    pub(super) fn new(place: Permit) -> Self {
        Self(Mutex::new(State { owes: false, ours: false, waiter: None, place, memory: None }))
    }

    /// Waits until the previous answer has gone, so that a client that sends many requests and reads nothing does
    /// not make the server collect answers.
    pub(super) async fn is_clear(&self) {
        poll_fn(|context| {
            let mut state = self.lock();
            if !state.owes {
                return Poll::Ready(());
            }
            state.waiter = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// An answer was made here: what is written next is of it.
    pub(super) fn answers(&self) {
        self.lock().ours = true;
    }

    /// Whether what is written is of an answer that was made here.
    pub(super) fn is_ours(&self) -> bool {
        self.lock().ours
    }

    /// Something was written.
    pub(super) fn owe(&self) {
        self.lock().owes = true;
    }

    /// The socket has taken everything that was written.
    pub(super) fn flushed(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.owes) {
            (state.memory, state.ours) = (None, false);
            state.waiter.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Keeps the memory of an answer counted until the socket has taken it.
    pub(super) fn keep(&self, memory: Permit) {
        self.lock().memory = Some(memory);
    }

    /// With the place at the door.
    pub(super) fn with_place<T>(&self, with: impl FnOnce(&mut Permit) -> T) -> T {
        with(&mut self.lock().place)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A state is whole whatever panicked.
        lock(&self.0)
    }
}
