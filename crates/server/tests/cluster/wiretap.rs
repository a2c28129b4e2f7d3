//! Somebody at NATS who speaks its protocol by hand: hears all, and says what they like.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::nats::NatsServer;

/// Longer than NATS takes to let anybody in.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Speaks the protocol of NATS by hand.
pub(crate) struct Stranger {
    socket: TcpStream,
    /// Everything that came, as it came.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Stranger {
    /// Subscribes to these; `answer` is published to whoever asks for an answer.
    pub(crate) fn on(nats: &NatsServer, subjects: &[&str], answer: Option<&'static [u8]>) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", nats.port)).unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let mut out = socket.try_clone().unwrap();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let ears = heard.clone();
        out.write_all(b"CONNECT {\"verbose\":false,\"headers\":true}\r\n").unwrap();
        for (sid, subject) in subjects.iter().enumerate() {
            write!(out, "SUB {subject} {sid}\r\n").unwrap();
        }
        out.write_all(b"PING\r\n").unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while {
                line.clear();
                reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0)
            } {
                ears.lock().unwrap().extend_from_slice(line.as_bytes());
                let words: Vec<_> = line.split_whitespace().collect();
                match words.first().copied() {
                    Some("PING") => out.write_all(b"PONG\r\n").unwrap_or_default(),
                    Some("PONG") => ready.send(()).unwrap_or_default(),
                    Some("MSG" | "HMSG") => {
                        let mut bytes = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
                        if reader.read_exact(&mut bytes).is_err() {
                            return;
                        }
                        ears.lock().unwrap().extend_from_slice(&bytes);
                        let reply = (words[0] == "MSG" && words.len() == 5).then(|| words[3]);
                        if let (Some(reply), Some(answer)) = (reply, answer) {
                            write!(out, "PUB {reply} {}\r\n", answer.len()).ok();
                            out.write_all(&[answer, b"\r\n"].concat()).ok();
                        }
                    }
                    _ => {}
                }
            }
        });
        is_ready.recv_timeout(TIMEOUT).unwrap();
        Self { socket, heard }
    }

    pub(crate) fn publish(&mut self, subject: &str, payload: &[u8]) {
        let head = format!("PUB {subject} {}\r\n", payload.len());
        self.socket.write_all(&[head.as_bytes(), payload, b"\r\n"].concat()).unwrap();
    }

    pub(crate) fn has_heard(&self, bytes: &[u8]) -> bool {
        self.heard.lock().unwrap().windows(bytes.len()).any(|window| window == bytes)
    }

    /// Messages that came on subjects with this word: subject and payload.
    pub(crate) fn tape(&self, word: &str) -> Vec<(String, Vec<u8>)> {
        let heard = self.heard.lock().unwrap().clone();
        let (mut rest, mut tape) = (&heard[..], Vec::new());
        while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 2..];
            let words: Vec<_> = line.split(' ').collect();
            if matches!(words[0], "MSG" | "HMSG") {
                let length: usize = words.last().unwrap().parse().unwrap();
                if words[0] == "MSG" && words[1].contains(word) {
                    tape.push((words[1].to_owned(), rest[..length].to_vec()));
                }
                rest = &rest[length + 2..];
            }
        }
        tape
    }
}

impl Stranger {
    /// Payloads of messages with headers, without these.
    pub(crate) fn hmsgs(&self, subject: &str) -> Vec<Vec<u8>> {
        let heard = self.heard.lock().unwrap().clone();
        let (mut rest, mut found) = (&heard[..], Vec::new());
        while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 2..];
            let words: Vec<_> = line.split(' ').collect();
            if matches!(words[0], "MSG" | "HMSG") {
                let length: usize = words.last().unwrap().parse().unwrap();
                if words[0] == "HMSG" && words[1] == subject {
                    let head: usize = words[words.len() - 2].parse().unwrap();
                    found.push(rest[head..length].to_vec());
                }
                rest = &rest[length + 2..];
            }
        }
        found
    }
}
