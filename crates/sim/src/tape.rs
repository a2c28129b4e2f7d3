//! What leaves the server, byte for byte.

use std::fmt;

use tenfour_core::{ConnId, Time};

use crate::letters::Down;

/// All that some clients are sent, in the order in which the server wrote it.
#[derive(Debug)]
pub struct Tape {
    /// Whose messages are not recorded.
    except: usize,
    entries: Vec<Entry>,
}

/// One message.
#[derive(PartialEq, Eq)]
pub struct Entry {
    /// When the server wrote it.
    written: Time,
    /// When it comes to the client, unless it is lost.
    arrives: Option<Time>,
    client: usize,
    conn: ConnId,
    frame: Frame,
}

#[derive(PartialEq, Eq)]
enum Frame {
    Text(Vec<u8>),
    Voice(Vec<u8>),
    Ping,
    Close(u16, String),
}

impl Tape {
    /// An empty tape that records everybody but one.
    pub fn of_all_but(except: usize) -> Self {
        Self { except, entries: Vec::new() }
    }

    /// Records a message.
    pub fn record(
        &mut self,
        (client, conn): (usize, ConnId),
        message: &Down,
        written: Time,
        arrives: Option<Time>,
    ) {
        if client == self.except {
            return;
        }
        let frame = match message {
            Down::Text(message) => Frame::Text(serde_json::to_vec(message).expect("messages are JSON")),
            Down::Voice(bytes) => Frame::Voice(bytes.clone()),
            Down::Ping => Frame::Ping,
            Down::Close(code) => {
                Frame::Close(code.close_code(), serde_json::to_string(code).expect("codes are JSON"))
            }
        };
        self.entries.push(Entry { written, arrives, client, conn, frame });
    }

    /// Messages recorded.
    pub fn messages(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Bytes recorded.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.frame.bytes()).sum()
    }

    /// The first entries in which two tapes differ.
    pub fn parts<'a>(&'a self, other: &'a Self) -> Option<(Option<&'a Entry>, Option<&'a Entry>)> {
        let longer = self.entries.len().max(other.entries.len());
        let both = (0..longer).map(|at| (self.entries.get(at), other.entries.get(at)));
        both.into_iter().find(|(one, other)| one != other)
    }
}

impl Frame {
    fn bytes(&self) -> u64 {
        match self {
            Self::Text(bytes) | Self::Voice(bytes) => bytes.len() as u64,
            Self::Ping => 0,
            Self::Close(_, reason) => 2 + reason.len() as u64,
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (written, client, conn) = (self.written.as_micros(), self.client, self.conn.0);
        write!(f, "{written} us, client {client}, connection {conn}, ")?;
        match self.arrives {
            Some(arrives) => write!(f, "there at {} us: ", arrives.as_micros())?,
            None => write!(f, "lost: ")?,
        }
        match &self.frame {
            Frame::Text(bytes) => write!(f, "{}", String::from_utf8_lossy(bytes)),
            Frame::Voice(bytes) => write!(f, "voice {bytes:02x?}"),
            Frame::Ping => f.write_str("ping"),
            Frame::Close(code, reason) => write!(f, "close {code} {reason}"),
        }
    }
}
