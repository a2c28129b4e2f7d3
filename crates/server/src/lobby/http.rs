//! One connection: TLS, then HTTP until it is a radio socket or over.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, ETAG, HeaderMap, HeaderValue, SET_COOKIE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::limits::{BODY_BYTES, HANDSHAKE, HEADER_BYTES};
use tenfour_protocol::{Code, RADIO_PATH};
use tokio::task::spawn_local;
use tokio::time::timeout;
use tower::ServiceExt;

use super::Lobby;
use super::flow::Flow;
use super::patient::Patient;
use crate::gate::Permit;
use crate::http::{Peer, busy, problem, secure, too_long};
use crate::worker::{Stream, Tcp};

/// Time for one request, its body included.
const REQUEST: Duration = Duration::from_secs(10);

impl Lobby {
    /// Serves a connection in a task of its own.
    pub(super) fn serve(self: &Rc<Self>, socket: std::net::TcpStream, peer: SocketAddr, place: Permit) {
        // The runtime and the task keep records of each socket whose gaps have what lay on the stack, so the stack
        // is wiped first.
        scrub_stack();
        self.begin(socket, peer, place);
    }

    /// In a frame of its own, so that it uses the part of the stack that was wiped.
    #[inline(never)]
    fn begin(self: &Rc<Self>, socket: std::net::TcpStream, peer: SocketAddr, place: Permit) {
        match Tcp::new(socket) {
            Ok(socket) => drop(spawn_local(self.clone().listen(socket, peer, place))),
            Err(error) => tracing::warn!(reason = %error, "a connection was lost at the door"),
        }
    }

    /// Waits for the first byte before it takes memory for HTTP: a silent client costs 15 KiB less.
    async fn listen(self: Rc<Self>, socket: Tcp, peer: SocketAddr, place: Permit) {
        if let Ok(Ok(())) = timeout(HANDSHAKE, socket.readable()).await {
            scrub_stack();
            self.hear(socket, peer, place);
        }
    }

    #[inline(never)]
    fn hear(self: Rc<Self>, socket: Tcp, peer: SocketAddr, place: Permit) {
        drop(spawn_local(self.talk(socket, peer, place)));
    }

    async fn talk(self: Rc<Self>, socket: Tcp, peer: SocketAddr, place: Permit) {
        let stream = match &self.shared.tls {
            None => Stream::Plain(socket),
            Some(certificates) => {
                match timeout(HANDSHAKE, tenfour_tls::accept(socket, certificates.current())).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    // A scanner, or a browser that refuses the certificate.
                    Ok(Err(_)) | Err(_) => return,
                }
            }
        };
        let flow = Arc::new(Flow::new(place));
        let service = service_fn(|request| self.clone().answer(request, peer.ip(), flow.clone()));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE)
            // Also what hyper reads at once. With more, heads of requests and their tokens stay in its memory.
            .max_buf_size(HEADER_BYTES)
            // A client that closes its side after a request still gets the answer.
            .half_close(true)
            .serve_connection(TokioIo::new(Patient::new(stream, flow.clone(), self.shared.secure())), service)
            .with_upgrades()
            .await;
        if let Err(error) = served {
            tracing::trace!(reason = %error, "an HTTP connection broke");
        }
    }

    async fn answer(
        self: Rc<Self>,
        mut request: Request<Incoming>,
        peer: IpAddr,
        flow: Arc<Flow>,
    ) -> Result<Response<Body>, Infallible> {
        flow.is_clear().await;
        let proxies = &self.shared.proxies;
        let client = proxies.client_noticed(peer, request.headers());
        let whose = proxies.counted(client);
        let mut response = if !flow.with_place(|place| self.shared.doors.belongs_to(place, whose)) {
            closing(busy())
        } else if is_too_long(request.headers()) {
            // Before the body is asked for, which `Expect: 100-continue` waits for.
            closing(problem(too_long()))
        } else if request.uri().path() == RADIO_PATH {
            self.upgrade(request, client).await
        } else {
            request.extensions_mut().insert(Peer(client));
            match timeout(REQUEST, self.router.clone().oneshot(request.map(Body::new))).await {
                Ok(response) => self.counted(response?, whose, &flow),
                Err(_) => problem(Code::TooManyRequests.into()),
            }
        };
        secure(response.headers_mut(), self.shared.secure());
        if response.headers().contains_key(SET_COOKIE) {
            // hyper keeps the head of its last answer for as long as the connection stays.
            response = closing(response);
        }
        flow.answers();
        // The session was looked up on this stack.
        scrub_stack();
        Ok(response)
    }

    /// Counts the memory of an answer until it is taken. Files of the page are there once for everybody.
    fn counted(&self, answer: Response<Body>, whose: Option<IpAddr>, flow: &Flow) -> Response<Body> {
        // One that is made piece by piece counts for itself.
        let Some(bytes) = answer.body().size_hint().exact().filter(|_| !answer.headers().contains_key(ETAG))
        else {
            return answer;
        };
        match self.shared.answers.take(whose, usize::try_from(bytes).unwrap_or(usize::MAX)) {
            Some(memory) => {
                flow.keep(memory);
                answer
            }
            None => busy(),
        }
    }
}

/// Whether the body is longer than any that is taken.
fn is_too_long(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > BODY_BYTES as u64)
}

fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
