//! Counts what is open, up to a most.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A most of something. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    open: Arc<AtomicUsize>,
    most: usize,
}

/// One of what a gate counts, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Gate {
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// One more, if there is room.
    pub(crate) fn enter(&self) -> Option<Permit> {
        let permit = Permit(self.open.clone());
        // A permit that is not handed out gives its place back at once.
        (self.open.fetch_add(1, Ordering::AcqRel) < self.most).then_some(permit)
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_a_most_and_places_come_back() {
        let gate = Gate::new(2);
        let first = gate.enter().unwrap();
        let _second = gate.enter().unwrap();
        assert!(gate.enter().is_none());
        assert_eq!(gate.open(), 2);
        drop(first);
        assert!(gate.enter().is_some());
        assert_eq!(gate.open(), 1);
    }
}
