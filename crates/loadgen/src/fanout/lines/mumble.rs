//! A line to a Mumble server: control over TLS, voice over UDP with OCB2-AES128.
//!
//! Written from the public description of the protocol (mumble-protocol.readthedocs.io). After the log-in, control
//! messages of the server are read and dropped.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::ClientConfig;

use super::{Line, Stream};
use crate::ocb2::{OVERHEAD, Ocb2};

const VERSION: u16 = 0;
const AUTHENTICATE: u16 = 2;
const REJECT: u16 = 4;
const SERVER_SYNC: u16 = 5;
const CRYPT_SETUP: u16 = 15;
/// 1.3.4.
const CLIENT_VERSION: u64 = 0x01_03_04;

/// Kinds of UDP packets, in the upper three bits of the first byte.
const PING: u8 = 1 << 5;
const OPUS: u8 = 4 << 5;

/// Longest wait for the first answer over UDP.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A listener or a talker in the root channel.
pub(crate) struct Mumble {
    control: Stream,
    voice: UdpSocket,
    sealing: Ocb2,
    opening: Ocb2,
    /// Counts 10 ms of sound.
    sequence: u64,
}

impl Mumble {
    pub(crate) fn open(address: SocketAddr, number: usize, tls: &Arc<ClientConfig>) -> Result<Self> {
        let mut control = Stream::connect_tls(address, tls)?;
        let version = [number_field(1, CLIENT_VERSION), bytes_field(2, b"tenfour-fanout")].concat();
        control.write(&message(VERSION, &version))?;
        let user = format!("bench{number}");
        let opus = number_field(5, 1);
        control.write(&message(AUTHENTICATE, &[bytes_field(1, user.as_bytes()), opus].concat()))?;
        let (sealing, opening) = log_in(&mut control)?;
        let voice = UdpSocket::bind((address.ip(), 0))?;
        voice.connect(address)?;
        let mut line = Self { control: control.opened()?, voice, sealing, opening, sequence: 0 };
        line.ping().context("voice over UDP does not work")?;
        Ok(line)
    }

    /// Shows the server the address for voice.
    fn ping(&mut self) -> Result<()> {
        self.voice.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        self.voice.send(&self.sealing.seal(&[PING, 1]))?;
        let mut scratch = [0; 1024];
        loop {
            let count = self.voice.recv(&mut scratch)?;
            if self.opening.open(&scratch[..count]).is_some_and(|plain| plain == [PING, 1]) {
                break;
            }
        }
        Ok(self.voice.set_nonblocking(true)?)
    }
}

impl Line for Mumble {
    fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.voice.as_fd(), self.control.as_fd()]
    }

    fn read(&mut self, socket: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        if socket == 1 {
            return self.control.discard(scratch);
        }
        loop {
            match self.voice.recv(scratch) {
                Ok(count) => {
                    if let Some(plain) = self.opening.open(&scratch[..count])
                        && let Some(payload) = heard(&plain)
                    {
                        take(payload);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn say(&mut self, payload: &[u8]) -> Result<()> {
        let packet = said(self.sequence, payload);
        self.sequence += 2;
        self.voice.send(&self.sealing.seal(&packet))?;
        Ok(())
    }
}

/// Waits until the server has let the user in, and gives the ciphers for sending and receiving voice.
fn log_in(control: &mut Stream) -> Result<(Ocb2, Ocb2)> {
    let mut ciphers = None;
    loop {
        let message = control.wait_for_message(|bytes| Ok(whole(bytes)))?;
        let (kind, body) = (u16::from_be_bytes([message[0], message[1]]), &message[6..]);
        match kind {
            CRYPT_SETUP => ciphers = Some(crypt_setup(body)?),
            SERVER_SYNC => return ciphers.context("the server sent no key"),
            REJECT => bail!("the server refused: {}", String::from_utf8_lossy(body)),
            _ => {}
        }
    }
}

fn crypt_setup(body: &[u8]) -> Result<(Ocb2, Ocb2)> {
    let field = |wanted| -> Result<[u8; 16]> {
        let bytes = bytes_fields(body).find(|(number, _)| *number == wanted).context("no key in it")?.1;
        bytes.try_into().context("a key of another length")
    };
    let key = field(1)?;
    Ok((Ocb2::new(&key, field(2)?), Ocb2::new(&key, field(3)?)))
}

/// Kind and length come before each control message.
fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(body.len() as u32).to_be_bytes(), body].concat()
}

fn whole(bytes: &[u8]) -> Option<usize> {
    let (head, _) = bytes.split_first_chunk::<6>()?;
    let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]) as usize;
    (bytes.len() >= 6 + length).then_some(6 + length)
}

/// A voice packet of a client: kind and target, sequence, length, Opus.
fn said(sequence: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![OPUS];
    number(sequence, &mut packet);
    number(payload.len() as u64, &mut packet);
    packet.extend_from_slice(payload);
    packet
}

/// The Opus in a voice packet of the server, which has the talker's session before the sequence.
fn heard(packet: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = packet.split_first()?;
    if kind & 0xe0 != OPUS {
        return None;
    }
    let rest = read_number(read_number(rest)?.1)?.1;
    let (length, rest) = read_number(rest)?;
    rest.get(..(length & 0x1fff) as usize)
}

/// Mumble's own numbers: the leading ones of the first byte say how many bytes follow.
fn number(value: u64, out: &mut Vec<u8>) {
    let bytes = (value as u32).to_be_bytes();
    match value {
        0..0x80 => out.push(bytes[3]),
        0x80..0x4000 => out.extend([0x80 | bytes[2], bytes[3]]),
        0x4000..0x20_0000 => out.extend([0xc0 | bytes[1], bytes[2], bytes[3]]),
        _ => {
            out.push(0xf0);
            out.extend(bytes);
        }
    }
}

fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (follow, top) = match first {
        0..0x80 => (0, first),
        0x80..0xc0 => (1, first & 0x3f),
        0xc0..0xe0 => (2, first & 0x1f),
        0xe0..0xf0 => (3, first & 0x0f),
        _ => (4, 0),
    };
    let (more, rest) = rest.split_at_checked(follow)?;
    let value = more.iter().fold(u64::from(top), |value, byte| value << 8 | u64::from(*byte));
    Some((value, rest))
}

/// A field of a protocol buffer: a number.
fn number_field(field: u8, value: u64) -> Vec<u8> {
    let mut out = vec![field << 3];
    varint(value, &mut out);
    out
}

/// A field of a protocol buffer: bytes or text.
fn bytes_field(field: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The fields of a protocol buffer that are bytes, up to the first of another kind.
fn bytes_fields(mut body: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let [tag, length, rest @ ..] = body else { return None };
        if tag & 7 != 2 || *length > 0x7f {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
        body = rest;
        Some((tag >> 3, bytes))
    })
}

/// The largest payload whose packet fits what the server reads.
pub(crate) fn check_payload(bytes: usize) -> Result<()> {
    ensure!(bytes + OVERHEAD + 16 <= 1024, "Mumble takes packets up to 1,024 bytes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_are_those_of_the_protocol() {
        assert_eq!(message(AUTHENTICATE, &bytes_field(1, b"ab")), [0, 2, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        assert_eq!(number_field(1, CLIENT_VERSION), [0x08, 0x84, 0x86, 0x04]);
        assert_eq!(whole(&[0, 2, 0, 0, 0, 1, 9, 9]), Some(7));
        assert_eq!(whole(&[0, 2, 0, 0, 0, 2, 9]), None);
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (value, bytes) in [
            (5, &[5][..]),
            (0x80, &[0x80, 0x80]),
            (0x3fff, &[0xbf, 0xff]),
            (0x4000, &[0xc0, 0x40, 0]),
            (0x20_0000, &[0xf0, 0, 0x20, 0, 0]),
        ] {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(read_number(&out), Some((value, &[][..])));
        }
        assert_eq!(read_number(&[0xc0, 1]), None);
    }

    #[test]
    fn voice_is_found_behind_session_and_sequence() {
        assert_eq!(said(300, b"opus"), b"\x80\x81\x2c\x04opus");
        assert_eq!(heard(b"\x80\x07\x81\x2c\xa0\x04opus"), Some(&b"opus"[..]));
        assert_eq!(heard(b"\x20\x07"), None);
    }

    #[test]
    fn the_keys_are_read_from_the_servers_setup() {
        let body = [bytes_field(1, &[1; 16]), bytes_field(2, &[2; 16]), bytes_field(3, &[3; 16])].concat();
        assert!(crypt_setup(&body).is_ok());
        assert!(crypt_setup(&body[..30]).is_err());
    }
}
