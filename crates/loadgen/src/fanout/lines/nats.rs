//! A line to a NATS server: its public text protocol, core publish and subscribe.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context, Result, bail};

use super::{Line, Stream};

/// A listener or a talker of the subject `voice`.
pub(crate) struct Nats(Stream);

impl Nats {
    pub(crate) fn open(address: SocketAddr, talks: bool) -> Result<Self> {
        let mut stream = Stream::connect(address)?;
        stream.wait_for(b"\r\n").context("the server's INFO")?;
        stream.write(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\n")?;
        if !talks {
            stream.write(b"SUB voice 1\r\n")?;
        }
        stream.write(b"PING\r\n")?;
        stream.wait_for(b"PONG\r\n")?;
        Ok(Self(stream.opened()?))
    }
}

impl Line for Nats {
    fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.0.as_fd()]
    }

    fn read(&mut self, _: usize, scratch: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut pinged = false;
        self.0.read(scratch, |bytes| messages(bytes, take, &mut pinged))?;
        if pinged {
            self.0.write(b"PONG\r\n")?;
        }
        Ok(())
    }

    fn say(&mut self, payload: &[u8]) -> Result<()> {
        self.0.write(&publish(payload))
    }
}

fn publish(payload: &[u8]) -> Vec<u8> {
    [format!("PUB voice {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat()
}

/// Takes whole messages, and says how many bytes they had.
fn messages(bytes: &[u8], take: &mut dyn FnMut(&[u8]), pinged: &mut bool) -> Result<usize> {
    let mut at = 0;
    while let Some(end) = bytes[at..].windows(2).position(|two| two == b"\r\n") {
        let (line, after) = (&bytes[at..at + end], at + end + 2);
        if line.starts_with(b"MSG ") {
            let length = line
                .rsplit(|byte| *byte == b' ')
                .next()
                .and_then(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
            let length = length.context("a message without a length")?;
            let Some(payload) = bytes.get(after..after + length) else { return Ok(at) };
            if bytes.len() < after + length + 2 {
                return Ok(at);
            }
            take(payload);
            at = after + length + 2;
            continue;
        }
        match line {
            b"PING" => *pinged = true,
            line if line.starts_with(b"-ERR") => bail!("NATS says {}", String::from_utf8_lossy(line)),
            _ => {}
        }
        at = after;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_is_a_line_and_its_payload() {
        assert_eq!(publish(b"\x00\xffok"), b"PUB voice 4\r\n\x00\xffok\r\n");
    }

    #[test]
    fn messages_are_taken_when_they_are_whole() {
        let bytes = b"PING\r\nMSG voice 1 4\r\na\r\nb\r\nMSG voice 1 3\r\nab";
        let (mut taken, mut pinged) = (Vec::new(), false);
        let used = messages(bytes, &mut |payload| taken.push(payload.to_vec()), &mut pinged).unwrap();
        assert_eq!((used, pinged, taken), (27, true, vec![b"a\r\nb".to_vec()]));
        assert!(messages(b"-ERR 'no'\r\n", &mut |_| {}, &mut false).is_err());
    }
}
