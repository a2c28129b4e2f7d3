//! A WebSocket of a virtual user: small buffers, no task of its own, no copies.

use std::io::ErrorKind;

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use tenfour_protocol::{RADIO_PATH, SUBPROTOCOL};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// Room for a burst of voice frames; control messages that are longer make it grow for a while.
const BUFFER: usize = 4 * 1024;
/// Longest message that is taken.
const LONGEST: usize = 1024 * 1024;

pub(crate) struct Socket {
    tcp: TcpStream,
    /// Bytes that came and are no whole message yet.
    buffer: Vec<u8>,
}

/// A message that came.
#[derive(Clone, Copy)]
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    Voice(&'a [u8]),
}

impl Socket {
    /// Connects to `authority` (host and port) and upgrades with a session token.
    pub(crate) async fn open(authority: &str, token: &str) -> Result<Self> {
        let mut tcp = TcpStream::connect(authority).await.context("connecting")?;
        tcp.set_nodelay(true)?;
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        let request = format!(
            "GET {RADIO_PATH} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            BASE64.encode(&key)
        );
        tcp.write_all(request.as_bytes()).await?;
        let mut socket = Self { tcp, buffer: Vec::with_capacity(BUFFER) };
        let head = loop {
            if let Some(end) = socket.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if socket.buffer.len() > BUFFER || socket.tcp.read_buf(&mut socket.buffer).await? == 0 {
                bail!("the upgrade was not answered");
            }
        };
        let status = String::from_utf8_lossy(&socket.buffer[..head]).lines().next().unwrap_or("").to_owned();
        if !status.starts_with("HTTP/1.1 101") {
            let body = String::from_utf8_lossy(&socket.buffer[head..]).into_owned();
            bail!("the upgrade was refused: {status} {body}");
        }
        socket.buffer.drain(..head);
        Ok(socket)
    }

    pub(crate) async fn send_text(&mut self, message: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_vec(message)?;
        self.send(TEXT, &text).await
    }

    pub(crate) async fn send_voice(&mut self, frame: &[u8]) -> Result<()> {
        self.send(BINARY, frame).await
    }

    /// Waits for bytes, then gives each whole message to `take`. False at the end of the
    /// connection. Dropping the future while it waits loses nothing.
    pub(crate) async fn receive(&mut self, mut take: impl FnMut(Message<'_>)) -> Result<bool> {
        self.tcp.readable().await?;
        match self.tcp.try_read_buf(&mut self.buffer) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        let mut at = 0;
        while let Some((opcode, payload)) = frame(&self.buffer[at..])? {
            let payload = at + payload.start..at + payload.end;
            at = payload.end;
            match opcode {
                TEXT => take(Message::Text(&self.buffer[payload])),
                BINARY => take(Message::Voice(&self.buffer[payload])),
                PING => pong(&self.tcp, &self.buffer[payload])?,
                CLOSE => return Ok(false),
                _ => {}
            }
        }
        self.buffer.drain(..at);
        if self.buffer.is_empty() && self.buffer.capacity() > 4 * BUFFER {
            self.buffer.shrink_to(BUFFER);
        }
        self.buffer.reserve(BUFFER);
        Ok(true)
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        Ok(self.tcp.write_all(&masked(opcode, payload)).await?)
    }
}

/// The first whole frame: its opcode, and where its payload is.
fn frame(bytes: &[u8]) -> Result<Option<(u8, std::ops::Range<usize>)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (start, length) = match (second & 0x7f, rest) {
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            (10, usize::try_from(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))?)
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (2, usize::from(short)),
    };
    if length > LONGEST {
        bail!("a message of {length} bytes");
    }
    Ok((bytes.len() >= start + length).then_some((first & 0x0f, start..start + length)))
}

/// Pings come rarely and are short: a socket that takes no pong is as good as dead.
fn pong(tcp: &TcpStream, payload: &[u8]) -> Result<()> {
    tcp.try_write(&masked(PONG, payload)).map(drop).or_else(|error| match error.kind() {
        ErrorKind::WouldBlock => Ok(()),
        _ => Err(error.into()),
    })
}

/// A client's frame. The mask is all zeros, which the standard's servers take: it protects
/// proxies from scripts in browsers, and there is neither here.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).expect("clients send little").to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_only_when_they_are_whole() {
        let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        assert_eq!(frame(&long).unwrap(), Some((BINARY, 4..260)));
        for short in [0, 1, 3, 259] {
            assert_eq!(frame(&long[..short]).unwrap(), None, "{short}");
        }
        assert_eq!(frame(&[0x81, 2, b'o', b'k', 0x81]).unwrap(), Some((TEXT, 2..4)));
        assert!(frame(&[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
