//! The secret that the nodes of a cluster know and NATS does not.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::NatsError;

/// Shortest text of a secret, in bytes: 128 bits in hexadecimal.
const MIN_CHARS: usize = 32;

/// The secret. Each purpose has a key of its own, derived from it.
#[derive(Clone)]
pub(crate) struct ClusterSecret {
    root: Zeroizing<[u8; 32]>,
    given: bool,
}

/// Nothing of it.
impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterSecret(…)")
    }
}

impl ClusterSecret {
    /// Reads it from the file. Without a file it is a known constant: then everybody who reaches NATS is trusted.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, NatsError> {
        let Some(path) = file else { return Ok(Self::from_text("tenfour: no secret", false)) };
        let refuse = |reason: String| NatsError::Secret { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let text = Zeroizing::new(text);
        let mode = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(refuse("everybody on this machine may read it".to_owned()));
        }
        let line = text.trim();
        if line.len() < MIN_CHARS {
            return Err(refuse(format!("it has less than {MIN_CHARS} characters")));
        }
        Ok(Self::from_text(line, true))
    }

    fn from_text(text: &str, given: bool) -> Self {
        Self { root: derived(text.as_bytes(), &[b"tenfour cluster v1"]), given }
    }

    /// False for the known constant.
    pub(crate) fn is_given(&self) -> bool {
        self.given
    }

    /// The key for a purpose, derived from all parts.
    pub(crate) fn key(&self, purpose: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derived(&*self.root, purpose)
    }
}

/// HMAC-SHA256 over the parts, each with its length before it.
pub(crate) fn derived(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any key will do");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(&mac.finalize().into_bytes());
    bytes
}

/// Compares without telling where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_long_line_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let read = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            ClusterSecret::of(Some(&path)).map_err(|error| error.to_string())
        };
        let good = "0123456789abcdef0123456789abcdef";
        let key = |text: &str| read(text, 0o600).unwrap().key(&[b"x"]);
        assert_eq!(key(good), key(&format!("  {good}\n")));
        assert_ne!(key(good), key(&format!("{good}0")));
        assert_ne!(key(good), ClusterSecret::of(None).unwrap().key(&[b"x"]));
        assert!(read(good, 0o640).unwrap().is_given() && !ClusterSecret::of(None).unwrap().is_given());
        for (text, mode, words) in
            [("change me", 0o600, "less than 32"), (good, 0o644, "everybody on this machine")]
        {
            let refused = read(text, mode).unwrap_err();
            assert!(refused.contains(words) && refused.contains("openssl rand -hex 32"), "{refused}");
            assert!(!refused.contains(text), "and does not tell it");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(ClusterSecret::of(Some(&path)).is_err());
    }

    #[test]
    fn each_purpose_has_a_key_and_parts_do_not_run_together() {
        let secret = ClusterSecret::of(None).unwrap();
        assert_ne!(secret.key(&[b"ab", b"c"]), secret.key(&[b"a", b"bc"]));
        assert_ne!(secret.key(&[b"ab"]), secret.key(&[b"ab", b""]));
        assert_eq!(format!("{secret:?}"), "ClusterSecret(…)");
    }
}
