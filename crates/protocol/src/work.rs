//! Work for a registration when many came from one address. A device searches for a number, which takes seconds; the
//! server checks it with one hash.

use sha2::{Digest, Sha256};

use crate::id::UserId;
use crate::limits::NONCE_BYTES;

const CONTEXT: &[u8] = b"tenfour-work-v1";

/// The beginning of the hashed bytes, for which a number has to be found. With nonce and user in it, each piece of
/// work is good for one registration of one key.
#[derive(Debug, Clone)]
pub struct Work(Sha256);

impl Work {
    /// For the registration of `user` with this nonce.
    pub fn new(nonce: &[u8; NONCE_BYTES], user: &UserId) -> Self {
        Self(Sha256::new().chain_update(CONTEXT).chain_update(nonce).chain_update(user.as_bytes()))
    }

    /// True when SHA-256(context, nonce, identifier, `solution` as a u64, big-endian) begins with at least
    /// `bits` zero bits.
    pub fn is_done(&self, solution: u64, bits: u8) -> bool {
        zero_bits(&self.0.clone().chain_update(solution.to_be_bytes()).finalize()) >= u32::from(bits)
    }

    /// The first of these numbers that is a solution.
    pub fn search(&self, mut numbers: impl Iterator<Item = u32>, bits: u8) -> Option<u32> {
        numbers.find(|number| self.is_done((*number).into(), bits))
    }
}

/// Zero bits that `hash` begins with.
fn zero_bits(hash: &[u8]) -> u32 {
    let zeros = hash.iter().take_while(|byte| **byte == 0).count();
    let rest = hash.get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).unwrap_or(u32::MAX) * 8 + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bits_are_counted_from_the_front() {
        for (bytes, bits) in [(&[0xff][..], 0), (&[0x7f, 0], 1), (&[0, 0x01], 15), (&[0, 0], 16), (&[], 0)] {
            assert_eq!(zero_bits(bytes), bits, "{bytes:?}");
        }
    }

    #[test]
    fn a_solution_is_good_for_one_nonce_and_one_key() {
        let (user, other) = (UserId::of_key(&[1; 32]), UserId::of_key(&[2; 32]));
        let work = Work::new(&[7; NONCE_BYTES], &user);
        let solution = work.search(0.., 12).unwrap();
        assert!(work.is_done(solution.into(), 12) && work.is_done(solution.into(), 0));
        assert!(!work.is_done(solution.into(), 40), "more was asked for");
        assert!(!Work::new(&[8; NONCE_BYTES], &user).is_done(solution.into(), 12), "another nonce");
        assert!(!Work::new(&[7; NONCE_BYTES], &other).is_done(solution.into(), 12), "another key");
        assert_eq!(work.search(0..solution, 12), None, "it is the first");
    }
}
