//! The public listener: takes connections and hands them to the workers in turn.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::shared::Shared;
use crate::worker::ToWorker;

/// A look at the certificate files this often.
const CERTIFICATES: Duration = Duration::from_secs(2);
/// When the system has no more sockets, waiting for one to end helps; trying at once does not.
const BREATH: Duration = Duration::from_millis(50);

/// The answer when there is no room for more, written once: it costs no parsing.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 5\r\nconnection: close\r\n\
    content-length: 150\r\n\r\n\
    {\"type\":\"urn:tenfour:error:server_full\",\"status\":503,\"title\":\"The server is full.\",\
    \"detail\":\"Come back in a while.\",\"code\":\"server_full\"}              ";

/// Takes connections until the task is dropped.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
) {
    for worker in workers.iter().cycle() {
        let (socket, peer) = next(&listener).await;
        match shared.doors.enter() {
            Some(permit) => {
                // A worker that has ended: the server stops.
                worker.send(ToWorker::Socket(socket, peer, permit)).ok();
            }
            None => turn_away(socket).await,
        }
    }
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await.and_then(|(socket, peer)| Ok((socket.into_std()?, peer))) {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(reason = %error, "a connection could not be taken");
                sleep(BREATH).await;
            }
        }
    }
}

/// One try to say why.
async fn turn_away(socket: TcpStream) {
    if let Ok(mut socket) = tokio::net::TcpStream::from_std(socket) {
        timeout(BREATH, socket.write_all(FULL)).await.ok();
    }
}

/// Reads certificates again when their files change.
pub(crate) async fn watch_certificates(shared: Arc<Shared>) {
    let Some(certificates) = &shared.tls else { return };
    let mut ticks = interval(CERTIFICATES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        certificates.refresh();
    }
}
