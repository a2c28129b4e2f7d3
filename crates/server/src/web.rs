//! The page, embedded in the binary.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, VARY,
};
use axum::http::{Method, Response, StatusCode, Uri};
use tenfour_protocol::Code;

use crate::http::problem;
use crate::privacy::Privacy;
use crate::shared::Shared;

struct Asset {
    path: &'static str,
    tag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
}

/// Sorted by path.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Vite puts a hash of the content into the names of these files.
const HASHED: &str = "/assets/";

/// Where the policy is.
const PRIVACY: &str = "/privacy";
/// Asked for anew each time, and sent when it has changed.
const REVALIDATED: &str = "no-cache";
const HTML: &str = "text/html; charset=utf-8";

/// Answers a request for the page or one of its files.
pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = problem(Code::MethodNotAllowed.into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if uri.path() == PRIVACY {
        let Privacy { html, tag } = &shared.privacy;
        return answer(&headers, tag, REVALIDATED, || (HTML, None, Body::from(html.clone())));
    }
    match find(uri.path()) {
        Some(asset) => asset.answer(&headers),
        None => problem(Code::NotFound.into()),
    }
}

/// A file; or the page itself for `/` and for the address of a channel, which the page reads.
fn find(path: &str) -> Option<&'static Asset> {
    let path = if is_page(path) { "/index.html" } else { path };
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Content type, coding and bytes; or that nothing has changed, for a browser that has this `tag`.
fn answer(
    request: &HeaderMap,
    tag: &str,
    caching: &'static str,
    content: impl FnOnce() -> (&'static str, Option<&'static str>, Body),
) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(tag).ok().map(|tag| (ETAG, tag)));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if request.get(IF_NONE_MATCH).is_some_and(|known| known.to_str().is_ok_and(|tags| is_in(tag, tags))) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let (kind, coding, body) = content();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.extend(coding.map(|coding| (CONTENT_ENCODING, HeaderValue::from_static(coding))));
    *response.body_mut() = body;
    response
}

fn is_in(tag: &str, tags: &str) -> bool {
    tags.split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// True for the page itself, not for its files.
pub(crate) fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/c/")
}

impl Asset {
    fn answer(&self, request: &HeaderMap) -> Response<Body> {
        answer(request, self.tag, self.caching(), || match self.gzip {
            Some(gzip) if takes_gzip(request) => (self.content_type(), Some("gzip"), Body::from(gzip)),
            _ => (self.content_type(), None, Body::from(self.plain)),
        })
    }

    fn caching(&self) -> &'static str {
        if self.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { REVALIDATED }
    }

    fn content_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "html" => HTML,
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "webp" => "image/webp",
            "ico" => "image/x-icon",
            "json" | "map" => "application/json",
            "webmanifest" => "application/manifest+json",
            "wasm" => "application/wasm",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
