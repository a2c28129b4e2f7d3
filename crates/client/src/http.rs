//! Requests of the HTTP API, and their answers.

use data_encoding::BASE64;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenfour_protocol::http::Problem;
use tenfour_protocol::{Code, RADIO_PATH, Refusal, SUBPROTOCOL};
use tenfour_websocket::accept;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use zeroize::{Zeroize, Zeroizing};

use crate::stream::Stream;
use crate::{Error, Server};

/// Largest answer that is read. The list of all named channels is much smaller.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

impl Server {
    pub(crate) async fn get<A: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Result<A, Error> {
        self.ask(Method::GET, path, token, Bytes::new()).await
    }

    /// A request whose answer has no body.
    pub(crate) async fn done(&self, method: Method, path: &str, token: &str) -> Result<(), Error> {
        self.ask(method, path, Some(token), Bytes::new()).await
    }

    /// Sends a body; the answer has none.
    pub(crate) async fn tell(&self, path: &str, token: &str, body: &impl Serialize) -> Result<(), Error> {
        let body = serde_json::to_vec(body).expect("bodies are plain data");
        self.ask(Method::POST, path, Some(token), body.into()).await
    }

    pub(crate) async fn patch<A: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
        body: &impl Serialize,
    ) -> Result<A, Error> {
        let body = serde_json::to_vec(body).expect("bodies are plain data");
        self.ask(Method::PATCH, path, Some(token), body.into()).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<A, Error> {
        Conversation::with(self).ask(method, path, token, body).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{path}"))
            .header(HOST, self.authority())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request.body(Full::new(body)).map_err(|e| self.odd(&e.to_string()))
    }

    /// Upgrades a new connection to the radio's WebSocket. Returns the connection and the bytes that came together
    /// with the answer; if the server refuses, what it said.
    pub(crate) async fn upgrade(&self, token: &str) -> Result<(Stream, Zeroizing<Vec<u8>>), Option<Refusal>> {
        let stream = TokioIo::new(self.connect().await.map_err(|_| None)?);
        let (mut requests, line) = handshake(stream).await.map_err(|_| None)?;
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|_| None)?;
        let key = BASE64.encode(&key);
        let request = Request::builder()
            .uri(RADIO_PATH)
            .header(HOST, self.authority())
            .header(CONNECTION, "upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key)
            .header(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::new(Bytes::new()))
            .map_err(|_| None)?;
        let asked = async move {
            let answer = requests.send_request(request).await.map_err(|_| None)?;
            if is_radio(&answer, &key) { Ok(()) } else { Err(refused(answer).await) }
        };
        // The task ends at the upgrade and returns the connection. That frees its memory, which had the head of the
        // request with the token.
        let (asked, line) = tokio::join!(asked, line.without_shutdown());
        asked?;
        let parts = line.map_err(|_| None)?;
        let early = Zeroizing::new(parts.read_buf.to_vec());
        // Unless the head of the answer is still in use. Then the program's allocator wipes it.
        if let Ok(mut read) = parts.read_buf.try_into_mut() {
            read.zeroize();
        }
        Ok((parts.io.into_inner(), early))
    }

    fn understand<A: DeserializeOwned>(&self, status: StatusCode, body: &[u8]) -> Result<A, Error> {
        if status.is_success() {
            let body = if status == StatusCode::NO_CONTENT { b"null" } else { body };
            serde_json::from_slice(body).map_err(|_| self.odd("its answer is not understood"))
        } else {
            Err(problem(body).map_or_else(|| self.odd(&format!("it says {status}")), Error::Refused))
        }
    }

    fn cut(&self, error: &hyper::Error) -> Error {
        if error.is_parse() {
            return self.odd("it does not speak HTTP");
        }
        Error::NoLink { server: self.origin().into(), why: error.to_string() }
    }

    pub(crate) fn odd(&self, why: &str) -> Error {
        Error::NotTenfour { server: self.origin().into(), why: why.into() }
    }
}

/// Requests one after the other, on one connection as long as the server keeps it: a new connection costs a round
/// trip, with TLS several.
pub(crate) struct Conversation<'a> {
    server: &'a Server,
    line: Option<Line>,
}

/// A connection; its task ends with the value.
struct Line {
    requests: SendRequest<Full<Bytes>>,
    task: AbortHandle,
}

impl<'a> Conversation<'a> {
    /// Nothing is sent and no connection opened before the first request.
    pub(crate) fn with(server: &'a Server) -> Self {
        Self { server, line: None }
    }

    /// The server.
    pub(crate) fn server(&self) -> &'a Server {
        self.server
    }

    /// Ends the connection; the next request makes a new one.
    pub(crate) fn hang_up(&mut self) {
        self.line = None;
    }

    pub(crate) async fn post<A: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Error> {
        let body = serde_json::to_vec(body).expect("bodies are plain data");
        self.ask(Method::POST, path, None, body.into()).await
    }

    async fn ask<A: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<A, Error> {
        let server = self.server;
        let asked = async {
            let (head, body) = self.send(method, path, token, body).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| server.odd(&error.to_string()))?.to_bytes();
            server.understand(head.status, &body)
        };
        let answered = timeout(server.timeout, asked).await;
        answered.unwrap_or_else(|_| {
            self.hang_up();
            Err(server.silent())
        })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let server = self.server;
        let request = server.request(method, path, token, body)?;
        let line = self.line().await?;
        line.requests.send_request(request).await.map_err(|e| server.cut(&e))
    }

    /// Passes the answer to a GET on to `take`, piece by piece as it comes, however long it is. A refusal is an
    /// error.
    pub(crate) async fn pass_on(
        &mut self,
        path: &str,
        token: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let server = self.server;
        let silent = |_| server.silent();
        let asked = timeout(server.timeout, self.send(Method::GET, path, Some(token), Bytes::new()));
        let mut answer = asked.await.map_err(silent)??;
        if !answer.status().is_success() {
            let status = answer.status();
            let body =
                timeout(server.timeout, Limited::new(answer.into_body(), ANSWER_BYTES).collect()).await;
            let body = body.map_err(silent)?.map_err(|error| server.odd(&error.to_string()))?.to_bytes();
            return server.understand(status, &body);
        }
        while let Some(frame) = timeout(server.timeout, answer.body_mut().frame()).await.map_err(silent)? {
            let frame = frame.map_err(|error| server.cut(&error))?;
            frame.data_ref().map_or(Ok(()), |piece| take(piece))?;
        }
        Ok(())
    }

    /// The connection, or a new one if the server has ended it.
    async fn line(&mut self) -> Result<&mut Line, Error> {
        if let Some(line) = &mut self.line
            && line.requests.ready().await.is_err()
        {
            self.line = None;
        }
        match &mut self.line {
            Some(line) => Ok(line),
            none => Ok(none.insert(Line::to(self.server).await?)),
        }
    }
}

impl Line {
    async fn to(server: &Server) -> Result<Self, Error> {
        let stream = TokioIo::new(server.connect().await?);
        let (requests, connection) = handshake(stream).await.map_err(|e| server.cut(&e))?;
        Ok(Self { requests, task: tokio::spawn(connection).abort_handle() })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the server changes to the radio's protocol.
fn is_radio<B>(answer: &Response<B>, key: &str) -> bool {
    let says = |name: HeaderName, value: &str| {
        answer.headers().get(name).is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    answer.status() == StatusCode::SWITCHING_PROTOCOLS
        && says(UPGRADE, "websocket")
        && says(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
        && answer.headers().get(SEC_WEBSOCKET_ACCEPT).is_some_and(|said| *said == accept(key.as_bytes()))
}

/// What an answer says if it is no upgrade.
async fn refused(answer: Response<Incoming>) -> Option<Refusal> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES).collect().await;
    let told = body.ok().and_then(|body| problem(&body.to_bytes()));
    told.or_else(|| by_status(head.status.as_u16()).map(Refusal::from))
}

/// For an answer whose body did not come along.
fn by_status(status: u16) -> Option<Code> {
    match status {
        401 => Some(Code::NotLoggedIn),
        403 => Some(Code::ForeignOrigin),
        404 => Some(Code::NotFound),
        426 => Some(Code::UpgradeExpected),
        429 => Some(Code::TooManyRequests),
        _ => None,
    }
}

/// The refusal in the body of an answer, if there is one.
fn problem(body: &[u8]) -> Option<Refusal> {
    serde_json::from_slice::<Problem>(body).ok().map(Refusal::from)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;

    /// A server that says `words` when it is asked, and then nothing for good. What is said before a request is
    /// no answer, and would end the connection at once.
    fn says(words: &'static [u8]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::new(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || {
                    let is_asked =
                        |stream: &mut TcpStream| stream.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0);
                    if is_asked(&mut stream) && stream.write_all(words).is_ok() {
                        while is_asked(&mut stream) {}
                    }
                });
            }
        });
        server
    }

    #[tokio::test]
    async fn who_answers_nothing_or_half_an_answer_is_not_waited_for() {
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        for words in [&b""[..], b"HTTP/1.1 200", begun] {
            let (mut server, asked) = (says(words), Instant::now());
            assert_eq!(server.timeout, Duration::from_secs(10));
            server.timeout = Duration::from_millis(300);
            let answer = server.get::<serde_json::Value>("channels", None).await;
            assert!(matches!(answer, Err(Error::NoLink { .. })), "{answer:?}");
            assert!(asked.elapsed() >= server.timeout);
            let passed = Conversation::with(&server).pass_on("me", "token", |_| Ok(())).await;
            assert!(matches!(passed, Err(Error::NoLink { .. })), "{passed:?}");
        }
    }
}
