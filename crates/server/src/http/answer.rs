//! How a request is refused.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use tenfour_protocol::http::Problem;
use tenfour_protocol::limits::BODY_BYTES;
use tenfour_protocol::{Code, Refusal};

use super::headers::secure;

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

/// When somebody who was turned away may try again.
const RETRY_MILLIS: u32 = 5000;

/// There is no room, or no more for this client.
pub(crate) fn full() -> Refusal {
    Refusal::from(Code::ServerFull).retry_after(RETRY_MILLIS)
}

/// A body is longer than any that is taken.
pub(crate) fn too_long() -> Refusal {
    Refusal {
        hint: format!("Send a body of at most {} KiB.", BODY_BYTES / 1024),
        ..Refusal::because(Code::MessageTooLarge, "The body of the request is too large.")
    }
}

/// The same as an answer.
pub(crate) fn busy() -> Response<Body> {
    problem(full())
}

/// A whole refusal in the bytes of HTTP, for where no HTTP server runs. `status` has the number and its words.
pub(crate) fn in_bytes(status: &str, refusal: Refusal, tls: bool) -> Vec<u8> {
    let mut problem = Problem::from(refusal);
    problem.status =
        status.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(problem.status);
    let body = serde_json::to_string(&problem).expect("a problem is JSON");
    let mut headers = HeaderMap::new();
    secure(&mut headers, tls);
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/problem+json\r\n",
        body.len(),
    );
    if let Some(millis) = problem.retry_after_ms {
        answer += &format!("retry-after: {}\r\n", millis.div_ceil(1000));
    }
    for (name, value) in &headers {
        answer += &format!("{name}: {}\r\n", value.to_str().expect("headers of ours are text"));
    }
    (answer + "\r\n" + &body).into_bytes()
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
    if problem.status == 401 {
        // RFC 9110, 15.5.2. No browser asks its person for a password because of this scheme.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_turned_away_is_told_why_in_a_whole_answer() {
        let answer = String::from_utf8(in_bytes("503 Service Unavailable", full(), false)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.code, problem.status), (Code::ServerFull, 503));
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        assert!(head.contains("\r\nretry-after: 5\r\n"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("\r\ncontent-security-policy: default-src 'none'"), "{head}");
    }
}
