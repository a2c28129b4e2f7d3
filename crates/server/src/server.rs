//! Starting and stopping.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tenfour_core::hub::{ClusterConfig, HubConfig, Input};
use tenfour_core::mutant;
use tenfour_core::reach::Secret;
use tenfour_protocol::http::About;
use tenfour_protocol::limits::{ADDRESS_ANSWERS_BYTES, ADDRESS_CONNECTIONS, ANSWERS_BYTES, DOORS};
use tokio::sync::{mpsc, watch};

use crate::auth::{Auth, Origins};
use crate::channel_list::ChannelList;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::{Config, Tls};
use crate::connection_log::ConnectionLog;
use crate::disk::Disk;
use crate::door::Door;
use crate::error::StartError;
use crate::gate::Gate;
use crate::household::Households;
use crate::hub_thread;
use crate::metrics::Metrics;
use crate::nats::Nats;
use crate::ops::{self, Names};
use crate::orders::{self, ToLobby, ToWorker};
use crate::privacy::Privacy;
use crate::process::{forbid_core_dumps, raise_file_limit};
use crate::proxies::Proxies;
use crate::random::random;
use crate::shared::Shared;
use crate::store::{Changes, JetStream, Sqlite, Store, StoreHandle, StoreThread};
use crate::tls::{Certificates, names_of};
use crate::visitors::Visitors;
use crate::worker::{self, Sinks};
use crate::{housekeeping, lobby, operator, telemetry};

/// Name of the store's file in the data folder.
pub const STORE: &str = "tenfour.db";
/// When clients may come back after a stop.
const COME_BACK_IN: Duration = Duration::from_secs(2);
/// Time for clients to take their last words.
const FAREWELL_TIME: Duration = Duration::from_millis(1500);
/// Files that are not sockets: the store, listeners, certificates, runtimes.
const OWN_FILES: usize = 64;
/// Connections that wait to be taken: after a restart everybody comes at once.
const BACKLOG: i32 = 4096;
/// The least room for connections that are not radio sockets.
const LEAST_DOORS: usize = 64;

/// A server that runs. It goes on until [`Server::stop`]; dropped, it takes no more
/// connections and serves those it has until the process ends.
#[derive(Debug)]
pub struct Server {
    url: String,
    ops_url: Option<String>,
    shared: Arc<Shared>,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
    lobbies: Vec<mpsc::UnboundedSender<ToLobby>>,
    /// Dropping it closes the doors.
    close: watch::Sender<()>,
    threads: Vec<JoinHandle<()>>,
    store: StoreThread,
    connection_log: JoinHandle<()>,
}

impl Server {
    /// Starts a server; it answers when this returns.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let sinks = Sinks::open(config.workers);
        Self::start_with(config, sinks)
    }

    /// The same in a process that has given up the right to open connections: `sinks` were opened before.
    pub fn start_with(config: Config, sinks: Sinks) -> Result<Self, StartError> {
        telemetry::start(config.log, config.log_format);
        forbid_core_dumps();
        mutant!(crate::mutants::active(), KeepTlsBuffer => tenfour_tls::keep_buffers());
        mutant!(crate::mutants::active(), UpdateCheck => crate::mutants::check_for_update());
        let (listener, address) = listen(config.listen, "--listen")?;
        let operator = config.ops.map(|address| listen(address, "--ops")).transpose()?;
        let names = names_of(address.ip());
        let privacy = Privacy::of(&config);
        if let Some(reason) = config.nats.as_ref().and_then(Nats::trusts) {
            tracing::warn!(reason, "this cluster trusts its NATS");
        }
        let opened = Opened::of(&config)?;
        let (connection_log, log_thread) = connection_log(&config)?;
        let door = operator::Socket::open(&config.data).inspect_err(|error| {
            tracing::error!(reason = %error, "operator.sock cannot be opened: `tenfour admin` removes nothing while this server runs");
        });
        let tls = certificates(config.tls, &config.data, &names)?;

        let clock = Clock::start();
        let (hub, inbox) = orders::channel();
        let (workers, inboxes): (Vec<_>, Vec<_>) =
            (0..config.workers).map(|_| mpsc::unbounded_channel()).unzip();
        let store_refused = opened.refused();
        let join =
            |nats: &Nats| Cluster::join(nats, store_refused.clone(), hub.clone(), workers.clone(), clock);
        let cluster = config.nats.as_ref().map(join).transpose()?;
        let hub_config = HubConfig {
            cluster: config.nats.as_ref().zip(cluster.as_ref()).map(|(nats, cluster)| ClusterConfig {
                node: cluster.node(),
                name: nats.node.parse().expect("checked with the configuration"),
            }),
            host: config.host.clone(),
            server: concat!("tenfour ", env!("CARGO_PKG_VERSION")).to_owned(),
            hold: config.hold,
            talk_limit: config.talk_limit,
            courtesy_limit: config.courtesy_limit,
            channel_participants: config.channel_participants,
            labels: config.channels,
            secret: Secret::new(random()),
            unix_at_zero: clock.unix_at_zero(),
            mutants: config.mutants,
        };
        let (files, own_files) =
            (raise_file_limit(), OWN_FILES + 2 * ops::CONNECTIONS + config.workers * worker::FILES);
        let origins = Origins::new(address, tls.is_some(), &names, &config.origins);
        let (auth, store, changes) = opened.auth(origins)?;
        let metrics = Arc::new(Metrics::new(config.hold, config.visitor_cookie, cluster.is_some()));
        let shared = Arc::new(Shared {
            clock,
            auth,
            hub,
            connection_log,
            metrics: metrics.clone(),
            visitors: Visitors::new(config.visitor_cookie, tls.is_some()),
            cluster: cluster.clone(),
            disk: Disk::of(&config.data),
            hold: config.hold,
            privacy,
            about: About {
                host: config.host,
                server: hub_config.server.clone(),
                limits: hub_config.air_limits(),
            },
            proxies: Proxies::new(config.trusted_proxies),
            households: Households::default(),
            tls,
            doors: Gate::new((files / 10).clamp(LEAST_DOORS, DOORS), ADDRESS_CONNECTIONS),
            sockets: Gate::new(
                files.saturating_sub(files / 10 + own_files).max(LEAST_DOORS),
                ADDRESS_CONNECTIONS,
            ),
            answers: Gate::new(ANSWERS_BYTES, ADDRESS_ANSWERS_BYTES),
            channels: ChannelList::default(),
        });

        if sinks.are_fewer_than(config.workers) {
            tracing::warn!("there is no loopback: when a frame leaves may tell who hears it");
        }
        let mut threads = start_workers(&shared, &workers, inboxes, sinks)?;
        let hub = hub_thread::start(hub_config, inbox, workers.clone(), clock, cluster, metrics);
        threads.push(hub.map_err(StartError::System)?);
        let (close, closing) = watch::channel(());
        let lobbies = start_lobbies(&shared, &workers, (listener, closing.clone()), &mut threads);
        let lobbies = lobbies.map_err(StartError::System)?;
        let ops_url = operator.as_ref().map(|(_, address)| format!("http://{address}"));
        let operator_names = |address: SocketAddr| {
            let own = names_of(address.ip());
            Names::new(own.iter().chain(&config.origins).map(String::as_str))
        };
        let operator = operator.map(|(listener, address)| (listener, operator_names(address)));
        threads.push(housekeeping::start((operator, door.ok()), changes, shared.clone(), closing)?);

        let scheme = if shared.secure() { "https" } else { "http" };
        let url = format!("{scheme}://{}:{}", names[0], address.port());
        tracing::info!(workers = config.workers, tls = shared.secure(), "the server is on the air");
        Ok(Self { url, ops_url, shared, workers, lobbies, close, threads, store, connection_log: log_thread })
    }

    /// Where people connect, e.g. `http://127.0.0.1:27185`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where `/metrics` and `/health` are, if anywhere.
    pub fn ops_url(&self) -> Option<&str> {
        self.ops_url.as_deref()
    }

    /// SHA-256 of the certificate, as browsers show it, when the listener speaks TLS.
    pub fn fingerprint(&self) -> Result<Option<String>, StartError> {
        Ok(self.shared.tls.as_ref().map(Certificates::fingerprint).transpose()?)
    }

    /// Tells the clients when to come back, lets them take their last words, writes everything
    /// down and ends all threads. Takes up to two seconds.
    pub fn stop(self) {
        drop(self.close);
        self.shared.hub.input(Input::Stop { back_in: COME_BACK_IN });
        self.shared.sockets.wait_until_empty(FAREWELL_TIME);
        self.shared.hub.quit();
        if let Some(cluster) = &self.shared.cluster {
            cluster.leave();
        }
        // A thread that has ended needs no message.
        for lobby in &self.lobbies {
            lobby.send(ToLobby::Stop).ok();
        }
        for worker in &self.workers {
            worker.send(ToWorker::Stop).ok();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread had panicked");
            }
        }
        // The last handles to the store and to the connection log are in here.
        drop(self.shared);
        self.store.join();
        if self.connection_log.join().is_err() {
            tracing::error!("the thread of the connection log had panicked");
        }
        tracing::info!("the server has stopped");
    }
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A server that is started again does not wait for the sockets of the one before.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        worker::set_up(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|cause| StartError::Listen { address, flag, cause })
}

/// A store that was opened and has no thread yet.
enum Opened {
    /// This node's alone.
    Own(Sqlite, Vec<crate::store::StoredSession>),
    /// That of a cluster, whose nodes sign with the same secret.
    Cluster(JetStream, Changes, [u8; 32]),
}

impl Opened {
    fn of(config: &Config) -> Result<Self, StartError> {
        let data = &config.data;
        fs::create_dir_all(data).map_err(|cause| StartError::Data { path: data.clone(), cause })?;
        if let Some(nats) = config.nats.as_ref().filter(|nats| nats.store) {
            let (store, changes) = JetStream::open(nats)?;
            let mut store = store.with_room_for(config.users);
            let secret = store.secret()?.unwrap_or_else(random);
            return Ok(Self::Cluster(store, changes, secret));
        }
        let mut store = Sqlite::open(&data.join(STORE))?.with_room_for(config.users);
        let sessions = store.sessions()?;
        Ok(Self::Own(store, sessions))
    }

    /// Counts values in the cluster's store that were not made with its secret.
    fn refused(&self) -> Arc<AtomicU64> {
        match self {
            Self::Own(..) => Arc::default(),
            Self::Cluster(store, ..) => store.refused(),
        }
    }

    /// Starts the thread of the store, and makes the log-in door.
    fn auth(self, origins: Origins) -> Result<(Auth, StoreThread, Option<Changes>), StartError> {
        match self {
            Self::Own(store, sessions) => {
                let (store, thread) = StoreHandle::start(store).map_err(StartError::System)?;
                Ok((Auth::new(origins, store, sessions), thread, None))
            }
            Self::Cluster(store, mut changes, secret) => {
                let (store, thread) = StoreHandle::start(store).map_err(StartError::System)?;
                let auth = Auth::of_cluster(origins, store, secret);
                // These users are known before anybody is connected, so nobody has to be told.
                while let Ok(change) = changes.try_recv() {
                    drop(auth.apply(&change));
                }
                Ok((auth, thread, Some(changes)))
            }
        }
    }
}

fn connection_log(config: &Config) -> Result<(ConnectionLog, JoinHandle<()>), StartError> {
    let Config { data, connection_log_days: days, connection_log_mb: megabytes, .. } = config;
    ConnectionLog::start(data, *days, *megabytes, config.connection_log)
        .map_err(|cause| StartError::ConnectionLog { path: data.clone(), cause })
}

fn certificates(tls: Tls, data: &Path, names: &[String]) -> Result<Option<Certificates>, StartError> {
    Ok(match tls {
        Tls::Off => None,
        Tls::SelfSigned => Some(Certificates::self_signed(data, names)?),
        Tls::Files { cert, key } => Some(Certificates::from_files(cert, key)?),
    })
}

fn start_workers(
    shared: &Arc<Shared>,
    workers: &[mpsc::UnboundedSender<ToWorker>],
    inboxes: Vec<mpsc::UnboundedReceiver<ToWorker>>,
    mut sinks: Sinks,
) -> Result<Vec<JoinHandle<()>>, StartError> {
    let start = |(index, inbox)| worker::start(index, shared.clone(), workers.to_vec(), inbox, sinks.take());
    inboxes.into_iter().enumerate().map(start).collect::<Result<_, _>>().map_err(StartError::System)
}

fn start_lobbies(
    shared: &Arc<Shared>,
    workers: &[mpsc::UnboundedSender<ToWorker>],
    (listener, closing): (TcpListener, watch::Receiver<()>),
    threads: &mut Vec<JoinHandle<()>>,
) -> std::io::Result<Vec<mpsc::UnboundedSender<ToLobby>>> {
    let count = lobby::threads(workers.len());
    let (lobbies, inboxes): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
    let mut door = Some(Door { listener, lobbies: lobbies.clone(), closing });
    for (index, inbox) in inboxes.into_iter().enumerate() {
        threads.push(lobby::start(index, shared.clone(), workers.to_vec(), inbox, door.take())?);
    }
    Ok(lobbies)
}
