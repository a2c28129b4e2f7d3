//! Who this node is for NATS.

use std::path::Path;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::NatsError;

/// From a file: what the operator was given.
pub(super) enum Credentials {
    /// A signed statement of the account, and the key it is about.
    Jwt { jwt: Zeroizing<String>, key: Box<SigningKey> },
    /// A name and a password.
    Password { user: Zeroizing<String>, password: Zeroizing<String> },
    /// A word.
    Token(Zeroizing<String>),
}

impl Credentials {
    pub(super) fn read(path: &Path) -> Result<Self, NatsError> {
        let refuse =
            |reason: &str| NatsError::File { path: path.display().to_string(), reason: reason.to_owned() };
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| refuse(&error.to_string()))?);
        Self::parse(&text).map_err(refuse)
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("-----BEGIN") {
            let jwt = section(text, "NATS USER JWT").ok_or("there is no user JWT")?;
            let seed = section(text, "USER NKEY SEED").ok_or("there is no seed of a user")?;
            return Ok(Self::Jwt { jwt: Zeroizing::new(jwt.to_owned()), key: Box::new(key_of(seed)?) });
        }
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).ok_or("it is empty")?;
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        Ok(match line.split_once(':') {
            Some((user, password)) => Self::Password { user: owned(user), password: owned(password) },
            None => Self::Token(owned(line)),
        })
    }

    /// Adds them to the message that begins a connection. `nonce` is what the server wants signed.
    pub(super) fn say(&self, connect: &mut Map<String, Value>, nonce: &str) {
        let mut say = |key: &str, value: &str| connect.insert(key.to_owned(), value.into());
        match self {
            Self::Jwt { jwt, key } => {
                say("jwt", jwt);
                say("sig", &BASE64URL_NOPAD.encode(&key.sign(nonce.as_bytes()).to_bytes()));
            }
            Self::Password { user, password } => {
                say("user", user);
                say("pass", password);
            }
            Self::Token(token) => {
                say("auth_token", token);
            }
        }
    }
}

/// What stands between two lines of dashes.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("-----BEGIN {name}-----"))?;
    after.lines().map(str::trim).find(|line| !line.is_empty())
}

/// A seed of NATS: two bytes of prefixes, 32 of the seed, two of a check sum, in base 32.
fn key_of(seed: &str) -> Result<SigningKey, &'static str> {
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(seed.as_bytes()).map_err(|_| "the seed is no base 32")?);
    let (body, sum) = bytes.split_last_chunk::<2>().ok_or("the seed is too short")?;
    if crc(body).to_le_bytes() != *sum {
        return Err("the seed is damaged");
    }
    let seed: [u8; 32] =
        body.get(2..).and_then(|seed| seed.try_into().ok()).ok_or("the seed has no 32 bytes")?;
    Ok(SigningKey::from_bytes(&Zeroizing::new(seed)))
}

/// CRC-16 as XMODEM has it.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc: u16, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_user_with_a_password_or_a_token() {
        let mut connect = Map::new();
        Credentials::parse("\n radio:se:cret \n").unwrap().say(&mut connect, "");
        assert_eq!((&connect["user"], &connect["pass"]), (&"radio".into(), &"se:cret".into()));
        Credentials::parse("word").unwrap().say(&mut connect, "");
        assert_eq!(connect["auth_token"], "word");
        assert!(Credentials::parse(" \n").is_err());
    }

    #[test]
    fn a_file_of_nats_signs_the_nonce() {
        // What a seed of a user begins with: 18 and 20, in five bits each.
        let mut bytes = vec![0x95, 0];
        bytes.extend([7; 32]);
        bytes.extend(crc(&bytes).to_le_bytes());
        let seed = BASE32_NOPAD.encode(&bytes);
        assert!(seed.starts_with("SU"), "{seed}");
        let file = |seed: &str| {
            format!(
                "-----BEGIN NATS USER JWT-----\neyJ0.x.y\n------END NATS USER JWT------\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            )
        };
        let mut connect = Map::new();
        Credentials::parse(&file(&seed)).unwrap().say(&mut connect, "nonce");
        let signature = SigningKey::from_bytes(&[7; 32]).sign(b"nonce");
        assert_eq!(connect["sig"], BASE64URL_NOPAD.encode(&signature.to_bytes()));
        assert_eq!(connect["jwt"], "eyJ0.x.y");
        let damaged = seed.replace('A', "B");
        assert!(Credentials::parse(&file(&damaged)).is_err());
    }

    #[test]
    fn the_check_sum_is_that_of_xmodem() {
        assert_eq!(crc(b"123456789"), 0x31C3);
    }
}
