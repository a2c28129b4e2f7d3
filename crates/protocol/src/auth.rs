//! Log-in by device key: the bytes that are signed.

use crate::id::UserId;
use crate::limits::NONCE_BYTES;

const CONTEXT: &[u8] = b"tenfour-auth-v1";

/// The bytes that a device key signs to register or to log in: context, origin, nonce,
/// expiry (seconds since 1970, big-endian) and the identifier of the key. All after the
/// origin have a fixed length, so no two inputs give the same bytes.
///
/// `origin` is the one the client talks to, e.g. `https://radio.example` or
/// `http://127.0.0.1:27185`: a signature made for one host is worth nothing at another.
pub fn signed_bytes(origin: &str, nonce: &[u8; NONCE_BYTES], expiry: u64, user: &UserId) -> Vec<u8> {
    [CONTEXT, origin.as_bytes(), nonce, &expiry.to_be_bytes(), user.as_bytes()].concat()
}
