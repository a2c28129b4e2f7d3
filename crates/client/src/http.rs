//! One request of the HTTP API, one answer.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenfour_protocol::Refusal;
use tenfour_protocol::http::Problem;

use crate::{Error, Server};

/// Largest answer that is read: the list of all named channels fits well.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

impl Server {
    pub(crate) async fn get<A: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Result<A, Error> {
        self.ask(Method::GET, path, token, Bytes::new()).await
    }

    pub(crate) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Error> {
        let body = serde_json::to_vec(body).expect("bodies are plain data");
        self.ask(Method::POST, path, None, body.into()).await
    }

    /// A request that is answered by nothing but that it was done.
    pub(crate) async fn done(&self, method: Method, path: &str, token: &str) -> Result<(), Error> {
        self.ask(method, path, Some(token), Bytes::new()).await
    }

    /// A body that is answered by nothing but that it was taken.
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
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{path}"))
            .header(HOST, self.authority())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).map_err(|e| self.odd(&e.to_string()))?;
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|e| self.cut(&e))?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|e| self.cut(&e))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        connection.abort();
        let body = body.map_err(|error| self.odd(&error.to_string()))?.to_bytes();
        if head.status.is_success() {
            let body = if head.status == StatusCode::NO_CONTENT { b"null" } else { &body[..] };
            serde_json::from_slice(body).map_err(|_| self.odd("its answer is not understood"))
        } else {
            Err(problem(&body).map_or_else(|| self.odd(&format!("it says {}", head.status)), Error::Refused))
        }
    }

    fn cut(&self, error: &hyper::Error) -> Error {
        if error.is_parse() {
            return self.odd("it does not speak HTTP");
        }
        Error::NoLink { server: self.origin().into(), why: error.to_string() }
    }

    fn odd(&self, why: &str) -> Error {
        Error::NotTenfour { server: self.origin().into(), why: why.into() }
    }
}

/// The refusal in the body of an answer, if there is one.
pub(crate) fn problem(body: &[u8]) -> Option<Refusal> {
    serde_json::from_slice::<Problem>(body).ok().map(Refusal::from)
}
