//! What all threads of a server share.

use std::sync::Arc;
use std::time::Duration;

use tenfour_protocol::http::About;

use crate::auth::Auth;
use crate::channel_list::ChannelList;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::connection_log::ConnectionLog;
use crate::disk::Disk;
use crate::gate::Gate;
use crate::household::Households;
use crate::metrics::Metrics;
use crate::orders::HubHandle;
use crate::privacy::Privacy;
use crate::proxies::Proxies;
use crate::tls::Certificates;
use crate::visitors::Visitors;

/// Shared by reference; nothing in it is locked for a voice frame.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) auth: Auth,
    pub(crate) hub: HubHandle,
    pub(crate) connection_log: ConnectionLog,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) visitors: Visitors,
    /// The other nodes, if there are any.
    pub(crate) cluster: Option<Cluster>,
    /// Where the data folder is.
    pub(crate) disk: Disk,
    pub(crate) hold: Duration,
    /// What anybody is told who asks what this is.
    pub(crate) about: About,
    /// The page `/privacy`.
    pub(crate) privacy: Privacy,
    pub(crate) proxies: Proxies,
    pub(crate) households: Households,
    /// Present when the listener speaks TLS.
    pub(crate) tls: Option<Certificates>,
    /// Connections that are not radio sockets.
    pub(crate) doors: Gate,
    /// Radio sockets.
    pub(crate) sockets: Gate,
    /// Bytes of answers that wait for who asked.
    pub(crate) answers: Gate,
    /// The list of channels.
    pub(crate) channels: ChannelList,
}

impl Shared {
    /// True when the listener speaks TLS.
    pub(crate) fn secure(&self) -> bool {
        self.tls.is_some()
    }
}
