//! Device keys, registered by the dozen.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tenfour_protocol::UserId;
use tenfour_protocol::auth::signed_bytes;

/// A key that is registered, and the token of its session.
pub(super) struct Key {
    token: String,
}

/// Counts the attacker's keys.
static NOBODIES: AtomicU64 = AtomicU64::new(0);

impl Key {
    /// A key of the attacker's. Each has a handle of its own: tags are short, and two people with one tag may not have
    /// handles that look alike.
    pub(super) fn of_nobody(url: &str) -> Self {
        Self::register(url, &format!("Somebody {}", NOBODIES.fetch_add(1, Ordering::Relaxed)))
    }

    /// Makes a key, and registers it under a handle.
    pub(super) fn register(url: &str, handle: &str) -> Self {
        let key = SigningKey::from_bytes(&random());
        let user = UserId::of_key(key.verifying_key().as_bytes());
        let nonce = post(url, "nonce", &json!({}));
        let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap_or_default().as_bytes());
        let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok()).expect("a nonce");
        let expiry = nonce["expiry"].as_u64().expect("an expiry");
        let signature = key.sign(&signed_bytes(url, &bytes, expiry, &user)).to_bytes();
        let proof = json!({
            "key": BASE64URL_NOPAD.encode(key.verifying_key().as_bytes()),
            "nonce": nonce["nonce"],
            "expiry": expiry,
            "signature": BASE64URL_NOPAD.encode(&signature),
            "session": "bearer",
        });
        let me = post(url, "register", &json!({ "handle": handle, "proof": proof }));
        Self { token: me["token"].as_str().expect("a session").to_owned() }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

/// One request on a connection of its own.
fn post(url: &str, path: &str, body: &Value) -> Value {
    let (_, authority) = url.split_once("://").expect("a URL");
    let body = body.to_string();
    let request = format!(
        "POST /api/v1/{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(authority).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    serde_json::from_str(body).expect("JSON")
}

/// Keys are not part of what a seed decides: a server keeps them from run to run.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    fastrand::Rng::new().fill(&mut bytes);
    bytes
}
