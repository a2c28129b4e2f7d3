//! Log-in nonces: random, good once and for a short time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::limits::{NONCE_BYTES, NONCE_LIFE, NONCES};

type Bytes = [u8; NONCE_BYTES];

/// The nonces that are open. When there is no room the oldest one goes, so an attacker would have to fill all of it
/// between somebody's request and log-in.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    open: HashMap<Bytes, u64>,
    order: VecDeque<Bytes>,
}

impl Nonces {
    /// Opens `nonce`; returns the end of its life, in seconds since 1970.
    pub(super) fn open(&mut self, nonce: Bytes, now: Duration) -> u64 {
        while self.order.len() >= NONCES {
            self.forget_oldest();
        }
        while self.order.front().is_some_and(|oldest| self.is_over(oldest, now)) {
            self.forget_oldest();
        }
        let expiry = (now + NONCE_LIFE).as_secs();
        self.open.insert(nonce, expiry);
        self.order.push_back(nonce);
        expiry
    }

    /// Spends a nonce: true when it was open, with this expiry, and its time is not over.
    pub(super) fn spend(&mut self, nonce: &Bytes, expiry: u64, now: Duration) -> bool {
        // Its entry in the order goes when its time is over.
        self.open.remove(nonce).is_some_and(|kept| kept == expiry && now.as_secs() <= expiry)
    }

    fn is_over(&self, nonce: &Bytes, now: Duration) -> bool {
        self.open.get(nonce).is_none_or(|expiry| *expiry < now.as_secs())
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.order.pop_front() {
            self.open.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1_000);

    #[test]
    fn a_nonce_is_good_once_and_in_time() {
        let mut nonces = Nonces::default();
        let expiry = nonces.open([1; 32], START);
        assert!(!nonces.spend(&[2; 32], expiry, START), "unknown");
        assert!(nonces.spend(&[1; 32], expiry, START));
        assert!(!nonces.spend(&[1; 32], expiry, START), "spent");
        let expiry = nonces.open([3; 32], START);
        assert!(!nonces.spend(&[3; 32], expiry + 60, START), "another expiry");
        assert!(!nonces.spend(&[3; 32], expiry, START), "spent by the bad one");
        let expiry = nonces.open([4; 32], START);
        assert!(!nonces.spend(&[4; 32], expiry, START + NONCE_LIFE + Duration::from_secs(1)), "too late");
    }

    #[test]
    fn there_is_a_most_and_the_oldest_goes() {
        let mut nonces = Nonces::default();
        let name = |n: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            bytes
        };
        let expiry = (0..=NONCES).map(|n| nonces.open(name(n), START)).last().unwrap();
        assert_eq!((nonces.open.len(), nonces.order.len()), (NONCES, NONCES));
        assert!(!nonces.spend(&name(0), expiry, START));
        assert!(nonces.spend(&name(1), expiry, START));
        nonces.open([9; 32], START + 2 * NONCE_LIFE);
        assert_eq!(nonces.order.len(), 1, "what is over is forgotten");
    }
}
