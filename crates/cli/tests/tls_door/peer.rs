//! A client that knows its keys, and says whatever it likes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::{AlertDescription, ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion};

use crate::http::request;
use crate::line::{Door, Mode};

/// Longer than the server waits for anything.
const PATIENCE: Duration = Duration::from_secs(8);
/// Type of a record of data, or, in TLS 1.3, of anything.
const DATA: u8 = 23;
/// Bytes of a code of authentication.
const TAG: usize = 16;
/// What a good answer begins with.
const GOOD: &[u8] = b"HTTP/1.1 200 ";

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// So many good answers, on a connection that stands.
    Answers(usize),
    /// The connection is over, and this alert says why.
    Alert(AlertDescription),
    /// So many good answers, and the connection is over.
    End(usize),
    /// Nothing at all, for longer than the server waits for anything.
    Nothing,
}

/// One end of a connection, before, in or after the handshake.
pub(crate) struct Peer {
    pub(crate) tcp: TcpStream,
    pub(crate) connection: ClientConnection,
    plain: Vec<u8>,
}

impl Peer {
    /// Connected, with the first message of the handshake to be sent.
    pub(crate) fn connect(door: Door) -> Self {
        let mut config = door.mode.client().expect("a version of TLS");
        let own = Arc::get_mut(&mut config).expect("nobody else has it");
        own.enable_secret_extraction = true;
        Self::with(door, config)
    }

    pub(crate) fn with(door: Door, config: Arc<rustls::ClientConfig>) -> Self {
        let tcp = TcpStream::connect(door.address).expect("the server listens");
        tcp.set_nodelay(true).expect("an option");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let connection = ClientConnection::new(config, door.address.ip().into()).expect("a client");
        Self { tcp, connection, plain: Vec::new() }
    }

    /// After the handshake.
    pub(crate) fn shaken(door: Door) -> Self {
        let mut peer = Self::connect(door);
        while peer.connection.is_handshaking() || peer.connection.wants_write() {
            peer.connection.complete_io(&mut peer.tcp).expect("a handshake");
        }
        peer
    }

    /// With the last message of the handshake, or of its second half, to be sent.
    pub(crate) fn half_shaken(door: Door) -> (Self, Vec<u8>) {
        let mut peer = Self::connect(door);
        let hello = peer.out();
        peer.send(&hello);
        while !peer.connection.wants_write() {
            peer.connection.read_tls(&mut peer.tcp).expect("an answer");
            peer.connection.process_new_packets().expect("a handshake");
        }
        let last = peer.out();
        (peer, last)
    }

    /// What TLS wants to send.
    pub(crate) fn out(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut bytes).expect("there is memory");
        }
        bytes
    }

    pub(crate) fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        self.connection.writer().write_all(plain).expect("there is memory");
        self.out()
    }

    /// The server may have had enough.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).ok();
    }

    /// Says that nothing more comes, to TCP alone.
    pub(crate) fn fin(&self) {
        self.tcp.shutdown(std::net::Shutdown::Write).ok();
    }

    /// Waits for so many answers, or for the end.
    pub(crate) fn until(mut self, answers: usize) -> Came {
        loop {
            let came = self.plain.windows(GOOD.len()).filter(|begin| *begin == GOOD).count();
            if came >= answers && answers > 0 {
                return Came::Answers(came);
            }
            match self.connection.read_tls(&mut self.tcp) {
                Ok(0) => return Came::End(came),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Came::Nothing;
                }
                Err(_) => return Came::End(came),
            }
            match self.connection.process_new_packets() {
                Ok(state) => {
                    let mut plain = vec![0; state.plaintext_bytes_to_read()];
                    self.connection.reader().read_exact(&mut plain).expect("it is there");
                    self.plain.extend(plain);
                    if state.peer_has_closed() {
                        return Came::End(
                            self.plain.windows(GOOD.len()).filter(|begin| *begin == GOOD).count(),
                        );
                    }
                }
                Err(rustls::Error::AlertReceived(alert)) => return Came::Alert(alert),
                // What is sent in answer to nonsense need not make sense.
                Err(_) => return Came::End(came),
            }
            let answer = self.out();
            self.send(&answer);
        }
    }

    /// Says nothing more, and waits for the end. What comes is not looked at: a client that answered in the last
    /// moment would finish its handshake after all.
    pub(crate) fn until_closed(mut self) -> Came {
        let mut buffer = [0; 4096];
        loop {
            match self.tcp.read(&mut buffer) {
                Ok(1..) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Came::Nothing;
                }
                _ => return Came::End(0),
            }
        }
    }

    /// Waits for these words.
    pub(crate) fn until_said(&mut self, words: &[u8]) {
        while !self.plain.windows(words.len()).any(|said| said == words) {
            assert!(self.connection.read_tls(&mut self.tcp).expect("more") > 0, "it ended before");
            let state = self.connection.process_new_packets().expect("records");
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.connection.reader().read_exact(&mut plain).expect("it is there");
            self.plain.extend(plain);
        }
    }

    /// Finishes the handshake.
    pub(crate) fn shake(mut self) -> Self {
        while self.connection.is_handshaking() || self.connection.wants_write() {
            self.connection.complete_io(&mut self.tcp).expect("a handshake");
        }
        self
    }

    /// Asks once more, and waits for all answers.
    pub(crate) fn and_asks(mut self, door: Door, answers: usize) -> Came {
        let ask = self.seal(&ask(door));
        self.send(&ask);
        self.until(answers)
    }

    /// From now on records are made by hand.
    pub(crate) fn forge(self) -> Forger {
        let is_new = self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let secrets = self.connection.dangerous_extract_secrets().expect("it is switched on");
        let (number, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
            panic!("another suite than the one that is offered first");
        };
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("a key");
        let iv = iv.as_ref().try_into().expect("12 bytes");
        Forger { tcp: self.tcp, key: LessSafeKey::new(key), iv, number, is_new }
    }
}

/// Makes records of any type.
pub(crate) struct Forger {
    pub(crate) tcp: TcpStream,
    key: LessSafeKey,
    iv: [u8; 12],
    number: u64,
    pub(crate) is_new: bool,
}

impl Forger {
    /// RFC 8446, 5.2, and RFC 5288, 3.
    pub(crate) fn seal(&mut self, kind: ContentType, plain: &[u8]) -> Vec<u8> {
        let number = self.number.to_be_bytes();
        self.number += 1;
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(number).for_each(|(byte, number)| *byte ^= number);
        let kind = u8::from(kind);
        let length = |bytes: usize| u16::try_from(bytes).expect("a record").to_be_bytes();
        let (mut inner, head, more) = if self.is_new {
            let inner = [plain, &[kind]].concat();
            let head = [&[DATA, 3, 3][..], &length(inner.len() + TAG)].concat();
            (inner, head, Vec::new())
        } else {
            let head = [&number[..], &[kind, 3, 3], &length(plain.len())].concat();
            (plain.to_vec(), head, nonce[4..].to_vec())
        };
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(&head), &mut inner).expect("it is small enough");
        let kind = if self.is_new { DATA } else { kind };
        record(kind, [3, 3], &[more, inner].concat())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).ok();
    }

    /// Waits for records of data, or for the end: how many bytes, and whether it is over. What is in them
    /// cannot be read any more.
    pub(crate) fn until(mut self, bytes: usize) -> Came {
        let mut came = 0;
        let mut buffer = [0; 4096];
        while came < bytes {
            match self.tcp.read(&mut buffer) {
                Ok(read @ 1..) => came += read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Came::Nothing;
                }
                _ => return Came::End(0),
            }
        }
        Came::Answers(1)
    }
}

/// A request whose answer is small.
pub(crate) fn ask(door: Door) -> Vec<u8> {
    request("POST", door, "/api/v1/nonce", "", "{}")
}

/// A record without any sealing.
pub(crate) fn record(kind: u8, version: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a record");
    [&[kind], &version[..], &length.to_be_bytes(), payload].concat()
}

/// Whether honest people are served.
pub(crate) fn honest_are_served(door: Door) -> bool {
    let peer = Peer::shaken(Door { mode: Mode::Tls13, ..door });
    peer.and_asks(door, 1) == Came::Answers(1)
}
