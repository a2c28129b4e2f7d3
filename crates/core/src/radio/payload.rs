//! The payload of a voice frame, shared and wiped.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// One Opus packet. Clones share the bytes, which are wiped when the last clone is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Arc<Zeroizing<Box<[u8]>>>);

impl Payload {
    /// Copies `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes.into())))
    }
}

impl std::ops::Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Shows the length only: voice does not belong in a debug print.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}
