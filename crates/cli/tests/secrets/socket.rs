//! A client of the radio socket that does exactly what it is told.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use fastrand::Rng;
use serde_json::{Value, json};
use socket2::{SockFilter, SockRef};
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::{BurstNo, UserId, VoiceFrame};

use crate::http::{head, post};
use crate::line::{Door, Line};

pub(crate) const CONTINUATION: u8 = 0x00;
pub(crate) const TEXT: u8 = 0x01;
pub(crate) const BINARY: u8 = 0x02;
pub(crate) const FINAL_CONTINUATION: u8 = 0x80;
pub(crate) const FINAL_TEXT: u8 = 0x81;
pub(crate) const FINAL_BINARY: u8 = 0x82;
const FINAL_CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// What has happened already is told before this.
const AT_ONCE: Duration = Duration::from_millis(300);

/// How a client says hello.
#[derive(Clone, Copy)]
pub(crate) enum Hello {
    /// After the upgrade.
    InTurn,
    /// Together with the request for it: the bytes come to the socket through HTTP.
    Early,
    /// In two frames.
    InPieces,
}

/// A key of a device.
pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut seed = [0; 32];
        rng.fill(&mut seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// A proof for a log-in at `door`, to a session of this kind.
    pub(crate) fn prove(&self, door: Door, session: &str) -> Value {
        let public = self.0.verifying_key();
        let nonce = post(door, "/api/v1/nonce", &json!({}));
        let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().expect("a nonce").as_bytes());
        let bytes = bytes.expect("base64url").try_into().expect("32 bytes");
        let expiry = nonce["expiry"].as_u64().expect("a time");
        let signed = signed_bytes(&door.origin(), &bytes, expiry, &UserId::of_key(public.as_bytes()));
        json!({
            "key": BASE64URL_NOPAD.encode(public.as_bytes()),
            "nonce": nonce["nonce"],
            "expiry": expiry,
            "signature": BASE64URL_NOPAD.encode(&self.0.sign(&signed).to_bytes()),
            "session": session,
        })
    }
}

/// A key that is registered, with a session.
pub(crate) struct Account {
    door: Door,
    handle: String,
    user: String,
    token: String,
    /// Shows its session as a browser does, in a cookie.
    in_cookie: bool,
}

impl Account {
    /// Registers at the server that `door` leads to.
    pub(crate) fn register(door: Door, rng: &mut Rng, handle: &str) -> Self {
        let proof = Key::new(rng).prove(door, "bearer");
        let me = post(door, "/api/v1/register", &json!({ "handle": handle, "proof": proof }));
        let text = |field: &str| me[field].as_str().expect("a text").to_owned();
        Self { door, handle: text("handle"), user: text("user"), token: text("token"), in_cookie: false }
    }

    /// The same session, shown as a browser does.
    pub(crate) fn in_cookie(self) -> Self {
        Self { in_cookie: true, ..self }
    }

    /// The header with which it shows its session, with the line's end.
    pub(crate) fn credential(&self) -> String {
        let (cookie, token) = (self.door.cookie(), &self.token);
        if self.in_cookie {
            format!("cookie: {cookie}={token}\r\n")
        } else {
            format!("authorization: Bearer {token}\r\n")
        }
    }

    pub(crate) fn handle(&self) -> &str {
        &self.handle
    }

    /// The identifier.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Opens a socket and says hello, with `more` in it.
    pub(crate) fn open(&self, how: Hello, more: &Value) -> Socket {
        self.open_on(self.door.connect(), how, more)
    }

    /// The same for a socket of which the kernel takes next to nothing unless it is read.
    pub(crate) fn open_narrow(&self, more: &Value) -> Socket {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        socket.set_recv_buffer_size(1).expect("an option");
        socket.connect(&self.door.address.into()).expect("the server listens");
        self.open_on(self.door.connect_on(socket.into()), Hello::InTurn, more)
    }

    fn open_on(&self, line: Line, how: Hello, more: &Value) -> Socket {
        let head = self.request();
        let mut hello = json!({ "type": "hello", "client": "secrets 1" });
        for (name, value) in more.as_object().into_iter().flatten() {
            hello[name] = value.clone();
        }
        let hello = hello.to_string().into_bytes();
        let hello = match how {
            Hello::InTurn | Hello::Early => frame(FINAL_TEXT, &hello),
            Hello::InPieces => {
                let (most, rest) = hello.split_at(hello.len() - 1);
                [frame(TEXT, most), frame(FINAL_CONTINUATION, rest)].concat()
            }
        };
        let (now, then) = match how {
            Hello::Early => ([head.into_bytes(), hello].concat(), Vec::new()),
            Hello::InTurn | Hello::InPieces => (head.into_bytes(), hello),
        };
        let mut socket = Socket::after(line, &now);
        socket.line.write_all(&then).expect("the server reads");
        socket.welcome = socket.expect("welcome");
        socket
    }

    /// A request for the radio.
    pub(crate) fn request(&self) -> String {
        format!(
            "GET /api/v1/radio HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: tenfour.v1\r\n{}\r\n",
            self.door.address,
            self.credential()
        )
    }

    /// The session token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// A radio socket.
pub(crate) struct Socket {
    pub(crate) line: Line,
    pub(crate) welcome: Value,
}

impl Socket {
    /// A socket that has said nothing yet.
    pub(crate) fn upgraded(account: &Account) -> Self {
        Self::after(account.door.connect(), account.request().as_bytes())
    }

    /// Sends the request, and what comes with it, and waits for the answer.
    fn after(mut line: Line, request: &[u8]) -> Self {
        line.write_all(request).expect("the server reads");
        let head = head(&mut line);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { line, welcome: Value::Null }
    }

    /// Waits for the end, and returns the code that the server gives.
    pub(crate) fn closed(&mut self) -> u16 {
        loop {
            let (opcode, payload) = self.next().expect("a close frame");
            if let (FINAL_CLOSE, [high, low, ..]) = (opcode, &payload[..]) {
                return u16::from_be_bytes([*high, *low]);
            }
        }
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.write(FINAL_TEXT, message.to_string().as_bytes());
    }

    /// Sends and waits for the answer of a type.
    pub(crate) fn ask(&mut self, message: &Value, answer: &str) -> Value {
        self.send(message);
        self.expect(answer)
    }

    /// The next message of a type; others are passed over, but for a refusal.
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        loop {
            let (opcode, payload) = self.next().unwrap_or_else(|| panic!("closed instead of {kind}"));
            if opcode != FINAL_TEXT {
                continue;
            }
            let message: Value = serde_json::from_slice(&payload).expect("JSON");
            if message["type"] == kind {
                return message;
            }
            assert_ne!(message["type"], "error", "instead of {kind}: {message}");
        }
    }

    /// A burst of one frame on channel 19, to its receipt.
    pub(crate) fn say(&mut self) {
        let start =
            json!({ "type": "burst.start", "channel": "19", "burst": 1, "codec": "opus", "frame_ms": 20 });
        self.send(&start);
        let payload = [1 << 3; 40];
        let frame = VoiceFrame { burst: BurstNo(1), seq: 0, media_time: 0, last: true, payload: &payload };
        self.write(FINAL_BINARY, &frame.to_bytes());
        self.expect("receipt");
    }

    /// A frame with this payload.
    pub(crate) fn voice(&mut self, burst: u32, seq: u16, payload: &[u8]) {
        self.write(FINAL_BINARY, &voice(burst, seq, payload));
    }

    /// The payloads of the next frames of voice; what else comes is passed over.
    pub(crate) fn hear(&mut self, frames: usize) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        while heard.len() < frames {
            let (opcode, bytes) = self.next().expect("more voice");
            if opcode == FINAL_BINARY {
                heard.push(VoiceFrame::parse(&bytes).expect("a frame").payload.to_vec());
            }
        }
        heard
    }

    /// Says good-bye and waits for the end.
    pub(crate) fn close(mut self) {
        self.write(FINAL_CLOSE, &1000_u16.to_be_bytes());
        while self.next().is_some() {}
    }

    /// Ends without a word: the kernel sends a reset.
    pub(crate) fn reset(self) {
        SockRef::from(self.line.tcp()).set_linger(Some(Duration::ZERO)).expect("an option");
    }

    /// From now on nothing comes here, and nobody is told so: the kernel drops each packet for this socket
    /// before it could acknowledge it, as if it were in a tunnel.
    pub(crate) fn hear_nothing(&self) {
        /// `BPF_RET | BPF_K`, and how many bytes of a packet are kept.
        const KEEP: u16 = 0x06;
        let nothing = SockFilter::new(KEEP, 0, 0, 0);
        SockRef::from(self.line.tcp()).attach_filter(&[nothing]).expect("an option");
    }

    /// Sends bytes that need not be whole frames.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server reads");
    }

    /// The same to a server that may have gone.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.line.write_all(bytes)
    }

    /// Waits for an answer to a ping: all that was sent before the ping, and with it, was read.
    pub(crate) fn await_pong(&mut self) {
        while self.next().expect("an answer to a ping").0 != PONG {}
    }

    /// Whether the server answers.
    pub(crate) fn is_alive(&mut self) -> bool {
        let mark = b"are you there?";
        if self.try_send(&frame(PING, mark)).is_err() {
            return false;
        }
        loop {
            match self.next() {
                Some((PONG, payload)) if payload == mark => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Whether the server has said that it is over, or has ended the connection.
    pub(crate) fn is_over(&mut self) -> bool {
        self.line.tcp().set_read_timeout(Some(AT_ONCE)).expect("a timeout");
        loop {
            match self.read() {
                Ok((FINAL_CLOSE, _)) => return true,
                Ok(_) => {}
                Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            }
        }
    }

    pub(crate) fn write(&mut self, first: u8, payload: &[u8]) {
        self.line.write_all(&frame(first, payload)).expect("the server reads");
    }

    /// The next frame, or nothing at the end.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        self.read().ok()
    }

    fn read(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.line.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.line.read_exact(&mut length)?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.line.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a message")];
        self.line.read_exact(&mut payload)?;
        Ok((head[0], payload))
    }
}

/// A frame of voice with this payload, as a message.
pub(crate) fn voice(burst: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let (burst, media_time) = (BurstNo(burst), u32::from(seq) * 960);
    VoiceFrame { burst, seq, media_time, last: false, payload }.to_bytes()
}

/// The mask is zero: what the server keeps of the raw bytes is found like the message itself.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => bytes.push(0x80 | short),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(payload.len()).expect("a small message").to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
