//! The requests of docs/protocol.md, section 1.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tenfour_core::hub::Input;
use tenfour_core::mutant;
use tenfour_protocol::http::{About, Login, Me, Nonce, Problem, Register, SessionKind};
use tenfour_protocol::limits::SESSION_LIFE;
use tenfour_protocol::{Code, Refusal, json};

use super::answer::{Refused, too_long};
use super::request::{Peer, client_of, cookie_name, foreign, origin_of, tokens_of};
use crate::auth::{Client, Opened, Session};
use crate::shared::Shared;
use crate::store::{TokenHash, User};

pub(super) type Answer<T> = Result<T, Refused>;
pub(super) type Body = Result<Bytes, BytesRejection>;

/// Something to sign, for a registration or a log-in.
#[utoipa::path(post, path = "/api/v1/nonce", responses(
    (status = 200, description = "A nonce, good once and for 30 s.", body = Nonce),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn nonce(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer<Json<Nonce>> {
    own_page(&shared, &headers, &uri)?;
    Ok(Json(shared.auth.nonce(peer)?))
}

/// Makes a user of a device key, and logs in.
#[utoipa::path(post, path = "/api/v1/register", request_body = Register, responses(
    (status = 201, description = "Registered and logged in.", body = Me),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn register(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Answer<Response> {
    let client = own_page(&shared, &headers, &uri)?;
    let request: Register = parse(body)?;
    let kind = request.proof.session;
    let opened = shared.auth.register(request, client, peer).await?;
    shared.metrics.registrations.inc();
    Ok((StatusCode::CREATED, begin(&shared, opened, kind)).into_response())
}

/// Logs in with a device key.
#[utoipa::path(post, path = "/api/v1/login", request_body = Login, responses(
    (status = 200, description = "Logged in.", body = Me),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn login(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Answer<Response> {
    let client = own_page(&shared, &headers, &uri)?;
    let request: Login = parse(body)?;
    let kind = request.proof.session;
    let began = Instant::now();
    let opened = shared.auth.login(request, client, peer).await?;
    shared.metrics.logins.inc();
    shared.metrics.login_time.observe(began.elapsed().as_secs_f64());
    Ok(begin(&shared, opened, kind))
}

/// Ends the session: its sockets close, its cookie is erased.
#[utoipa::path(post, path = "/api/v1/logout", responses(
    (status = 204, description = "Logged out."),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn logout(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer<Response> {
    let (hash, of) = session(&shared, &headers).await?;
    mutant!(crate::mutants::active(), LogOutClientOnly => return good_bye(&shared));
    if let Some(login) = shared.auth.logout(&hash) {
        shared.hub.input(Input::LoggedOut { login });
    }
    // The socket is closed and the door shut by now; a store that does not answer is told.
    shared.auth.forget(of.user, hash).await?;
    good_bye(&shared)
}

/// Nothing to say, and the cookies go.
pub(super) fn good_bye(shared: &Shared) -> Answer<Response> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(SET_COOKIE, cookie(shared, "", 0)?);
    if let Some(visitor) = shared.visitors.farewell() {
        response.headers_mut().append(SET_COOKIE, visitor);
    }
    Ok(response)
}

/// What this is, and what holds for everybody who talks.
#[utoipa::path(get, path = "/api/v1/", responses((status = 200, description = "Host, version, limits.", body = About)))]
pub(super) async fn about(State(shared): State<Arc<Shared>>) -> Json<About> {
    Json(shared.about.clone())
}

pub(super) async fn not_found() -> Refused {
    Code::NotFound.into()
}

pub(super) async fn method_not_allowed() -> Refused {
    Code::MethodNotAllowed.into()
}

fn own_page<'a>(shared: &Shared, headers: &'a HeaderMap, uri: &'a Uri) -> Answer<Client<'a>> {
    Ok(client_of(headers, uri, shared.auth.origins())?)
}

pub(super) async fn session(shared: &Shared, headers: &HeaderMap) -> Answer<(TokenHash, Session)> {
    if let Some(origin) = origin_of(headers).filter(|origin| !shared.auth.origins().allows(origin)) {
        return Err(foreign(origin).into());
    }
    Ok(session_of(shared, headers).await.ok_or(Code::NotLoggedIn)?)
}

/// The session of a request, whoever sends it.
pub(crate) async fn session_of(shared: &Shared, headers: &HeaderMap) -> Option<(TokenHash, Session)> {
    for token in tokens_of(headers, shared.secure()) {
        let session = shared.auth.session(token).await;
        if session.is_some() {
            return session;
        }
    }
    None
}

pub(super) fn parse<T: json::Body>(body: Body) -> Answer<T> {
    let bytes = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_long(),
        _ => Code::MalformedMessage.into(),
    })?;
    json::body(&bytes).map_err(|fault| {
        let message = format!("The body is not what it should be: {fault}.");
        Refusal::because(Code::MalformedMessage, message).into()
    })
}

fn begin(shared: &Shared, opened: Opened, kind: SessionKind) -> Response {
    if let Some(login) = opened.displaced {
        shared.hub.input(Input::Displaced { login });
    }
    let me = describe(opened.user);
    match kind {
        SessionKind::Bearer => Json(Me { token: Some(opened.token.to_string()), ..me }).into_response(),
        SessionKind::Cookie => match cookie(shared, &opened.token, SESSION_LIFE.as_secs()) {
            Ok(cookie) => {
                let mut response = Json(me).into_response();
                response.headers_mut().insert(SET_COOKIE, cookie);
                response
            }
            Err(refused) => refused.into_response(),
        },
    }
}

fn cookie(shared: &Shared, token: &str, seconds: u64) -> Answer<HeaderValue> {
    let secure = if shared.secure() { "; Secure" } else { "" };
    let name = cookie_name(shared.secure());
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    // A token is base64url: it always fits into a header.
    Ok(HeaderValue::from_str(&text).map_err(|_| Code::StoreUnavailable)?)
}

pub(super) fn describe(user: User) -> Me {
    Me { user: user.id, tag: user.id.tag(), handle: user.handle, description: user.description, token: None }
}
