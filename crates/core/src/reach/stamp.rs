//! Stamps: with one a client proves that the cell it sends is the last one that the server accepted from its key,
//! though the server has forgotten the cell.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenfour_protocol::{GeoCell, UserId};
use zeroize::Zeroizing;

/// Bytes of a stamp's seal.
const SEAL_BYTES: usize = 16;
const SERIAL_BYTES: usize = 8;

/// Random bytes of this run of the server, made by the shell. Nobody else can derive the same hashes, and neither can
/// the server after a restart.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<[u8; 32]>);

/// Says nothing.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A number for the shuffling of listeners.
    pub(crate) fn seed(&self) -> u64 {
        let sum = self.mac(&[b"shuffle"]).finalize().into_bytes();
        u64::from_be_bytes(sum[..8].try_into().expect("eight bytes"))
    }

    /// The hash that stands for a user where only times are kept.
    pub(crate) fn key_of(&self, user: UserId) -> [u8; SEAL_BYTES] {
        let sum = self.mac(&[b"key", user.as_bytes()]).finalize().into_bytes();
        sum[..SEAL_BYTES].try_into().expect("sixteen bytes")
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any length is a key");
        parts.iter().fold(mac, |mac, part| mac.chain_update(part))
    }
}

/// A serial number, sealed together with user and cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which one.
    pub(crate) serial: u64,
    /// As it travels.
    pub(crate) text: String,
}

impl Stamp {
    pub(crate) fn new(secret: &Secret, user: UserId, cell: &GeoCell, serial: u64) -> Self {
        let mut bytes = [0; SERIAL_BYTES + SEAL_BYTES];
        bytes[..SERIAL_BYTES].copy_from_slice(&serial.to_be_bytes());
        let seal = seal(secret, user, cell, serial).finalize().into_bytes();
        bytes[SERIAL_BYTES..].copy_from_slice(&seal[..SEAL_BYTES]);
        Self { serial, text: BASE64URL_NOPAD.encode(&bytes) }
    }

    /// The serial number that a text names, and whether it is a stamp made for this user and this
    /// cell. If not, it may be one for another cell, or made up: nobody can tell without that cell.
    pub(crate) fn read(secret: &Secret, user: UserId, cell: &GeoCell, text: &str) -> Option<(u64, bool)> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (serial, sealed) = bytes.split_first_chunk::<SERIAL_BYTES>()?;
        if sealed.len() != SEAL_BYTES {
            return None;
        }
        let serial = u64::from_be_bytes(*serial);
        let fits = seal(secret, user, cell, serial).verify_truncated_left(sealed).is_ok();
        Some((serial, fits))
    }
}

fn seal(secret: &Secret, user: UserId, cell: &GeoCell, serial: u64) -> Hmac<Sha256> {
    #[expect(clippy::disallowed_methods, reason = "part of the reader")]
    let cell = Zeroizing::new(cell.index().to_be_bytes());
    secret.mac(&[b"cell", user.as_bytes(), cell.as_slice(), &serial.to_be_bytes()])
}
