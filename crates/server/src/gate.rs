//! Counts what is open, up to a most.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A most of something. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    count: Arc<Count>,
    most: usize,
}

/// One of what a gate counts, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    open: Mutex<usize>,
    empty: Condvar,
}

impl Count {
    fn lock(&self) -> MutexGuard<'_, usize> {
        // A number is whole whatever panicked.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    pub(crate) fn new(most: usize) -> Self {
        Self { count: Arc::default(), most }
    }

    /// One more, if there is room.
    pub(crate) fn enter(&self) -> Option<Permit> {
        let mut open = self.count.lock();
        if *open >= self.most {
            return None;
        }
        *open += 1;
        Some(Permit(self.count.clone()))
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        *self.count.lock()
    }

    /// Waits until none is open, but not longer than `patience`.
    pub(crate) fn wait_until_empty(&self, patience: Duration) {
        let waited = self.count.empty.wait_timeout_while(self.count.lock(), patience, |open| *open > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.0.lock();
        *open -= 1;
        if *open == 0 {
            self.0.empty.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_a_most_and_places_come_back() {
        let gate = Gate::new(2);
        let first = gate.enter().unwrap();
        let second = gate.enter().unwrap();
        assert!(gate.enter().is_none());
        drop(first);
        assert_eq!(gate.open(), 1);
        let third = gate.enter().unwrap();
        let leaving = std::thread::spawn(move || drop((second, third)));
        gate.wait_until_empty(Duration::from_secs(10));
        assert_eq!(gate.open(), 0);
        leaving.join().unwrap();
    }
}
