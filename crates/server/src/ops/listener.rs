//! How the operator's listener takes connections: few, for a short time, and only if they ask by its name.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tenfour_protocol::limits::HEADER_BYTES;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::gate::Gate;

/// Connections at once. They do not count for the public listener.
pub(crate) const CONNECTIONS: usize = 16;
/// How long to wait when the system has no more sockets: one may end.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Where connections of the operator come from.
pub(crate) trait Accept: Send + Sync {
    /// One of them.
    type Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    /// The next one.
    fn next(&self) -> impl Future<Output = io::Result<Self::Socket>> + Send;
}

impl Accept for TcpListener {
    type Socket = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        self.accept().await.map(|(socket, _)| socket)
    }
}

/// Serves until the task is dropped. A question and its answer have so much time.
pub(crate) async fn serve(listener: impl Accept, router: Router, time: Duration) {
    let places = Gate::new(CONNECTIONS, CONNECTIONS);
    loop {
        let (socket, place) = match listener.next().await {
            Ok(socket) => match places.take(None, 1) {
                Some(place) => (socket, place),
                // Connections are short, so there is room again soon.
                None => continue,
            },
            Err(error) => {
                tracing::warn!(reason = %error, "a connection to the operator's listener could not be taken");
                sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _place = place;
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .max_buf_size(HEADER_BYTES)
                .serve_connection(TokioIo::new(socket), service);
            // A connection that broke is no loss: the client asks again.
            drop(timeout(time, served).await);
        });
    }
}

/// The names by which the listener may be asked, in small letters and without ports, beside every address. They stop
/// DNS rebinding: a foreign page whose name leads here asks by its own name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// Of names as they stand in URLs, and of origins.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let bare = |name: &'a str| {
            let host = name.split_once("://").map_or(name, |(_, host)| host);
            without_port(host).to_ascii_lowercase()
        };
        Self(names.into_iter().map(bare).chain(["localhost".to_owned()]).collect())
    }

    fn has(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).into_iter();
        // Browsers always say it.
        let Some(host) = hosts.next() else { return true };
        let Some(host) = host.to_str().ok().filter(|_| hosts.next().is_none()) else { return false };
        let host = without_port(host).to_ascii_lowercase();
        host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// Answers only requests by one of `names`.
pub(super) async fn by_name(names: Names, request: Request, next: Next) -> Response {
    if names.has(request.headers()) {
        return next.run(request).await;
    }
    let words = "Not asked by a name of this server. Ask by its address, or add the name to `origins`.\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_name_and_so_are_our_own() {
        let names = Names::new(["[::1]", "box.local", "https://radio.example:8443"]);
        let has = |host: &str| names.has(&HeaderMap::from_iter([(HOST, host.parse().unwrap())]));
        for own in [
            "127.0.0.1:27186",
            "192.0.2.7",
            "[::1]:27186",
            "[2001:db8::1]",
            "localhost:27186",
            "LocalHost",
            "box.local:1",
            "radio.example",
            "radio.example:27186",
        ] {
            assert!(has(own), "{own}");
        }
        for foreign in
            ["evil.example", "evil.example:27186", "127.0.0.1.evil.example", "", "box", "xlocalhost"]
        {
            assert!(!has(foreign), "{foreign}");
        }
        assert!(names.has(&HeaderMap::new()), "a program of the first HTTP");
        let twice = [(HOST, "localhost".parse().unwrap()), (HOST, "evil.example".parse().unwrap())];
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value);
        }
        assert!(!names.has(&headers));
    }
}
