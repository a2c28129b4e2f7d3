//! The HTTP API, and what each answer carries.

mod answer;
mod api;
mod channels;
mod contact;
mod export;
mod headers;
mod me;
mod openapi;
mod operator;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE};
use axum::http::{Method, Response, Uri};
use axum::routing::{delete, get, post};
use tenfour_protocol::limits::BODY_BYTES;

pub(crate) use answer::{busy, full, in_bytes, problem, too_long};
pub(crate) use api::session_of;
pub(crate) use headers::secure;
pub use openapi::openapi;
pub(crate) use operator::operator_calls;
pub(crate) use request::{Peer, foreign, origin_of};

use crate::shared::Shared;
use crate::web;

/// Everything but the radio socket, which each worker answers itself.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/", get(api::about))
        .route("/nonce", post(api::nonce))
        .route("/register", post(api::register))
        .route("/login", post(api::login))
        .route("/logout", post(api::logout))
        .route("/me", get(me::held).patch(me::change).delete(me::erase))
        .route("/me/sessions", delete(me::log_out_everywhere))
        .route("/contact", post(contact::contact))
        .route("/channels", get(channels::channels))
        .method_not_allowed_fallback(api::method_not_allowed)
        .fallback(api::not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(shared.clone());
    Router::new()
        .nest("/api/v1", api)
        .route("/api/v1/", get(api::about))
        .route("/api", axum::routing::any(api::not_found))
        .route("/api/{*rest}", axum::routing::any(api::not_found))
        .fallback(page)
        .with_state(shared.clone())
}

/// The page and its files. With the page comes the cookie of visitors, if the operator wants it.
async fn page(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let is_page = method == Method::GET && web::is_page(uri.path());
    let cookie = if is_page { shared.visitors.greet(&headers) } else { None };
    let mut response = web::page(State(shared), method, uri, headers).await;
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
        // A proxy must not give one cookie to everybody.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    response
}
