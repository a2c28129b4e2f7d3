//! Two ends in memory, and a forger who knows the keys of one of them.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tenfour_tls::{Error, Row, Session};

/// The older one first.
pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

pub(crate) struct Pair {
    pub(crate) client: Session,
    pub(crate) server: Session,
    /// Bytes that the network passes on at once.
    pub(crate) piece: usize,
    secrets: Arc<Secrets>,
}

/// A certificate for `localhost`, and both configurations, for one version.
pub(crate) fn configs(version: &'static SupportedProtocolVersion) -> (Arc<ServerConfig>, ClientConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let cert: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut crypto = provider::default_provider();
    // The suite of the forger, and of browsers.
    crypto.cipher_suites = vec![
        provider::cipher_suite::TLS13_AES_128_GCM_SHA256,
        provider::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    let crypto = Arc::new(crypto);
    let server = ServerConfig::builder_with_provider(crypto.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert).unwrap();
    let client = ClientConfig::builder_with_provider(crypto)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), client)
}

impl Pair {
    pub(crate) fn new(version: &'static SupportedProtocolVersion) -> Self {
        let (server, mut client) = configs(version);
        let secrets = Arc::new(Secrets::default());
        client.key_log = secrets.clone();
        let name = ServerName::try_from("localhost").unwrap();
        Self {
            client: Session::client(Arc::new(client), name).unwrap(),
            server: Session::server(server).unwrap(),
            piece: 20_000,
            secrets,
        }
    }

    /// Until nobody has anything to say.
    pub(crate) fn shake_hands(&mut self) {
        while self.client.is_pending() || self.server.is_pending() {
            self.client_to_server();
            self.server_to_client();
        }
        assert!(self.client.is_open() && self.server.is_open());
    }

    pub(crate) fn client_to_server(&mut self) {
        let bytes = self.client.pending().to_vec();
        self.client.sent(bytes.len());
        assert_eq!(self.server_reads(&bytes).unwrap(), b"");
    }

    pub(crate) fn server_to_client(&mut self) {
        let bytes = self.server_out();
        assert_eq!(self.client_reads(&bytes).unwrap(), b"");
    }

    /// What the server has to say.
    pub(crate) fn server_out(&mut self) -> Vec<u8> {
        let bytes = self.server.pending().to_vec();
        self.server.sent(bytes.len());
        bytes
    }

    pub(crate) fn server_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        reads(&mut self.server, bytes, self.piece)
    }

    pub(crate) fn client_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        reads(&mut self.client, bytes, self.piece)
    }

    pub(crate) fn sealed_by_client(&mut self, plain: &[u8]) -> Vec<u8> {
        says(&mut self.client, plain).expect("the client may talk")
    }

    /// What comes of a message.
    pub(crate) fn server_gets(&mut self, plain: &[u8]) -> Vec<u8> {
        let record = self.sealed_by_client(plain);
        self.server_reads(&record).unwrap()
    }

    /// What comes of a message.
    pub(crate) fn client_gets(&mut self, plain: &[u8]) -> Vec<u8> {
        let record = says(&mut self.server, plain).expect("the server may talk");
        self.client_reads(&record).unwrap()
    }
}

/// Passes on what comes as a shell does, in pieces.
fn reads(session: &mut Session, bytes: &[u8], piece: usize) -> Result<Vec<u8>, Error> {
    let mut came = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut buffer = [session.kept(), piece].concat();
        session.read(&mut buffer, |plain| {
            came.extend_from_slice(plain);
            true
        })?;
    }
    Ok(came)
}

fn says(session: &mut Session, plain: &[u8]) -> Option<Vec<u8>> {
    let mut row = Row::new(17 * 1024);
    let record = session.seal(plain, &mut row)?;
    Some(row.get(record).to_vec())
}

/// The traffic secrets of TLS 1.3, as rustls tells them for debugging.
#[derive(Debug, Default)]
struct Secrets {
    client: std::sync::Mutex<Vec<u8>>,
    server: std::sync::Mutex<Vec<u8>>,
}

impl rustls::KeyLog for Secrets {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        match label {
            "CLIENT_TRAFFIC_SECRET_0" => *self.client.lock().unwrap() = secret.to_vec(),
            "SERVER_TRAFFIC_SECRET_0" => *self.server.lock().unwrap() = secret.to_vec(),
            _ => {}
        }
    }
}

/// Speaks TLS 1.3 for the client of a [`Pair`], and says what no library would.
pub(crate) struct Forger<'a> {
    pair: &'a mut Pair,
    secret: Vec<u8>,
    says: Keys,
    hears: Keys,
}

/// Keys of one direction: RFC 8446, 7.3.
struct Keys {
    key: LessSafeKey,
    iv: [u8; 12],
    number: u64,
}

impl<'a> Forger<'a> {
    /// From now on the client itself says nothing more.
    pub(crate) fn of(pair: &'a mut Pair) -> Self {
        let secret = pair.secrets.client.lock().unwrap().clone();
        let hears = Keys::of(&pair.secrets.server.lock().unwrap());
        // The server has sent its tickets, in one record.
        let hears = Keys { number: 1, ..hears };
        Self { says: Keys::of(&secret), hears, secret, pair }
    }

    /// A record of that type.
    pub(crate) fn seal(&mut self, kind: u8, plain: &[u8]) -> Vec<u8> {
        let mut inner = [plain, &[kind]].concat();
        let head = head(inner.len() + 16);
        let nonce = self.says.next();
        self.says.key.seal_in_place_append_tag(nonce, Aad::from(head), &mut inner).unwrap();
        [&head[..], &inner].concat()
    }

    /// Type and plaintext of a record of the server.
    pub(crate) fn open(&mut self, record: &[u8]) -> (u8, Vec<u8>) {
        let nonce = self.hears.next();
        let (head, body) = record.split_at(5);
        let head: [u8; 5] = head.try_into().unwrap();
        let mut body = body.to_vec();
        let plain = self.hears.key.open_in_place(nonce, Aad::from(head), &mut body).unwrap();
        let (kind, plain) = plain.split_last().unwrap();
        (*kind, plain.to_vec())
    }

    /// Shows the server bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair.server_reads(bytes)
    }

    /// What the server sends to say something.
    pub(crate) fn server_says(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        says(&mut self.pair.server, plain)
    }

    /// After a key update of ours.
    pub(crate) fn rekey(&mut self) {
        self.secret = expand(&self.secret, b"traffic upd", 32);
        self.says = Keys::of(&self.secret);
    }
}

impl Keys {
    fn of(secret: &[u8]) -> Self {
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &expand(secret, b"key", 16)).unwrap());
        Self { key, iv: expand(secret, b"iv", 12).try_into().unwrap(), number: 0 }
    }

    fn next(&mut self) -> Nonce {
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(self.number.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

fn head(length: usize) -> [u8; 5] {
    let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
    [23, 3, 3, high, low]
}

/// HKDF-Expand-Label: RFC 8446, 7.1.
fn expand(secret: &[u8], label: &[u8], length: usize) -> Vec<u8> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
    let label_length = u8::try_from(label.len() + 6).unwrap();
    let info = [&[high, low, label_length], &b"tls13 "[..], label, &[0]];
    let mut out = vec![0; length];
    Prk::new_less_safe(HKDF_SHA256, secret).expand(&info, Length(length)).unwrap().fill(&mut out).unwrap();
    out
}
