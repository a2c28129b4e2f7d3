//! The public listener: takes connections and hands them to the lobby.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::http::{full, in_bytes};
use crate::lobby::ToLobby;
use crate::shared::Shared;

/// How often the door looks which addresses it can forget.
const FORGETTING: Duration = Duration::from_secs(60);
/// A look at the certificate files this often.
const CERTIFICATES: Duration = Duration::from_secs(2);
/// When the system has no more sockets, waiting for one to end helps; trying at once does not.
const BREATH: Duration = Duration::from_millis(50);

/// Takes connections until the task is dropped.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    lobbies: Vec<mpsc::UnboundedSender<ToLobby>>,
) {
    // Made once: it costs no reading.
    let full = in_bytes("503 Service Unavailable", full(), false);
    for lobby in lobbies.iter().cycle() {
        let (socket, peer) = next(&listener).await;
        match shared.doors.take(shared.proxies.counted(peer.ip()), 1) {
            Some(place) => {
                // A thread that has ended: the server stops.
                lobby.send(ToLobby::Visitor(socket, peer, place)).ok();
            }
            None if shared.secure() => {} // Words would have to wait for a handshake.
            None => turn_away(socket, &full).await,
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
async fn turn_away(socket: TcpStream, why: &[u8]) {
    if let Ok(mut socket) = tokio::net::TcpStream::from_std(socket) {
        timeout(BREATH, socket.write_all(why)).await.ok();
    }
}

/// Lets go of addresses that have asked for nothing for long, also when nobody comes.
pub(crate) async fn forget_addresses(shared: Arc<Shared>) {
    let mut ticks = interval(FORGETTING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.auth.forget_addresses();
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
