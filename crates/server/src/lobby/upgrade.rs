//! The door of the radio: everything is checked before the upgrade, and refused in words.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use axum::body::Body;
use data_encoding::BASE64;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tenfour_protocol::{Code, Refusal, SUBPROTOCOL};
use tokio::task::spawn_local;
use zeroize::{Zeroize, Zeroizing};

use super::Lobby;
use super::patient::Patient;
use crate::connection_log::Connected;
use crate::http::{foreign, full, origin_of, problem, session_of};
use crate::orders::{Arrival, Guest, ToWorker};
use crate::worker::Stream;

/// Somebody who may come in.
struct Admitted {
    accept: HeaderValue,
    guest: Guest,
}

impl Lobby {
    /// Answers a request for the radio, and serves the socket when it may be one.
    pub(super) async fn upgrade(
        self: &Rc<Self>,
        mut request: Request<Incoming>,
        address: IpAddr,
    ) -> Response<Body> {
        let since = Instant::now();
        let upgrade = hyper::upgrade::on(&mut request);
        match self.admit(&request, address).await {
            Ok(Admitted { accept, guest }) => {
                let (user, handle) = (guest.session.user, guest.person.handle.clone());
                let connected = Connected { since, address, user, handle };
                drop(spawn_local(self.clone().hand_over(upgrade, guest, connected)));
                switching(accept)
            }
            Err(refusal) => {
                let upgrade = refusal.code == Code::UpgradeExpected;
                let mut response = problem(refusal);
                if upgrade {
                    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
                }
                response
            }
        }
    }

    async fn admit(&self, request: &Request<Incoming>, address: IpAddr) -> Result<Admitted, Refusal> {
        let headers = request.headers();
        if request.method() != Method::GET {
            return Err(Code::MethodNotAllowed.into());
        }
        let auth = &self.shared.auth;
        if let Some(origin) = origin_of(headers).filter(|origin| !auth.origins().allows(origin)) {
            return Err(foreign(origin));
        }
        let accept = websocket_key(headers).ok_or(Code::UpgradeExpected)?;
        if !lists(headers, SEC_WEBSOCKET_PROTOCOL, |protocol| protocol == SUBPROTOCOL) {
            return Err(Code::UnknownSubprotocol.into());
        }
        let (hash, session) = session_of(&self.shared, headers).await.ok_or(Code::NotLoggedIn)?;
        let radio = auth.radio_of(session);
        auth.may_come_in(session.user)?;
        let permit = self.shared.sockets.take(self.shared.proxies.counted(address), 1).ok_or_else(full)?;
        let changes = auth.changes();
        let person = auth.user(session.user).await?.person();
        auth.note_use(hash, session).await;
        Ok(Admitted { accept, guest: Guest { hash, session, person, changes, permit, radio } })
    }

    async fn hand_over(self: Rc<Self>, upgrade: OnUpgrade, guest: Guest, connected: Connected) {
        // A client that goes away between request and answer.
        let Ok(upgraded) = upgrade.await else { return };
        let Some((stream, early)) = raw(upgraded) else {
            tracing::error!("an upgraded connection is not one of ours");
            return;
        };
        let arrival = Box::new(Arrival { stream, early, guest, connected });
        // A worker that has ended: the server stops.
        self.worker().send(ToWorker::Arrival(arrival)).ok();
    }
}

fn switching(accept: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    response
}

/// The socket itself, and what was read of it already.
fn raw(upgraded: Upgraded) -> Option<(Stream, Zeroizing<Vec<u8>>)> {
    let parts = upgraded.downcast::<TokioIo<Patient>>().ok()?;
    let early = Zeroizing::new(parts.read_buf.to_vec());
    // The buffer is wiped here, unless the head of the request still uses it: then the allocator wipes it.
    if let Ok(mut read) = parts.read_buf.try_into_mut() {
        read.zeroize();
    }
    Some((parts.io.into_inner().into_inner(), early))
}

/// The answer to the client's key, if this is a WebSocket request of version 13.
fn websocket_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_websocket = lists(headers, CONNECTION, |token| token.eq_ignore_ascii_case("upgrade"))
        && lists(headers, UPGRADE, |token| token.eq_ignore_ascii_case("websocket"))
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_websocket)?;
    BASE64.decode(key.as_bytes()).ok().filter(|bytes| bytes.len() == 16)?;
    HeaderValue::from_str(&tenfour_websocket::accept(key.as_bytes())).ok()
}

/// True when one of the comma-separated values of a header fits.
fn lists(headers: &HeaderMap, name: hyper::header::HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| fits(token.trim()))
}
