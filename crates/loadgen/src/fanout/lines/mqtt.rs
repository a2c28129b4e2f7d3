//! A line to an MQTT broker: version 3.1.1, quality of service 0.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context, Result, ensure};

use super::{Line, Stream};

const TOPIC: &str = "voice";

/// A listener or a talker of the topic `voice`.
pub(crate) struct Mqtt(Stream);

impl Mqtt {
    pub(crate) fn open(address: SocketAddr, number: usize, talks: bool) -> Result<Self> {
        let mut stream = Stream::connect(address)?;
        stream.write(&connect(&format!("bench{number}")))?;
        let answer = stream.wait_for(&[0x20, 2, 0, 0]);
        answer.context("the broker did not accept the connection")?;
        if !talks {
            stream.write(&subscribe())?;
            let granted = stream.wait_for(&[0x90, 3, 0, 1, 0]);
            granted.context("the broker did not grant the subscription")?;
        }
        Ok(Self(stream.opened()?))
    }
}

impl Line for Mqtt {
    fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.0.as_fd()]
    }

    fn read(&mut self, _: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.0.read(scratch, |bytes| packets(bytes, take))
    }

    fn say(&mut self, payload: &[u8]) -> Result<()> {
        self.0.write(&publish(payload))
    }
}

/// A clean session that is never asked for a sign of life.
fn connect(client: &str) -> Vec<u8> {
    let variable = [&text("MQTT")[..], &[4, 0x02, 0, 0], &text(client)].concat();
    packet(0x10, &variable)
}

fn subscribe() -> Vec<u8> {
    packet(0x82, &[&[0, 1][..], &text(TOPIC), &[0]].concat())
}

fn publish(payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&text(TOPIC)[..], payload].concat())
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = rest.len();
    loop {
        let more = if length > 127 { 0x80 } else { 0 };
        packet.push((length & 0x7f) as u8 | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(rest);
    packet
}

/// Takes whole packets, and says how many bytes they had.
fn packets(bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<usize> {
    let mut at = 0;
    while let Some((first, body)) = whole(&bytes[at..])? {
        if first & 0xf0 == 0x30 {
            let rest = &bytes[at..][body.clone()];
            let (topic, rest) = rest.split_first_chunk::<2>().context("a publication without a topic")?;
            let topic = usize::from(u16::from_be_bytes(*topic));
            take(rest.get(topic..).context("a topic that is cut")?);
        }
        at += body.end;
    }
    Ok(at)
}

/// The first byte of a whole packet, and where what follows its length is.
fn whole(bytes: &[u8]) -> Result<Option<(u8, std::ops::Range<usize>)>> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let mut length = 0;
    for (place, byte) in rest.iter().enumerate() {
        ensure!(place < 4, "a length of more than four bytes");
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let start = place + 2;
            return Ok((bytes.len() >= start + length).then_some((first, start..start + length)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_those_of_the_standard() {
        assert_eq!(connect("a"), b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a");
        assert_eq!(subscribe(), b"\x82\x0a\x00\x01\x00\x05voice\x00");
        assert_eq!(publish(b"hi"), b"\x30\x09\x00\x05voicehi");
        assert_eq!(packet(0x30, &[0; 321])[..3], [0x30, 0xc1, 0x02]);
    }

    #[test]
    fn publications_are_taken_when_they_are_whole() {
        let long = publish(&[9; 200]);
        let bytes = [&publish(b"hi")[..], &[0xd0, 0], &long, &publish(b"cut")[..5]].concat();
        let mut taken = Vec::new();
        let used = packets(&bytes, &mut |payload| taken.push(payload.len())).unwrap();
        assert_eq!((used, taken), (11 + 2 + long.len(), vec![2, 200]));
    }
}
