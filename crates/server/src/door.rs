//! The public listener: takes connections and hands them to the lobby.

use std::io::{self, Write as _};
use std::net::{self, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::http::{full, in_bytes};
use crate::orders::ToLobby;
use crate::shared::Shared;

/// How long to wait when the system has no more sockets: one may end.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// The public listener, and who serves those who come.
pub(crate) struct Door {
    pub(crate) listener: net::TcpListener,
    pub(crate) lobbies: Vec<mpsc::UnboundedSender<ToLobby>>,
    /// It closes when the other end is dropped.
    pub(crate) closing: watch::Receiver<()>,
}

impl Door {
    /// Takes connections until it is closed. It runs in the first thread of the lobby, so that with few cores no
    /// connection moves between threads.
    pub(crate) async fn stand(mut self, shared: Arc<Shared>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        tokio::select! {
            () = accept(listener, shared, self.lobbies) => {}
            _ = self.closing.changed() => {}
        }
        Ok(())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, lobbies: Vec<mpsc::UnboundedSender<ToLobby>>) {
    // Made once, so that refusing reads no file.
    let full = in_bytes("503 Service Unavailable", full(), false);
    for lobby in lobbies.iter().cycle() {
        let (socket, peer) = next(&listener).await;
        match shared.doors.take(shared.proxies.counted(peer.ip()), 1) {
            Some(place) => {
                // A thread that has ended: the server stops.
                lobby.send(ToLobby::Visitor(socket, peer, place)).ok();
            }
            None if shared.secure() => {} // Words would have to wait for a handshake.
            None => turn_away(socket, &full),
        }
    }
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await.and_then(|(socket, peer)| Ok((socket.into_std()?, peer))) {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(reason = %error, "a connection could not be taken");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Tries once to say why. If a socket that was just opened does not take it at once, nobody waits.
fn turn_away(mut socket: TcpStream, why: &[u8]) {
    socket.write_all(why).ok();
}
