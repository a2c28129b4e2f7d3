//! The client end of the operator's socket.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tenfour_protocol::UserId;
use tenfour_protocol::http::{Held, Problem};
use thiserror::Error;

use super::socket::{Folder, NAME};
use crate::store::Letter;

/// The longest wait for an answer of the server.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Errors that mean that no server runs: no socket, one that a killed server has left, or no folder.
const NONE_RUNS: [ErrorKind; 3] =
    [ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::NotADirectory];

/// A server that runs on a data folder.
#[derive(Debug)]
pub struct Running {
    folder: Folder,
    socket: PathBuf,
}

/// Why it does not do what it is asked. Each says what to do.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// The server is somebody else's.
    #[error("{} belongs to somebody else: run this as root, or as the user of the server", .0.display())]
    NotAllowed(PathBuf),
    /// It does not answer, or not in full.
    #[error("the server does not answer at {} ({cause}): its log may say why; this works too when it is stopped", .socket.display())]
    NoAnswer {
        /// Where it was asked.
        socket: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
    /// It says why.
    #[error("the server does not do it: {0}")]
    Refused(String),
}

impl Running {
    /// The server that runs on this data folder; nothing when none does.
    ///
    /// # Errors
    /// When this user may not ask it.
    pub fn on(data: &Path) -> Result<Option<Self>, OperatorError> {
        let socket = data.join(NAME);
        let connect = || {
            let folder = Folder::of(data)?;
            folder.connect().map(|_| folder)
        };
        match connect() {
            Ok(folder) => Ok(Some(Self { folder, socket })),
            Err(error) if NONE_RUNS.contains(&error.kind()) => Ok(None),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Err(OperatorError::NotAllowed(socket))
            }
            Err(cause) => Err(OperatorError::NoAnswer { socket, cause }),
        }
    }

    /// All that is stored of a user; nothing when the user is not known.
    ///
    /// # Errors
    /// When the server does not answer, or cannot read it.
    pub fn subject(&self, user: &UserId) -> Result<Option<Held>, OperatorError> {
        self.read(&format!("subjects/{user}"))
    }

    /// What people wrote to the operator, the newest last.
    ///
    /// # Errors
    /// When the server does not answer, or cannot read it.
    pub fn letters(&self) -> Result<Vec<Letter>, OperatorError> {
        self.read("inbox")
    }

    /// Removes messages, as far as there are any of these numbers; their bytes are overwritten when it returns.
    ///
    /// # Errors
    /// When the server does not answer, or cannot write it.
    pub fn remove(&self, ids: &[u32]) -> Result<(), OperatorError> {
        let body = serde_json::to_string(ids).expect("numbers are JSON");
        self.ask("POST", "inbox/remove", &body).map(drop)
    }

    fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T, OperatorError> {
        let body = self.ask("GET", what, "")?;
        serde_json::from_slice(&body).map_err(|error| self.no_answer(error.into()))
    }

    /// One question, one answer: HTTP/1.0, in which an answer comes in one piece.
    fn ask(&self, method: &str, what: &str, body: &str) -> Result<Vec<u8>, OperatorError> {
        let exchange = || {
            let mut socket = self.folder.connect()?;
            socket.set_read_timeout(Some(TIMEOUT))?;
            let head =
                format!("{method} /api/v1/operator/{what} HTTP/1.0\r\ncontent-type: application/json\r\n");
            socket.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer)?;
            parse(&answer).ok_or_else(|| ErrorKind::UnexpectedEof.into())
        };
        match exchange().map_err(|cause| self.no_answer(cause))? {
            (200..300, body) => Ok(body),
            (status, body) => Err(OperatorError::Refused(match serde_json::from_slice::<Problem>(&body) {
                Ok(problem) => problem.title,
                Err(_) => format!("HTTP status {status}"),
            })),
        }
    }

    fn no_answer(&self, cause: io::Error) -> OperatorError {
        OperatorError::NoAnswer { socket: self.socket.clone(), cause }
    }
}

/// Status and body of an answer that came to its end.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = &answer[end + 4..];
    (body.len() == length.unwrap_or(0)).then(|| (status, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_is_none() {
        let whole = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nnull";
        assert_eq!(parse(whole), Some((200, b"null".to_vec())));
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "{end}");
        }
        assert_eq!(parse(b"HTTP/1.0 204 No Content\r\n\r\n"), Some((204, Vec::new())));
    }
}
