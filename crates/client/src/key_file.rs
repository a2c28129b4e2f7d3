//! A device key in a file, encrypted with a passphrase, to take to another device. The page reads and writes the same
//! files; `docs/key-file.md` is the normative text.
//!
//! PBKDF2 makes a key of the passphrase, and AES-GCM encrypts the seed with it: browsers have both. Both come from
//! aws-lc, which we link for TLS anyway and which is as fast in a debug build.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenfour_protocol::UserId;
use tenfour_protocol::limits::{
    KEY_FILE_BYTES, KEY_FILE_ITERATIONS, KEY_FILE_ITERATIONS_MOST, PASSPHRASE_BYTES, PASSPHRASE_CHARACTERS,
};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub use crate::error::KeyFileError;
use crate::identity::{Identity, create_private};

const FORMAT: &str = "tenfour-key";
const VERSION: u64 = 1;
/// The beginning of the data that is authenticated with the seed.
const CONTEXT: &[u8] = b"tenfour-key-v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    user: UserId,
    iterations: u32,
    salt: String,
    nonce: String,
    sealed: String,
    check: String,
}

/// The plain fields of a file as bytes, and the encrypted seed.
struct Parts {
    user: UserId,
    iterations: u32,
    salt: [u8; 16],
    nonce: [u8; 12],
    /// The seed and a tag of 16 bytes.
    sealed: [u8; 48],
}

/// Writes the key of `identity` to a new file that only its owner can read.
pub fn export(identity: &Identity, path: &Path, passphrase: &str) -> Result<(), KeyFileError> {
    let text = seal(identity, passphrase)?;
    let system = |error: std::io::Error| KeyFileError::System(format!("{}: {error}", path.display()));
    let mut file = create_private(path).map_err(system)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(system)
}

/// The text of a key file.
pub fn seal(identity: &Identity, passphrase: &str) -> Result<String, KeyFileError> {
    let passphrase = normal(passphrase)?;
    if passphrase.chars().count() < PASSPHRASE_CHARACTERS {
        return Err(KeyFileError::Passphrase);
    }
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    getrandom::fill(&mut salt)
        .and_then(|()| getrandom::fill(&mut nonce))
        .map_err(|error| KeyFileError::System(error.to_string()))?;
    Ok(seal_with(identity, &passphrase, salt, nonce))
}

/// The key in a key file's text.
pub fn open(text: &[u8], passphrase: &str) -> Result<Identity, KeyFileError> {
    let mut parts = Parts::parse(text)?;
    let key = key_of(&normal(passphrase)?, &parts);
    let (nonce, aad) = (Nonce::assume_unique_for_key(parts.nonce), Aad::from(parts.in_clear()));
    let seed = key.open_in_place(nonce, aad, &mut parts.sealed).map_err(|_| KeyFileError::WrongPassphrase)?;
    let seed = Zeroizing::new(<[u8; 32]>::try_from(&*seed).map_err(|_| KeyFileError::Damaged)?);
    zeroize::Zeroize::zeroize(&mut parts.sealed);
    let identity = Identity::of_seed(&seed);
    // The file says whose key it is. If that is not true, the file is not to be trusted.
    if identity.user() == parts.user { Ok(identity) } else { Err(KeyFileError::Damaged) }
}

fn seal_with(identity: &Identity, passphrase: &str, salt: [u8; 16], nonce: [u8; 12]) -> String {
    let iterations = KEY_FILE_ITERATIONS;
    let mut parts = Parts { user: identity.user(), iterations, salt, nonce, sealed: [0; 48] };
    let (seed, tag) = parts.sealed.split_at_mut(32);
    seed.copy_from_slice(identity.seed());
    // Each file has a salt of its own, so the key is used once and any nonce is unique.
    let unique = Nonce::assume_unique_for_key(nonce);
    let in_clear = in_clear(&parts.user, iterations, &salt);
    let key = key_of_salt(passphrase, iterations, &salt);
    let sealed = key.seal_in_place_separate_tag(unique, Aad::from(in_clear), seed);
    tag.copy_from_slice(sealed.expect("32 bytes can be sealed").as_ref());
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let file = File {
        format: FORMAT.into(),
        version: VERSION,
        user: parts.user,
        iterations,
        salt: text(&salt),
        nonce: text(&nonce),
        sealed: text(&parts.sealed),
        check: text(&parts.check()),
    };
    serde_json::to_string_pretty(&file).expect("texts and numbers are JSON") + "\n"
}

impl Parts {
    fn parse(text: &[u8]) -> Result<Self, KeyFileError> {
        if text.len() > KEY_FILE_BYTES {
            return Err(KeyFileError::NotAKeyFile);
        }
        let Ok(value) = serde_json::from_slice::<Value>(text) else {
            let name = format!("\"{FORMAT}\"");
            let is_cut = text.windows(name.len()).any(|window| window == name.as_bytes());
            return Err(if is_cut { KeyFileError::Damaged } else { KeyFileError::NotAKeyFile });
        };
        if value["format"] != FORMAT {
            return Err(KeyFileError::NotAKeyFile);
        }
        match value["version"].as_u64() {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => return Err(KeyFileError::Newer(newer)),
            _ => return Err(KeyFileError::Damaged),
        }
        let file = serde_json::from_value::<File>(value).map_err(|_| KeyFileError::Damaged)?;
        Self::of(&file).ok_or(KeyFileError::Damaged)
    }

    /// None if a field is out of bounds, or the fields do not match.
    fn of(file: &File) -> Option<Self> {
        let parts = Self {
            user: file.user,
            iterations: file.iterations,
            salt: bytes(&file.salt)?,
            nonce: bytes(&file.nonce)?,
            sealed: bytes(&file.sealed)?,
        };
        let bounds = KEY_FILE_ITERATIONS..=KEY_FILE_ITERATIONS_MOST;
        (bounds.contains(&parts.iterations) && bytes(&file.check) == Some(parts.check())).then_some(parts)
    }

    fn in_clear(&self) -> Vec<u8> {
        in_clear(&self.user, self.iterations, &self.salt)
    }

    /// Tells a damaged file from a wrong passphrase. This check protects from nobody; the encryption does.
    fn check(&self) -> [u8; 8] {
        let hash = Sha256::new().chain_update(self.in_clear()).chain_update(self.nonce);
        let hash = hash.chain_update(self.sealed).finalize();
        std::array::from_fn(|at| hash[at])
    }
}

/// What is authenticated with the seed.
fn in_clear(user: &UserId, iterations: u32, salt: &[u8; 16]) -> Vec<u8> {
    [CONTEXT, user.as_bytes(), &iterations.to_be_bytes(), salt].concat()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Normalises the passphrase: keyboards encode the same letters in different ways.
fn normal(passphrase: &str) -> Result<Zeroizing<String>, KeyFileError> {
    if passphrase.len() > PASSPHRASE_BYTES {
        return Err(KeyFileError::Passphrase);
    }
    let mut normal = Zeroizing::new(String::with_capacity(4 * passphrase.len()));
    normal.extend(passphrase.nfkc());
    if normal.len() > PASSPHRASE_BYTES { Err(KeyFileError::Passphrase) } else { Ok(normal) }
}

fn key_of(passphrase: &str, parts: &Parts) -> LessSafeKey {
    key_of_salt(passphrase, parts.iterations, &parts.salt)
}

fn key_of_salt(passphrase: &str, iterations: u32, salt: &[u8; 16]) -> LessSafeKey {
    let mut key = Zeroizing::new([0; 32]);
    let rounds = NonZeroU32::new(iterations).expect("checked when read");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, passphrase.as_bytes(), &mut *key);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("32 bytes are a key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../../vectors/key_file.json")).unwrap()
    }

    fn text<'a>(value: &'a Value, name: &str) -> &'a str {
        value[name].as_str().unwrap()
    }

    /// How the vectors and the page name what is wrong.
    fn name(error: &KeyFileError) -> &'static str {
        match error {
            KeyFileError::WrongPassphrase => "passphrase",
            KeyFileError::Damaged => "damaged",
            KeyFileError::Newer(_) => "newer",
            KeyFileError::NotAKeyFile => "foreign",
            KeyFileError::Passphrase => "length",
            KeyFileError::System(_) => "system",
        }
    }

    #[test]
    fn the_vector_is_opened_and_written_alike() {
        let vector = vector();
        let file = &vector["file"];
        let seed = HEXLOWER.decode(text(&vector, "seed").as_bytes()).unwrap();
        let identity = Identity::of_seed(seed.as_slice().try_into().unwrap());
        for passphrase in vector["passphrases"].as_array().unwrap() {
            let opened = open(file.to_string().as_bytes(), passphrase.as_str().unwrap()).unwrap();
            assert_eq!(opened.seed()[..], seed[..], "{passphrase}");
        }
        let passphrase = normal(vector["passphrases"][0].as_str().unwrap()).unwrap();
        let (salt, nonce) = (bytes(text(file, "salt")).unwrap(), bytes(text(file, "nonce")).unwrap());
        let written = seal_with(&identity, &passphrase, salt, nonce);
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), *file);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let vector = vector();
        for case in vector["wrong"].as_array().unwrap() {
            let mut file = vector["file"].clone();
            for (field, value) in case["change"].as_object().into_iter().flatten() {
                match value {
                    Value::Null => drop(file.as_object_mut().unwrap().remove(field)),
                    value => file[field] = value.clone(),
                }
            }
            let file = case["text"].as_str().map_or_else(|| file.to_string(), str::to_owned);
            let passphrase = case["passphrase"].as_str().or(vector["passphrases"][0].as_str()).unwrap();
            let error = open(file.as_bytes(), passphrase).unwrap_err();
            assert_eq!(name(&error), text(case, "error"), "{}", case["name"]);
        }
    }

    #[test]
    fn a_key_survives_the_way_through_a_file_and_each_file_is_another() {
        let identity = Identity::generate().unwrap();
        let (one, other) = (seal(&identity, "kilo mike").unwrap(), seal(&identity, "kilo mike").unwrap());
        assert_ne!(one, other);
        assert!(one.len() < KEY_FILE_BYTES / 4, "{}", one.len());
        assert_eq!(open(one.as_bytes(), "kilo mike").unwrap().seed(), identity.seed());
    }

    #[test]
    fn a_passphrase_has_eight_characters_of_any_kind() {
        let identity = Identity::generate().unwrap();
        for short in ["", "1234567", "🤘🤘🤘🤘🤘🤘🤘", "e\u{301}e\u{301}e\u{301}e\u{301}"] {
            assert!(matches!(seal(&identity, short), Err(KeyFileError::Passphrase)), "{short}");
        }
        let long = "x".repeat(PASSPHRASE_BYTES + 1);
        assert!(matches!(seal(&identity, &long), Err(KeyFileError::Passphrase)));
        assert!(seal(&identity, "  山山山山山 ").is_ok());
    }

    /// Every byte of a file matters: none can be changed without notice.
    #[test]
    fn no_byte_of_a_file_can_be_changed() {
        let file = vector()["file"].to_string().into_bytes();
        for at in 0..file.len() {
            for other in [file[at] ^ 1, file[at] ^ 0x20, b'0', b' '] {
                let mut changed = file.clone();
                changed[at] = other;
                // Spaces between fields mean nothing.
                if changed != file
                    && serde_json::from_slice::<Value>(&changed).ok() != serde_json::from_slice(&file).ok()
                {
                    assert!(Parts::parse(&changed).is_err(), "byte {at}");
                }
            }
        }
    }
}
