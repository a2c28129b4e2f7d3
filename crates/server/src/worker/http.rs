//! One TCP connection: TLS, then HTTP until it is a radio socket or over.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SET_COOKIE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::limits::{HANDSHAKE, HEADER_BYTES};
use tenfour_protocol::{Code, RADIO_PATH};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

use super::Worker;
use super::socket::{Stream, Tcp};
use crate::gate::Permit;
use crate::http::{Peer, problem, secure};

/// Time for one request, its body included.
const REQUEST: Duration = Duration::from_secs(10);

impl Worker {
    /// Serves a TCP connection in a task of its own.
    pub(super) fn serve(self: &Rc<Self>, socket: std::net::TcpStream, peer: SocketAddr, permit: Permit) {
        // The runtime keeps a record of each socket for a while after it was closed, and the task one for
        // as long as it is open, with gaps in them that have what lay on the stack.
        scrub_stack();
        self.begin(socket, peer, permit);
    }

    /// In a frame of its own, which is where the stack was overwritten: what is made here is made there.
    #[inline(never)]
    fn begin(self: &Rc<Self>, socket: std::net::TcpStream, peer: SocketAddr, permit: Permit) {
        match TcpStream::from_std(socket) {
            Ok(socket) => drop(tokio::task::spawn_local(self.clone().talk_http(socket, peer, permit))),
            Err(error) => tracing::warn!(reason = %error, "a connection was lost at the door"),
        }
    }

    async fn talk_http(self: Rc<Self>, socket: TcpStream, peer: SocketAddr, permit: Permit) {
        // Small messages that wait for others would be late voice.
        socket.set_nodelay(true).ok();
        let socket = Tcp::new(socket);
        let stream = match &self.shared.tls {
            None => Stream::Plain(socket),
            Some(certificates) => {
                match timeout(HANDSHAKE, tenfour_tls::accept(socket, certificates.current())).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    // A scanner, or somebody who does not like the certificate.
                    Ok(Err(_)) | Err(_) => return,
                }
            }
        };
        let service = service_fn(|request| self.clone().answer(request, peer));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE)
            // Also what hyper reads at once. With more, heads of requests and their tokens stay in its memory.
            .max_buf_size(HEADER_BYTES)
            // Who sends a request and then no more still gets the answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
        if let Err(error) = served {
            tracing::trace!(reason = %error, "an HTTP connection broke");
        }
        drop(permit);
    }

    async fn answer(
        self: Rc<Self>,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Infallible> {
        let client = self.shared.proxies.client(peer.ip(), request.headers());
        let mut response = if request.uri().path() == RADIO_PATH {
            self.upgrade(request, client).await
        } else {
            request.extensions_mut().insert(Peer(client));
            match timeout(REQUEST, self.router.clone().oneshot(request.map(Body::new))).await {
                Ok(response) => response?,
                Err(_) => problem(Code::TooManyRequests.into()),
            }
        };
        secure(response.headers_mut(), self.shared.secure());
        if response.headers().contains_key(SET_COOKIE) {
            // hyper keeps the head of its last answer for as long as the connection stays.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // Whoever asked was looked up on this stack.
        scrub_stack();
        Ok(response)
    }
}
