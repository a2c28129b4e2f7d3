//! The session token of a running client, encrypted with the device key: whoever reads the memory cannot use it
//! without the key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use tenfour_core::reach::scrub_stack;
use zeroize::Zeroizing;

use crate::Identity;

/// The encryption key is the hash of this and the seed of the device key.
const CONTEXT: &[u8] = b"tenfour-session-token-v1";

/// A sealed token.
pub(crate) struct Sealed {
    nonce: [u8; NONCE_LEN],
    /// The token, and a tag of 16 bytes.
    bytes: Vec<u8>,
}

impl Sealed {
    /// Seals `token`, so that [`open`](Self::open) with the same identity gives it back.
    pub(crate) fn new(token: &Zeroizing<String>, identity: &Identity) -> std::io::Result<Self> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| std::io::Error::other(error.to_string()))?;
        let mut bytes = Vec::with_capacity(token.len() + AES_256_GCM.tag_len());
        bytes.extend_from_slice(token.as_bytes());
        key_of(identity)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
            .expect("a token can be sealed");
        scrub_stack();
        Ok(Self { nonce, bytes })
    }

    /// The token, if it was sealed with the key of `identity`.
    pub(crate) fn open(&self, identity: &Identity) -> Option<Zeroizing<String>> {
        let mut bytes = Zeroizing::new(self.bytes.clone());
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = key_of(identity).open_in_place(nonce, Aad::empty(), &mut bytes).ok()?;
        let token = std::str::from_utf8(opened).ok().map(|token| Zeroizing::new(token.to_owned()));
        scrub_stack();
        token
    }
}

fn key_of(identity: &Identity) -> LessSafeKey {
    let seed = identity.seed();
    let hash =
        Zeroizing::new(<[u8; 32]>::from(Sha256::new_with_prefix(CONTEXT).chain_update(*seed).finalize()));
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*hash).expect("32 bytes are a key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_opened_with_its_key_only() {
        let (own, foreign) = (Identity::of_seed(&[1; 32]), Identity::of_seed(&[2; 32]));
        let token = Zeroizing::new("a-session-token-of-some-forty-three-letters".to_owned());
        let (sealed, again) = (Sealed::new(&token, &own).unwrap(), Sealed::new(&token, &own).unwrap());
        assert_eq!(sealed.open(&own), Some(token.clone()));
        assert_eq!(sealed.open(&foreign), None);
        assert_ne!(sealed.bytes, again.bytes, "each has a nonce of its own");
        assert!(
            !sealed.bytes.windows(8).any(|eight| token.as_bytes().windows(8).any(|other| eight == other))
        );
    }
}
