//! Counts what is open up to a limit, with a share for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::household::household;
use crate::lock::lock;

/// A limit on something. Clones count together.
///
/// A household gets at most as much as is free for everybody else. One alone gets half of the room, two get a third
/// each, and so on: the household that has most is refused first, and one that has nothing is let in while anything
/// is free.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    count: Arc<Count>,
    most: usize,
    /// The limit of one household, however much is free.
    most_of_one: usize,
}

/// A part of what a gate counts, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    count: Arc<Count>,
    amount: usize,
    whose: Option<IpAddr>,
}

#[derive(Debug, Default)]
struct Count {
    open: Mutex<Open>,
    empty: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

impl Count {
    fn lock(&self) -> MutexGuard<'_, Open> {
        lock(&self.open)
    }
}

impl Open {
    fn add(&mut self, whose: Option<IpAddr>, amount: usize) {
        self.all += amount;
        whose.into_iter().for_each(|whose| *self.of.entry(whose).or_default() += amount);
    }

    fn take_away(&mut self, whose: Option<IpAddr>, amount: usize) {
        self.all -= amount;
        let Some(whose) = whose else { return };
        if let Some(of) = self.of.get_mut(&whose) {
            *of -= amount;
            if *of == 0 {
                self.of.remove(&whose);
            }
        }
    }
}

impl Gate {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self { count: Arc::default(), most, most_of_one }
    }

    /// `amount` more of an address, or of nobody in particular, if there is room.
    pub(crate) fn take(&self, address: Option<IpAddr>, amount: usize) -> Option<Permit> {
        let whose = address.and_then(household);
        let mut open = self.count.lock();
        if !self.has_room(&open, whose, amount) {
            return None;
        }
        open.add(whose, amount);
        Some(Permit { count: self.count.clone(), amount, whose })
    }

    /// Counts a permit for the address that a proxy names. False when that one has its share.
    pub(crate) fn belongs_to(&self, permit: &mut Permit, address: Option<IpAddr>) -> bool {
        let whose = address.and_then(household);
        if whose == permit.whose {
            return true;
        }
        let mut open = self.count.lock();
        open.take_away(permit.whose, permit.amount);
        let room = self.has_room(&open, whose, permit.amount);
        permit.whose = whose.filter(|_| room);
        open.add(permit.whose, permit.amount);
        room
    }

    fn has_room(&self, open: &Open, whose: Option<IpAddr>, amount: usize) -> bool {
        let free = self.most.saturating_sub(open.all);
        let share = |whose| {
            let of = open.of.get(&whose).copied().unwrap_or_default();
            (of == 0 || of + amount <= free) && of + amount <= self.most_of_one
        };
        amount <= free && whose.is_none_or(share)
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.count.lock().all
    }

    /// Waits until none is open, but not longer than `patience`.
    pub(crate) fn wait_until_empty(&self, patience: Duration) {
        let waited = self.count.empty.wait_timeout_while(self.count.lock(), patience, |open| open.all > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.count.lock();
        open.take_away(self.whose, self.amount);
        if open.all == 0 {
            self.count.empty.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1";

    /// How many requests of `address` are let in.
    fn enter(gate: &Gate, address: &str, ask: usize) -> Vec<Permit> {
        let address = address.parse().ok();
        (0..ask).map_while(|_| gate.take(address, 1)).collect()
    }

    #[test]
    fn a_gate_has_a_most_and_places_come_back() {
        let gate = Gate::new(2, 2);
        let mut inside = enter(&gate, LOOPBACK, 3);
        assert_eq!(inside.len(), 2, "loopback has no share, but the gate has a most");
        inside.pop();
        assert_eq!(gate.open(), 1);
        inside.extend(enter(&gate, LOOPBACK, 1));
        let leaving = std::thread::spawn(move || drop(inside));
        gate.wait_until_empty(Duration::from_secs(10));
        assert_eq!(gate.open(), 0);
        leaving.join().unwrap();
        assert!(gate.count.lock().of.is_empty());
    }

    #[test]
    fn who_has_most_is_refused_first_and_others_come_in() {
        let gate = Gate::new(100, 1000);
        let heavy = enter(&gate, "192.0.2.1", 1000);
        assert_eq!(heavy.len(), 50, "half of the room");
        let second = enter(&gate, "192.0.2.2", 1000);
        assert_eq!(second.len(), 25);
        let others: Vec<_> = (0..20).flat_map(|n| enter(&gate, &format!("198.51.100.{n}"), 1)).collect();
        assert_eq!(others.len(), 20);
        assert!(enter(&gate, "192.0.2.1", 1).is_empty() && enter(&gate, "192.0.2.2", 1).is_empty());
        drop(heavy);
        assert_eq!(enter(&gate, "192.0.2.2", 1000).len(), 15, "40 are of it, and 40 are free");
    }

    #[test]
    fn a_household_of_ipv6_is_one_and_has_a_most() {
        let gate = Gate::new(10_000, 20);
        let mut inside = enter(&gate, "2001:db8:0:11::1", 15);
        inside.extend(enter(&gate, "2001:db8:0:22::2", 15));
        assert_eq!(inside.len(), 20);
        assert_eq!(enter(&gate, "2001:db8:0:100::1", 15).len(), 15);
    }

    #[test]
    fn a_proxy_says_whose_a_connection_is() {
        let gate = Gate::new(100, 3);
        let (one, other) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
        let mut inside = enter(&gate, LOOPBACK, 5);
        let belongs: Vec<_> = inside.iter_mut().map(|permit| gate.belongs_to(permit, one)).collect();
        assert_eq!(belongs, [true, true, true, false, false]);
        assert!(gate.belongs_to(&mut inside[4], other) && gate.belongs_to(&mut inside[0], other));
        assert!(gate.belongs_to(&mut inside[3], one), "the first one's place");
        assert_eq!(gate.open(), 5);
        drop(inside);
        assert!(gate.count.lock().of.is_empty());
    }

    #[test]
    fn amounts_are_shared_like_places() {
        let gate = Gate::new(1000, 1000);
        let (one, other) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
        let held = gate.take(one, 300).unwrap();
        assert!(gate.take(one, 300).is_some_and(|more| more.amount == 300));
        assert!(gate.take(one, 500).is_none());
        assert!(gate.take(other, 700).is_some());
        assert!(gate.take(None, 701).is_none() && gate.take(None, 700).is_some());
        drop(held);
    }
}
