//! A thread for what nobody waits for: certificates that change, addresses to forget and the users of a cluster. The
//! operator's listener and socket are here too, so that they answer when the other threads are busy.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::StartError;
use crate::follow::{erase_who_is_gone, follow};
use crate::operator::Socket;
use crate::ops::{self, Names};
use crate::shared::Shared;
use crate::store::Changes;

/// How often this thread forgets addresses that have all of their budget again.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);
/// A look at the certificate files this often.
const CERTIFICATES: Duration = Duration::from_secs(2);

/// Starts its thread, which ends when the other end of `closing` is dropped.
pub(crate) fn start(
    (operator, door): (Option<(TcpListener, Names)>, Option<Socket>),
    changes: Option<Changes>,
    shared: Arc<Shared>,
    mut closing: watch::Receiver<()>,
) -> Result<JoinHandle<()>, StartError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::System)?;
    let operator = {
        let _inside = runtime.enter();
        let under = |(listener, names)| Ok((tokio::net::TcpListener::from_std(listener)?, names));
        operator.map(under).transpose().map_err(StartError::System)?
    };
    let run = move || {
        runtime.block_on(async {
            tokio::spawn(watch_certificates(shared.clone()));
            tokio::spawn(forget_addresses(shared.clone()));
            let visited = shared.clone();
            tokio::spawn(async move { visited.visitors.forget_at_midnight().await });
            if let Some(changes) = changes {
                tokio::spawn(follow(changes, shared.clone()));
                tokio::spawn(erase_who_is_gone(shared.clone()));
            }
            tokio::spawn(answer_nodes(shared.clone()));
            if let Some(door) = door {
                tokio::spawn(door.serve(shared.clone()));
            }
            if let Some((listener, names)) = operator {
                tokio::spawn(ops::serve(listener, names, shared));
            }
            closing.changed().await.ok();
        });
    };
    std::thread::Builder::new().name("tenfour-house".into()).spawn(run).map_err(StartError::System)
}

/// Tells other nodes what the connection log has of a user.
async fn answer_nodes(shared: Arc<Shared>) {
    if let Some(cluster) = &shared.cluster {
        cluster.questions().answer(cluster, &shared.connection_log).await;
    }
}

/// Forgets addresses that have asked for nothing for long, also when nobody connects.
async fn forget_addresses(shared: Arc<Shared>) {
    let mut ticks = interval(FORGET_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.auth.forget_addresses();
    }
}

/// Reads certificates again when their files change.
async fn watch_certificates(shared: Arc<Shared>) {
    let Some(certificates) = &shared.tls else { return };
    let mut ticks = interval(CERTIFICATES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        certificates.refresh();
    }
}
