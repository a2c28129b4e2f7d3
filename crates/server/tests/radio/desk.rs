//! A server for one test, and people who use it.

use std::net::SocketAddr;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenfour_protocol::UserId;
use tenfour_protocol::auth::signed_bytes;
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

use crate::http::{Reply, request};

/// More than one, so that talkers and listeners meet across workers.
const WORKERS: usize = 4;

pub(crate) struct Desk {
    server: Option<Server>,
    folder: TempDir,
    settings: Settings,
}

/// A device key.
pub(crate) struct Key(SigningKey);

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    /// On a free port of loopback, with a data folder of its own.
    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self { server: None, folder, settings };
        desk.start();
        desk
    }

    pub(crate) fn start(&mut self) {
        let own = Settings {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ops: Some("127.0.0.1:0".parse().unwrap()),
            data: Some(self.data().to_owned()),
            workers: Some(WORKERS),
            ..Settings::default()
        };
        let settings = self.settings.clone().over(own);
        self.server = Some(Server::start(Config::new(settings).unwrap()).unwrap());
    }

    pub(crate) fn stop(&mut self) {
        self.server.take().expect("it runs").stop();
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> &str {
        self.server().url()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url().split_once("://").unwrap().1.parse().unwrap()
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        request(self.address(), "GET", path, headers, b"")
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        request(self.address(), "POST", path, headers, body.to_string().as_bytes())
    }

    /// A request of a program that has this token.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.address(), method, path, &[("authorization", &bearer)], body.as_bytes())
    }

    /// Logs in again, and returns the token.
    pub(crate) fn log_in(&self, seed: u8) -> String {
        self.log_in_with(&Key::new(seed))
    }

    /// The same with a key of one's own.
    pub(crate) fn log_in_with(&self, key: &Key) -> String {
        let proof = self.prove(key, self.url(), "bearer");
        let reply = self.post("/api/v1/login", &[], &json!({ "proof": proof }));
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    /// The operator's page.
    pub(crate) fn ops(&self, path: &str) -> String {
        String::from_utf8(request(self.ops_address(), "GET", path, &[], b"").body).unwrap()
    }

    /// Where the operator's page is.
    pub(crate) fn ops_address(&self) -> SocketAddr {
        self.server().ops_url().unwrap().trim_start_matches("http://").parse().unwrap()
    }

    /// A proof for `origin`, with a fresh nonce.
    pub(crate) fn prove(&self, key: &Key, origin: &str, session: &str) -> Value {
        let nonce = self.post("/api/v1/nonce", &[], &json!({})).json();
        key.prove(&nonce, origin, session)
    }

    /// Registers and returns the token of a bearer session.
    pub(crate) fn register(&self, seed: u8, handle: &str) -> String {
        let proof = self.prove(&Key::new(seed), self.url(), "bearer");
        let body = json!({ "handle": handle, "description": "night shift", "proof": proof });
        let reply = self.post("/api/v1/register", &[], &body);
        assert_eq!(reply.status, 201, "{}", reply.json());
        reply.json()["token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    /// From 32 bytes, for tests with many people.
    pub(crate) fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&bytes))
    }

    pub(crate) fn user(&self) -> UserId {
        UserId::of_key(&self.public())
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    pub(crate) fn prove(&self, nonce: &Value, origin: &str, session: &str) -> Value {
        let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap().as_bytes()).unwrap();
        let expiry = nonce["expiry"].as_u64().unwrap();
        let signed = signed_bytes(origin, &bytes.try_into().unwrap(), expiry, &self.user());
        json!({
            "key": BASE64URL_NOPAD.encode(self.0.verifying_key().as_bytes()),
            "nonce": nonce["nonce"],
            "expiry": expiry,
            "signature": BASE64URL_NOPAD.encode(&self.0.sign(&signed).to_bytes()),
            "session": session,
        })
    }
}
