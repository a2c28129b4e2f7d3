//! A line to Tenfour, plain or over TLS.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use data_encoding::{BASE64, HEXLOWER};
use rustls::ClientConfig;
use sha2::{Digest, Sha256};
use tenfour_client::{Identity, Server, log_in};
use tenfour_protocol::control::{Codec, FrameTime, Outcome, Resume};
use tenfour_protocol::limits::VOICE_HEADER_BYTES;
use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, RADIO_PATH, SUBPROTOCOL, ServerMessage, VoiceFrame,
};

use super::{BINARY, CLOSE, Line, PING, PONG, Stream, TEXT, masked_frame, tls, websocket_frame};
use crate::network::{self, Network};

/// Most log-ins: of 20,000 lines, five share one.
const USERS: usize = 4_000;
/// How the answer to `tune` begins. It is not parsed: in a large channel it lists a hundred people, and would take the
/// users longer to read than the server to write.
const TUNED: &[u8] = br#"{"type":"tuned""#;

/// Where the server is, and log-ins that the lines share.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// Addresses of the lines. Log-ins come from loopback.
    from: Option<Network>,
    server: Server,
    tls: Option<Arc<ClientConfig>>,
    tokens: Arc<Vec<String>>,
}

/// How a virtual user tunes in.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) channel: ChannelId,
    /// Asks for the server's largest bundles.
    pub(crate) economy: bool,
    pub(crate) frame_ms: FrameTime,
}

impl Door {
    /// Finds the server at `url`, and logs in the keys that so many lines need: a user may have 8 connections and
    /// talks on one channel at a time.
    pub(crate) fn find(url: &str, lines: usize, from: Option<Network>) -> Result<Self> {
        let (scheme, authority) = url.split_once("://").context("an address like http://127.0.0.1:27185")?;
        let address: SocketAddr = authority.trim_end_matches('/').parse().context("an address and a port")?;
        let tls = (scheme == "https").then(tls::config);
        let fingerprint = match &tls {
            Some(config) => {
                let stream = Stream::connect_tls(address, config)?;
                let certificate = stream.certificate().context("the server showed no certificate")?;
                Some(HEXLOWER.encode(&Sha256::digest(certificate)))
            }
            None => None,
        };
        let server = Server::new(url, fingerprint.as_deref())?;
        let mut door = Self { address, from, server, tls, tokens: Arc::default() };
        let identities: std::io::Result<Vec<_>> =
            (0..lines.min(USERS)).map(|_| Identity::generate()).collect();
        door.tokens = Arc::new(door.log_in(&identities?)?);
        Ok(door)
    }

    /// Logs each key in, and registers it if need be.
    pub(crate) fn log_in(&self, identities: &[Identity]) -> Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Handles must not look alike: of 10,000 people, some have the same tag.
        let handle = |identity: &Identity| format!("Bench {}", HEXLOWER.encode(&identity.public_key()[..8]));
        let log_in = async |identity| log_in(&self.server, identity, Some(&handle(identity))).await;
        let tokens = identities.iter().map(|identity| {
            let session = runtime.block_on(log_in(identity))?;
            Ok(session.token().to_owned())
        });
        tokens.collect()
    }

    /// The line of virtual user `number`.
    pub(crate) fn open(&self, number: usize, wish: &Wish) -> Result<Tenfour> {
        self.dial(number, &self.tokens[number % self.tokens.len()], wish, None)
    }

    /// A line of virtual user `number` that resumes a session.
    pub(crate) fn resume(&self, number: usize, wish: &Wish, resume: &str) -> Result<Tenfour> {
        self.dial(number, &self.tokens[number % self.tokens.len()], wish, Some(resume))
    }

    /// A line with a log-in of its own.
    pub(crate) fn open_as(&self, token: &str, wish: &Wish) -> Result<Tenfour> {
        self.dial(0, token, wish, None)
    }

    fn dial(&self, number: usize, token: &str, wish: &Wish, resume: Option<&str>) -> Result<Tenfour> {
        let mut stream = Stream::over(network::connect(self.from, number, self.address)?)?;
        if let Some(config) = &self.tls {
            stream = stream.sealed(self.address, config)?;
        }
        stream.write(upgrade(self.address, token)?.as_bytes())?;
        let head = stream.wait_for(b"\r\n\r\n")?;
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("the upgrade was refused: {}", String::from_utf8_lossy(&head));
        }
        let mut line = Tenfour {
            stream,
            wish: wish.clone(),
            resume: String::new(),
            resumed: false,
            told: (0, 0),
            burst: 0,
            said: 0,
        };
        line.greet(resume)?;
        line.stream = line.stream.opened()?;
        Ok(line)
    }
}

/// The request for a radio socket.
pub(crate) fn upgrade(address: SocketAddr, token: &str) -> Result<String> {
    let mut key = [0; 16];
    getrandom::fill(&mut key)?;
    Ok(format!(
        "GET {RADIO_PATH} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\
         Authorization: Bearer {token}\r\n\r\n",
        BASE64.encode(&key)
    ))
}

/// A virtual user of Tenfour.
pub(crate) struct Tenfour {
    stream: Stream,
    wish: Wish,
    /// The token of the last `welcome`.
    pub(crate) resume: String,
    /// The earlier session went on.
    pub(crate) resumed: bool,
    /// Bursts of others that began, and that ended.
    told: (u32, u32),
    burst: u32,
    /// Frames of this burst.
    said: u16,
}

impl Tenfour {
    /// Says hello and is tuned when it returns; a resumed session is tuned without asking.
    fn greet(&mut self, resume: Option<&str>) -> Result<()> {
        let client = format!("tenfour-fanout {}", env!("CARGO_PKG_VERSION"));
        let resume = resume.map(|token| Resume { token: token.into(), newest: None, have: Vec::new() });
        let economy = self.wish.economy;
        self.send(&ClientMessage::Hello {
            client,
            resume,
            economy,
            // Several lines share a user.
            hear_self: true,
            place: None,
            range: None,
            device: None,
        })?;
        loop {
            let answer = self.answer()?;
            if answer.starts_with(TUNED) {
                return Ok(());
            }
            match serde_json::from_slice(&answer) {
                Ok(ServerMessage::Welcome { resume, resumed, .. }) => {
                    (self.resume, self.resumed) = (resume, resumed);
                    if !resumed {
                        let channel = self.wish.channel.clone();
                        self.send(&ClientMessage::Tune { channel, catch_up: false })?;
                    }
                }
                Ok(ServerMessage::Error { refusal }) => bail!("refused: {refusal}"),
                _ => {}
            }
        }
    }

    /// The next message if it is a text, else nothing.
    fn answer(&mut self) -> Result<Vec<u8>> {
        let message =
            self.stream.wait_for_message(|bytes| Ok(websocket_frame(bytes).map(|(_, at)| at.end)))?;
        let (opcode, payload) = websocket_frame(&message).expect("it is whole");
        match opcode {
            TEXT => Ok(message[payload].to_vec()),
            CLOSE => bail!("the server closed: {}", String::from_utf8_lossy(&message[payload])),
            _ => Ok(Vec::new()),
        }
    }

    fn send(&mut self, message: &ClientMessage) -> Result<()> {
        self.stream.write(&masked_frame(TEXT, &serde_json::to_vec(message)?))
    }
}

impl Line for Tenfour {
    fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.stream.as_fd()]
    }

    fn read(&mut self, _: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut pinged = None;
        let told = &mut self.told;
        self.stream.read(scratch, |bytes| {
            let mut at = 0;
            while let Some((opcode, payload)) = websocket_frame(&bytes[at..]) {
                let (message, end) = (&bytes[at..][payload.clone()], payload.end);
                at += end;
                match opcode {
                    BINARY => take(message.get(VOICE_HEADER_BYTES..).unwrap_or_default()),
                    TEXT => {
                        told.0 += u32::from(message.starts_with(br#"{"type":"burst.started"#));
                        told.1 += u32::from(message.starts_with(br#"{"type":"burst.ended"#));
                        complain(message);
                    }
                    PING => pinged = Some(message.to_vec()),
                    CLOSE => bail!("the server closed: {}", String::from_utf8_lossy(message)),
                    _ => {}
                }
            }
            Ok(at)
        })?;
        pinged.map_or(Ok(()), |ping| self.stream.write(&masked_frame(PONG, &ping)))
    }

    fn told(&self) -> Option<(u32, u32)> {
        (self.burst == 0).then_some(self.told)
    }

    fn press(&mut self) -> Result<()> {
        self.burst += 1;
        self.said = 0;
        let (channel, frame_ms) = (self.wish.channel.clone(), self.wish.frame_ms);
        self.send(&ClientMessage::BurstStart {
            channel,
            burst: BurstNo(self.burst),
            codec: Codec::Opus,
            frame_ms,
        })
    }

    fn say(&mut self, payload: &[u8]) -> Result<()> {
        let (seq, media_time) = (self.said, u32::from(self.said) * self.wish.frame_ms.samples());
        self.said += 1;
        let frame = VoiceFrame { burst: BurstNo(self.burst), seq, media_time, last: false, payload };
        self.stream.write(&masked_frame(BINARY, &frame.to_bytes()))
    }

    fn release(&mut self) -> Result<()> {
        self.send(&ClientMessage::BurstEnd { burst: BurstNo(self.burst), frames: self.said.into() })
    }

    fn leave(&mut self) -> Result<()> {
        self.send(&ClientMessage::Untune { channel: self.wish.channel.clone() })
    }
}

/// Reports what the server refused: otherwise the figures would be wrong without a word.
fn complain(message: &[u8]) {
    if !message.starts_with(br#"{"type":"error"#) && !message.starts_with(br#"{"type":"receipt"#) {
        return;
    }
    match serde_json::from_slice(message) {
        Ok(ServerMessage::Error { refusal })
        | Ok(ServerMessage::Receipt { outcome: Outcome::Refused { refusal }, .. }) => {
            eprintln!("tenfour-fanout: refused: {refusal}");
        }
        _ => {}
    }
}
