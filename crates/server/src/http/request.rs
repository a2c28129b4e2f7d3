//! What a request says about who sends it, and how it is refused.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER,
};
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse;
use tenfour_protocol::Refusal;
use tenfour_protocol::http::Problem;

use crate::auth::{Client, Origins};

/// The address a request comes from; it goes into the counting of log-ins and nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Name of the session cookie. The prefix makes a browser insist on TLS, this host, and `/`.
pub(super) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-tenfour" } else { "tenfour" }
}

/// The origin of the page that sends a request. Bytes that are no text are nobody's origin, and so
/// are two origins: which of them is believed would depend on who reads them.
pub(crate) fn origin_of(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN).into_iter();
    let origin = origins.next()?;
    Some(origin.to_str().ok().filter(|_| origins.next().is_none()).unwrap_or("?"))
}

/// The session token: of a program, or of a browser's cookie.
pub(crate) fn token_of(headers: &HeaderMap, secure: bool) -> Option<&str> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return value.to_str().ok()?.strip_prefix("Bearer ").map(str::trim);
    }
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie_name(secure)).map(|(_, value)| value)
}

/// Who asks for a log-in. A page of a foreign origin is nobody.
pub(super) fn client_of<'a>(headers: &'a HeaderMap, uri: &'a Uri, origins: &Origins) -> Option<Client<'a>> {
    match origin_of(headers) {
        Some(origin) => origins.allows(origin).then_some(Client::Page(origin)),
        None => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            Some(Client::Program(host.or(uri.authority().map(|authority| authority.as_str()))?))
        }
    }
}

/// A refusal over HTTP.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl<T: Into<Refusal>> From<T> for Refused {
    fn from(refusal: T) -> Self {
        Self(refusal.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        problem(self.0)
    }
}

/// A refusal as `application/problem+json`.
pub(crate) fn problem(refusal: Refusal) -> Response<Body> {
    let problem = Problem::from(refusal);
    let body = serde_json::to_vec(&problem).expect("a problem is JSON");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(millis) = problem.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(millis.div_ceil(1000)));
    }
    response
}
