//! Sealed values of the store: somebody with the disk of NATS, or the right to publish there, can read no person,
//! and values that were not made with the cluster's secret are ignored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::nats::{ClusterSecret, derived, same};
use crate::random::random;

/// The first byte of a value: version 1 of the seal.
const SEALED: u8 = 0x50;
/// Bytes of a keyed hash in a key, which is 128 bits.
const MARK: usize = 16;

/// Seals, opens, and counts what cannot be opened.
#[derive(Clone)]
pub(super) struct Vault {
    key: Arc<LessSafeKey>,
    marks: Arc<Zeroizing<[u8; 32]>>,
    refused: Arc<AtomicU64>,
}

/// Nothing of it.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// For the bucket of this name.
    pub(super) fn of(secret: &ClusterSecret, bucket: &str) -> Self {
        let key = secret.key(&[b"store", bucket.as_bytes()]);
        let key = UnboundKey::new(&AES_256_GCM_SIV, &*key).expect("32 bytes are a key");
        let marks = secret.key(&[b"store marks", bucket.as_bytes()]);
        Self { key: Arc::new(LessSafeKey::new(key)), marks: Arc::new(marks), refused: Arc::default() }
    }

    /// Counts values that could not be opened.
    pub(super) fn refused(&self) -> &Arc<AtomicU64> {
        &self.refused
    }

    /// A value as it is stored under a key of the bucket.
    pub(super) fn seal(&self, key: &str, value: &[u8]) -> Zeroizing<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random();
        // Sized before: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + NONCE_LEN + value.len() + MARK));
        bytes.push(SEALED);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(value);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let about = Aad::from(key.as_bytes());
        let tag = self.key.seal_in_place_separate_tag(nonce, about, &mut bytes[1 + NONCE_LEN..]);
        bytes.extend_from_slice(tag.expect("a value is far shorter than a cipher can take").as_ref());
        bytes
    }

    /// The value; nothing when it was not made with the secret, or for another key. That is counted.
    pub(super) fn open(&self, key: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let open = || {
            let (first, rest) = sealed.split_first()?;
            let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
            let mut value = Zeroizing::new(rest.to_vec());
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let length = self.key.open_in_place(nonce, Aad::from(key.as_bytes()), &mut value).ok()?.len();
            value.truncate(length);
            (*first == SEALED).then_some(value)
        };
        let opened = open();
        if opened.is_none() {
            self.refuse();
        }
        opened
    }

    /// A value is none of ours.
    pub(super) fn refuse(&self) {
        if self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(
                "a value in JetStream was not made with the secret of this cluster, or is an old one that was put back: it counts for nothing. Either somebody else can write to NATS, or cluster_secret_file is not the one of this store; more are counted in tenfour_store_refused_total"
            );
        }
    }

    /// A word that only nodes can make of these words, for a key.
    pub(super) fn mark(&self, words: &str) -> String {
        HEXLOWER.encode(&derived(&**self.marks, &[words.as_bytes()])[..MARK])
    }

    /// Whether a word is the mark of these.
    pub(super) fn is_marked(&self, words: &str, mark: &str) -> bool {
        same(self.mark(words).as_bytes(), mark.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_under_its_key_and_only_whole() {
        let vault = Vault::of(&ClusterSecret::of(None).unwrap(), "tenfour");
        let sealed = vault.seal("tag.k7f2", b"Quail of Xylo");
        assert!(!sealed.windows(5).any(|bytes| bytes == b"Quail"));
        assert_ne!(sealed, vault.seal("tag.k7f2", b"Quail of Xylo"), "equal values do not look equal");
        assert_eq!(&vault.open("tag.k7f2", &sealed).unwrap()[..], b"Quail of Xylo");
        assert!(vault.open("tag.k7f3", &sealed).is_none(), "moved to somebody else");
        assert!(Vault::of(&ClusterSecret::of(None).unwrap(), "club").open("tag.k7f2", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut bent = sealed.to_vec();
            bent[at] ^= 1;
            assert!(vault.open("tag.k7f2", &bent).is_none(), "bent at {at}");
            assert!(vault.open("tag.k7f2", &sealed[..at]).is_none(), "cut at {at}");
        }
        assert_eq!(vault.refused().load(Ordering::Relaxed), 1 + 2 * sealed.len() as u64);
    }

    #[test]
    fn a_mark_is_made_by_who_knows_the_secret() {
        let vault = Vault::of(&ClusterSecret::of(None).unwrap(), "tenfour");
        let mark = vault.mark("message.7");
        assert!(vault.is_marked("message.7", &mark) && !vault.is_marked("message.8", &mark));
        assert_eq!(mark.len(), 2 * MARK);
    }
}
