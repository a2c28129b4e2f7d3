//! What every flood has: where the server is, addresses to come from, people to be, and counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use socket2::SockRef;
use tenfour_client::Identity;
use tenfour_protocol::ClientMessage;
use tenfour_protocol::control::Resume;

use crate::lines::tenfour::{Door, upgrade};
use crate::lines::{TEXT, masked_frame};
use crate::network::Network;

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by all threads of a flood.
pub(super) struct Ground {
    pub(super) address: SocketAddr,
    pub(super) origin: String,
    from: Network,
    /// Log-ins of `people`, made before the flood.
    pub(super) tokens: Vec<String>,
    pub(super) people: Vec<Identity>,
    pub(super) end: Instant,
    pub(super) tally: Tally,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Connections, requests or chunks of messages, whichever the flood is made of.
    pub(super) sent: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Connections that the server refused or closed, and requests it did not grant.
    pub(super) refused: AtomicU64,
    /// The first of the server's refusals.
    words: Mutex<Option<String>>,
}

impl Tally {
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn refused(&self, words: impl FnOnce() -> String) {
        self.refused.fetch_add(1, Relaxed);
        self.words.lock().expect("nobody panics with it").get_or_insert_with(words);
    }

    pub(super) fn words(&self) -> Option<String> {
        self.words.lock().expect("nobody panics with it").clone()
    }
}

impl Ground {
    /// Registers `people` users over loopback and logs them in, before the flood.
    pub(super) fn new(url: &str, from: Network, people: usize, time: Duration) -> Result<Self> {
        let door = Door::find(url, 0, None)?;
        let people: Vec<_> = (0..people).map(|_| Identity::generate()).collect::<std::io::Result<_>>()?;
        let tokens = door.log_in(&people)?;
        let origin = url.trim_end_matches('/').to_owned();
        let (end, tally) = (Instant::now() + time, Tally::default());
        Ok(Self { address: door.address, origin, from, tokens, people, end, tally })
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// A connection of attacker `number`.
    pub(super) fn connect(&self, number: usize) -> Result<TcpStream> {
        let tcp = self.from.connect(number, self.address)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        tcp.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        // It ends with a reset: otherwise the attacker's own ports run out.
        SockRef::from(&tcp).set_linger(Some(Duration::ZERO))?;
        Ok(tcp)
    }

    /// A radio socket of attacker `number`, after the upgrade.
    pub(super) fn upgraded(&self, number: usize) -> Result<TcpStream> {
        let mut tcp = self.connect(number)?;
        tcp.write_all(upgrade(self.address, &self.tokens[number % self.tokens.len()])?.as_bytes())?;
        let head = until(&mut tcp, b"\r\n\r\n")?;
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("{}", first_line(&head));
        }
        Ok(tcp)
    }

    /// A radio socket of attacker `number` that is tuned to `channel`.
    pub(super) fn tuned(&self, number: usize, channel: &str) -> Result<TcpStream> {
        let mut tcp = self.upgraded(number)?;
        tcp.write_all(&text(&hello(None))?)?;
        tcp.write_all(&text(&ClientMessage::Tune { channel: channel.parse()?, catch_up: false })?)?;
        until(&mut tcp, br#"{"type":"tuned""#)?;
        Ok(tcp)
    }
}

pub(super) fn hello(resume: Option<Resume>) -> ClientMessage {
    let client = "tenfour-flood".to_owned();
    ClientMessage::Hello {
        client,
        resume,
        economy: false,
        // Several sockets share a key.
        hear_self: true,
        place: None,
        range: None,
        device: None,
    }
}

/// A message as a frame.
pub(super) fn text(message: &ClientMessage) -> Result<Vec<u8>> {
    Ok(masked_frame(TEXT, &serde_json::to_vec(message)?))
}

/// Reads until `mark` has come: all that came.
pub(super) fn until(tcp: &mut TcpStream, mark: &[u8]) -> Result<Vec<u8>> {
    let (mut came, mut piece) = (Vec::new(), [0; 4096]);
    while !came.windows(mark.len()).any(|window| window == mark) {
        match tcp.read(&mut piece).context("no answer")? {
            0 => bail!("closed after {:?}", first_line(&came)),
            read => came.extend_from_slice(&piece[..read]),
        }
    }
    Ok(came)
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}
