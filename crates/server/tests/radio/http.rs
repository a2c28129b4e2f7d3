//! A client of HTTP/1.1 that sends what it is told and reads to the end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes; a server that hangs fails the test.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn of_head(head: &[u8]) -> Self {
        let head = String::from_utf8(head.to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head, body: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON in {:?}", self.head))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut socket = connect(address);
    exchange(&mut socket, &address.to_string(), method, path, headers, body)
}

pub(crate) fn exchange(
    socket: &mut (impl Read + Write),
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut text = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += &format!("host: {host}\r\n");
    }
    let stays = headers.iter().any(|(name, value)| *name == "connection" && *value != "close");
    if !headers.iter().any(|(name, _)| *name == "connection") {
        text += "connection: close\r\n";
    }
    socket.write_all(&[text.as_bytes(), b"\r\n", body].concat()).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    // A refused body may be answered with a reset after the answer. A connection that was not asked to end stays open
    // for a while after an answer that was refused.
    loop {
        match socket.read(&mut piece) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => break,
        }
        if stays && is_whole(&bytes) {
            break;
        }
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
    let mut reply = Reply::of_head(&bytes[..end]);
    let body = &bytes[end + 4..];
    reply.body =
        if reply.header("transfer-encoding") == Some("chunked") { whole(body) } else { body.to_vec() };
    reply
}

/// Whether these bytes are an answer with all of its body, as far as it tells how long that is.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let length =
        Reply::of_head(&bytes[..end]).header("content-length").and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| bytes.len() >= end + 4 + length)
}

/// The next answer on a connection that stays, with a body of a length that is told.
pub(crate) fn read_answer(socket: &mut impl Read) -> Reply {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let mut reply = Reply::of_head(&head[..head.len() - 4]);
    let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
    reply.body = vec![0; length];
    socket.read_exact(&mut reply.body).expect("the whole of it");
    reply
}

/// A body that came in pieces.
fn whole(mut pieces: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = pieces.windows(2).position(|two| two == b"\r\n").expect("the length of a piece");
        let length = usize::from_str_radix(std::str::from_utf8(&pieces[..end]).unwrap(), 16).unwrap();
        let piece = &pieces[end + 2..];
        if length == 0 {
            assert_eq!(piece, b"\r\n", "nothing after the end");
            return body;
        }
        body.extend_from_slice(&piece[..length]);
        pieces = &piece[length + 2..];
    }
}
