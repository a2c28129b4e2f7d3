//! Threads for connections that are not radio sockets: TLS handshakes, pages, the API, and the upgrade. An upgraded
//! socket is handed to a worker. No HTTP runs on the threads of voice, so no request delays a frame (docs/adr/0028).

mod flow;
mod http;
mod patient;
mod upgrade;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};

use crate::door::Door;
use crate::orders::{ToLobby, ToWorker};
use crate::shared::Shared;

/// Workers per thread of the lobby.
const WORKERS: usize = 4;
/// Where cores are short, a worker gets three times the time of a thread of these.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// How many threads serve beside so many workers.
pub(crate) fn threads(workers: usize) -> usize {
    workers.div_ceil(WORKERS)
}

/// Everything that the tasks of one thread share.
struct Lobby {
    shared: Arc<Shared>,
    router: axum::Router,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
    /// Who gets the next radio socket.
    next: Cell<usize>,
}

/// Starts thread `index`; one of them has the door.
pub(crate) fn start(
    index: usize,
    shared: Arc<Shared>,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
    mut inbox: mpsc::UnboundedReceiver<ToLobby>,
    door: Option<Door>,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("tenfour-http-{index}")).spawn(move || {
        // If the system refuses, they share a core as equals.
        #[cfg(target_os = "linux")]
        rustix::process::nice(NICE).ok();
        let router = crate::http::router(&shared);
        let lobby = Rc::new(Lobby { shared, router, workers, next: Cell::new(index) });
        LocalSet::new().block_on(&runtime, async {
            if let Some(door) = door {
                let shared = lobby.shared.clone();
                spawn_local(async move {
                    if let Err(error) = door.stand(shared).await {
                        tracing::error!(reason = %error, "nobody can come in");
                    }
                });
            }
            while let Some(ToLobby::Visitor(socket, peer, permit)) = inbox.recv().await {
                lobby.serve(socket, peer, permit);
            }
        });
    })
}

impl Lobby {
    /// The worker whose turn it is.
    fn worker(&self) -> &mpsc::UnboundedSender<ToWorker> {
        let next = self.next.get();
        self.next.set(next.wrapping_add(1));
        &self.workers[next % self.workers.len()]
    }
}
