//! Nonces of a cluster: any node takes one that any other gave out, and each is taken once.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tenfour_protocol::limits::{NONCE_BYTES, NONCE_LIFE};

/// Random bytes of a nonce; the rest proves that a node of the cluster made it.
const RANDOM: usize = NONCE_BYTES / 2;
/// Clocks of nodes may differ by this much. That a nonce is good once does not depend on clocks.
const SKEW: Duration = Duration::from_secs(300);

/// Knows the nonces of its cluster without keeping any.
#[derive(Debug)]
pub(super) struct SharedNonces {
    secret: zeroize::Zeroizing<[u8; 32]>,
}

impl SharedNonces {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        Self { secret: secret.into() }
    }

    /// A nonce made of these bytes, and the end of its life in seconds since 1970.
    pub(super) fn open(&self, random: [u8; RANDOM], now: Duration) -> ([u8; NONCE_BYTES], u64) {
        let expiry = (now + NONCE_LIFE).as_secs();
        let mut nonce = [0; NONCE_BYTES];
        nonce[..RANDOM].copy_from_slice(&random);
        nonce[RANDOM..].copy_from_slice(&self.sign(&random, expiry));
        (nonce, expiry)
    }

    /// True when a node of ours gave it out, with this expiry, and its time is not over.
    pub(super) fn is_ours(&self, nonce: &[u8; NONCE_BYTES], expiry: u64, now: Duration) -> bool {
        let life = expiry.saturating_sub(SKEW.as_secs() + NONCE_LIFE.as_secs())
            ..=expiry.saturating_add(SKEW.as_secs());
        let (random, sign) = nonce.split_at(RANDOM);
        life.contains(&now.as_secs()) && bool::from(self.sign(random, expiry).ct_eq(sign))
    }

    fn sign(&self, random: &[u8], expiry: u64) -> [u8; NONCE_BYTES - RANDOM] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&*self.secret).expect("any key will do");
        mac.update(b"tenfour-nonce");
        mac.update(random);
        mac.update(&expiry.to_be_bytes());
        let mut sign = [0; NONCE_BYTES - RANDOM];
        sign.copy_from_slice(&mac.finalize().into_bytes()[..NONCE_BYTES - RANDOM]);
        sign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn a_nonce_of_one_node_is_one_of_all_within_its_time() {
        let (one, other) = (SharedNonces::new([1; 32]), SharedNonces::new([1; 32]));
        let (nonce, expiry) = one.open([7; RANDOM], NOW);
        assert!(other.is_ours(&nonce, expiry, NOW));
        assert!(!other.is_ours(&nonce, expiry + 1, NOW), "another expiry");
        for minutes in [-4i64, 4] {
            let clock = Duration::from_secs(1_000_000u64.saturating_add_signed(minutes * 60));
            assert!(other.is_ours(&nonce, expiry, clock), "a clock that is {minutes} minutes off");
        }
        assert!(!other.is_ours(&nonce, expiry, NOW + 2 * SKEW), "too late");
        assert!(!SharedNonces::new([2; 32]).is_ours(&nonce, expiry, NOW), "of another cluster");
        let mut forged = nonce;
        forged[0] ^= 1;
        assert!(!other.is_ours(&forged, expiry, NOW));
    }
}
