//! The protocol of NATS, without a socket. What was read is overwritten when it was used.

use zeroize::{Zeroize, Zeroizing};

/// The longest line: what a server says of itself names all servers of its cluster.
const LINE: usize = 64 * 1024;
/// The largest message that is taken.
const PAYLOAD: usize = 8 * 1024 * 1024;
/// Room for the numbers and words of one message.
const HEAD: usize = 64;

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Op<'a> {
    /// What it is, in JSON.
    Info(&'a [u8]),
    /// A message of a subscription.
    Message(Message<'a>),
    /// It wants to know whether we are there.
    Ping,
    /// It is there.
    Pong,
    /// It took what we said.
    Fine,
    /// It did not, in its words.
    Error(&'a str),
}

/// A message, as it lies in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Number of the subscription.
    pub(crate) sid: u64,
    /// What it was sent to.
    pub(crate) subject: &'a str,
    /// Where an answer goes.
    pub(crate) reply: Option<&'a str>,
    /// As they came, with their first line; empty without.
    pub(crate) headers: &'a [u8],
    /// What it says.
    pub(crate) payload: &'a [u8],
}

impl Message<'_> {
    /// The number in the first line of the headers, which says that this is no ordinary message.
    pub(crate) fn status(&self) -> Option<u16> {
        let line = self.headers.split(|byte| *byte == b'\r').next()?;
        let line = std::str::from_utf8(line).ok()?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = std::str::from_utf8(self.headers).ok()?.split("\r\n").skip(1);
        lines.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Not what a server of NATS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Violation;

/// Takes bytes and gives what they say.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Zeroizing<Vec<u8>>,
    /// What lies before was used.
    used: usize,
}

impl Reader {
    /// Takes bytes from the socket.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let rest = self.buffer.len() - self.used;
        if rest + bytes.len() > self.buffer.capacity() {
            // A vector that grows by itself leaves its old memory as it was.
            let mut larger = Zeroizing::new(Vec::with_capacity((rest + bytes.len()).next_power_of_two()));
            larger.extend_from_slice(&self.buffer[self.used..]);
            self.buffer = larger;
        } else {
            self.buffer.copy_within(self.used.., 0);
            self.buffer[rest..].zeroize();
            self.buffer.truncate(rest);
        }
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether everything that came was used.
    pub(crate) fn is_empty(&self) -> bool {
        self.used == self.buffer.len()
    }

    /// What comes next, as far as it is all there. To be asked until there is nothing.
    pub(crate) fn next(&mut self) -> Result<Option<Op<'_>>, Violation> {
        match measure(&self.buffer[self.used..])? {
            None => {
                let (used, rest) = (self.used, self.buffer.len() - self.used);
                if rest == 0 && used > 0 {
                    self.buffer.as_mut_slice().zeroize();
                    self.buffer.clear();
                    self.used = 0;
                }
                Ok(None)
            }
            Some(Measure { line, bytes, headers }) => {
                let from = self.used;
                self.used += line + bytes;
                let all = &self.buffer[from..self.used];
                read(&all[..line], &all[line..], headers).map(Some)
            }
        }
    }
}

/// How long something is.
struct Measure {
    /// Its first line, with its end.
    line: usize,
    /// What follows, with its end.
    bytes: usize,
    /// How much of that are headers.
    headers: usize,
}

fn measure(bytes: &[u8]) -> Result<Option<Measure>, Violation> {
    let Some(end) = bytes.windows(2).take(LINE).position(|two| two == b"\r\n") else {
        return if bytes.len() > LINE { Err(Violation) } else { Ok(None) };
    };
    let (line, first) = (end + 2, &bytes[..end]);
    let numbers = || std::str::from_utf8(first).map_err(|_| Violation).map(|line| line.rsplit(' '));
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).ok_or(Violation);
    let (payload, headers) = if first.starts_with(b"MSG ") {
        (number(numbers()?.next())?, 0)
    } else if first.starts_with(b"HMSG ") {
        let mut numbers = numbers()?;
        (number(numbers.next())?, number(numbers.next())?)
    } else {
        return Ok(Some(Measure { line, bytes: 0, headers: 0 }));
    };
    if payload > PAYLOAD || headers > payload {
        return Err(Violation);
    }
    let bytes_there = bytes.len() - line;
    Ok((bytes_there >= payload + 2).then_some(Measure { line, bytes: payload + 2, headers }))
}

fn read<'a>(line: &'a [u8], body: &'a [u8], headers: usize) -> Result<Op<'a>, Violation> {
    let line = std::str::from_utf8(&line[..line.len() - 2]).map_err(|_| Violation)?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    Ok(match word {
        "MSG" | "HMSG" => {
            let words: Vec<&str> = rest.split(' ').collect();
            let fixed = if word == "MSG" { 3 } else { 4 };
            let reply = match words.len() - fixed.min(words.len()) {
                0 if words.len() == fixed => None,
                // A server may say that there is none by an empty word.
                1 => Some(words[2]).filter(|word| !word.is_empty()),
                _ => return Err(Violation),
            };
            let sid = words[1].parse().map_err(|_| Violation)?;
            let (body, end) = body.split_at(body.len() - 2);
            if end != b"\r\n" {
                return Err(Violation);
            }
            let (headers, payload) = body.split_at(headers);
            Op::Message(Message { sid, subject: words[0], reply, headers, payload })
        }
        "INFO" => Op::Info(rest.as_bytes()),
        "PING" => Op::Ping,
        "PONG" => Op::Pong,
        "+OK" => Op::Fine,
        "-ERR" => Op::Error(rest.trim().trim_matches('\'')),
        _ => return Err(Violation),
    })
}

/// What we say, made whole in one piece of memory that is wiped.
#[derive(Debug)]
pub(crate) struct Said(Zeroizing<Vec<u8>>);

impl Said {
    /// A message, from its parts.
    pub(crate) fn publish(subject: &[&str], reply: Option<&str>, payload: &[&[u8]]) -> Self {
        let length: usize = payload.iter().map(|part| part.len()).sum();
        let words: usize = subject.iter().map(|part| part.len()).sum();
        let mut said = Vec::with_capacity(HEAD + words + reply.map_or(0, str::len) + length);
        said.extend_from_slice(b"PUB ");
        subject.iter().for_each(|part| said.extend_from_slice(part.as_bytes()));
        if let Some(reply) = reply {
            said.push(b' ');
            said.extend_from_slice(reply.as_bytes());
        }
        said.extend_from_slice(format!(" {length}\r\n").as_bytes());
        payload.iter().for_each(|part| said.extend_from_slice(part));
        said.extend_from_slice(b"\r\n");
        Self(Zeroizing::new(said))
    }

    /// A message with headers.
    pub(crate) fn publish_with(subject: &str, reply: &str, headers: &[(&str, &str)], payload: &[u8]) -> Self {
        let mut lines = String::from("NATS/1.0\r\n");
        headers.iter().for_each(|(key, value)| lines.extend([*key, ": ", *value, "\r\n"]));
        lines.push_str("\r\n");
        let sizes = format!(" {} {}\r\n", lines.len(), lines.len() + payload.len());
        let mut said = Vec::with_capacity(
            HEAD + subject.len() + reply.len() + sizes.len() + lines.len() + payload.len(),
        );
        for part in ["HPUB ", subject, " ", reply, &sizes, &lines] {
            said.extend_from_slice(part.as_bytes());
        }
        said.extend_from_slice(payload);
        said.extend_from_slice(b"\r\n");
        Self(Zeroizing::new(said))
    }

    /// The wish to hear a subject.
    pub(crate) fn subscribe(subject: &str, sid: u64) -> Self {
        Self(Zeroizing::new(format!("SUB {subject} {sid}\r\n").into_bytes()))
    }

    /// The wish to hear it no more.
    pub(crate) fn unsubscribe(sid: u64) -> Self {
        Self(Zeroizing::new(format!("UNSUB {sid}\r\n").into_bytes()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &[u8] = b"INFO {\"a\":1}\r\nMSG a.b 7 5\r\nhello\r\nPING\r\nHMSG a.b 8 in.box 27 30\r\n\
        NATS/1.0 100 Idle\r\nA: b\r\n\r\nxyz\r\n+OK\r\n-ERR 'Stale Connection'\r\nMSG q 9 r 0\r\n\r\nPONG\r\n";

    fn told(reader: &mut Reader) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(op) = reader.next().unwrap() {
            if let Op::Message(message) = &op {
                all.push(format!("{:?} {:?}", message.status(), message.header("a")));
            }
            all.push(format!("{op:?}"));
        }
        all
    }

    #[test]
    fn what_a_server_says_is_read_however_it_is_cut() {
        let mut whole = Reader::default();
        whole.feed(TALK);
        let expected = told(&mut whole);
        assert_eq!(expected.len(), 11);
        assert_eq!(expected[4], "Some(100) Some(\"b\")");
        for size in 1..TALK.len() {
            let mut reader = Reader::default();
            let mut got = Vec::new();
            for piece in TALK.chunks(size) {
                reader.feed(piece);
                got.extend(told(&mut reader));
            }
            assert_eq!(got, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_heartbeat_of_jetstream_has_no_reply() {
        let mut reader = Reader::default();
        reader.feed(b"HMSG in.box 19  14 14\r\nNATS/1.0 100\r\n\r\n");
        let Ok(Some(Op::Message(message))) = reader.next() else { panic!("a message") };
        assert_eq!((message.reply, message.status()), (None, Some(100)));
    }

    #[test]
    fn nothing_is_left_of_what_was_read() {
        let mut reader = Reader::default();
        reader.feed(b"MSG a 1 6\r\nsecret\r\nPI");
        assert_eq!(told(&mut reader).len(), 2);
        reader.feed(b"NG\r\n");
        assert_eq!(told(&mut reader).len(), 1);
        let capacity = reader.buffer.capacity();
        reader.buffer.resize(capacity, 0);
        assert!(!reader.buffer.windows(6).any(|bytes| bytes == b"secret"));
    }

    #[test]
    fn what_is_no_nats_is_refused() {
        for bad in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"MSG a 1 x\r\n",
            b"MSG a 1 99999999999\r\n",
            b"HMSG a 1 9 5\r\n12345\r\n",
        ] {
            let mut reader = Reader::default();
            reader.feed(bad);
            assert_eq!(reader.next(), Err(Violation), "{}", String::from_utf8_lossy(bad));
        }
        let mut reader = Reader::default();
        reader.feed(&vec![b'x'; LINE + 2]);
        assert_eq!(reader.next(), Err(Violation));
    }

    #[test]
    fn what_we_say_is_made_of_its_parts() {
        let said = Said::publish(&["a", ".b"], Some("in"), &[b"he", b"llo"]);
        assert_eq!(said.bytes(), b"PUB a.b in 5\r\nhello\r\n");
        let said = Said::publish_with("a", "in", &[("K", "v")], b"xyz");
        assert_eq!(said.bytes(), b"HPUB a in 18 21\r\nNATS/1.0\r\nK: v\r\n\r\nxyz\r\n");
        assert_eq!(Said::subscribe("a.>", 3).bytes(), b"SUB a.> 3\r\n");
        assert_eq!(Said::unsubscribe(3).bytes(), b"UNSUB 3\r\n");
    }
}
