//! Whose turn it is.

use std::collections::VecDeque;

use crate::ConnId;

/// A burst with at most so many listeners goes before the others: its listeners are written to in well
/// under a millisecond, while those of a large channel take as long as a frame and do not notice.
const FEW: usize = 32;
/// After so many turns of small bursts, a large one has a turn if it waits: nobody waits for ever.
const IN_A_ROW: u32 = 16;
/// So many listeners may be named by [`Deck::due`](super::Deck::due) before the first of them is asked
/// for, and cost nothing to find again.
pub const NAMED: usize = 32;
/// No shell has a connection of this number.
const NOBODY: ConnId = ConnId(u64::MAX);

/// Places of listeners that may be due; some may have gone since.
#[derive(Debug, Default)]
pub(super) struct Ready {
    of_few: VecDeque<usize>,
    of_many: VecDeque<usize>,
    /// Turns of small bursts since one of a large burst.
    in_a_row: u32,
}

impl Ready {
    /// Queues a listener of a burst that has so many.
    pub(super) fn push(&mut self, place: usize, listeners: usize) {
        let queue = if listeners <= FEW { &mut self.of_few } else { &mut self.of_many };
        queue.push_back(place);
    }

    /// Whether it is nobody's turn.
    pub(super) fn is_empty(&self) -> bool {
        self.of_few.is_empty() && self.of_many.is_empty()
    }

    /// Whose turn is next among the listeners of small bursts.
    pub(super) fn pop_of_few(&mut self) -> Option<usize> {
        self.of_few.pop_front()
    }

    /// Whose turn is next.
    pub(super) fn pop(&mut self) -> Option<usize> {
        if self.in_a_row < IN_A_ROW
            && let Some(place) = self.of_few.pop_front()
        {
            self.in_a_row += 1;
            return Some(place);
        }
        self.in_a_row = 0;
        self.of_many.pop_front().or_else(|| self.of_few.pop_front())
    }
}

/// The listeners that were named last, with their places: saves looking them up.
#[derive(Debug)]
pub(super) struct Named {
    last: [(ConnId, usize); NAMED],
    oldest: usize,
}

impl Named {
    pub(super) fn new() -> Self {
        Self { last: [(NOBODY, 0); NAMED], oldest: 0 }
    }

    pub(super) fn add(&mut self, conn: ConnId, place: usize) {
        self.last[self.oldest] = (conn, place);
        self.oldest = (self.oldest + 1) % NAMED;
    }

    pub(super) fn place(&self, conn: ConnId) -> Option<usize> {
        self.last.iter().find(|named| named.0 == conn).map(|named| named.1)
    }

    /// Forgets one that is gone: somebody else gets its place.
    pub(super) fn remove(&mut self, conn: ConnId) {
        self.last.iter_mut().filter(|named| named.0 == conn).for_each(|named| named.0 = NOBODY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_burst_goes_first_and_a_large_one_is_not_forgotten() {
        let mut ready = Ready::default();
        (0..100).for_each(|place| ready.push(place, 1000));
        (100..140).for_each(|place| ready.push(place, 1));
        let order: Vec<usize> = std::iter::from_fn(|| ready.pop()).collect();
        assert_eq!(order[..17], [(100..116).collect::<Vec<_>>(), vec![0]].concat());
        assert_eq!(order[17..34], [(116..132).collect::<Vec<_>>(), vec![1]].concat());
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, (0..140).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_that_were_named_are_known_until_they_are_gone() {
        let mut named = Named::new();
        (0..NAMED as u64 + 4).for_each(|conn| named.add(ConnId(conn), conn as usize + 50));
        assert_eq!(named.place(ConnId(3)), None);
        assert_eq!(named.place(ConnId(4)), Some(54));
        named.remove(ConnId(4));
        assert_eq!(named.place(ConnId(4)), None);
    }
}
