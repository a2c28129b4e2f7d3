//! The little of NATS that a node needs, with memory that is wiped.
//!
//! Messages between nodes have voice and cells of talkers; values of the store have people. A general client library
//! would keep all that in its buffers. So this one speaks the protocol itself and wipes its memory: [`wire`] reads
//! and writes it without a socket, [`Link`] is one connection that comes back by itself, [`Api`] asks JetStream and
//! waits.

mod address;
mod api;
mod credentials;
mod dial;
mod error;
mod link;
mod secret;
pub(crate) mod wire;

use std::path::PathBuf;

pub use address::{AddressError, NatsAddress};
pub(crate) use api::{ANSWERS, Api};

pub use error::NatsError;
pub(crate) use link::{Event, Link, Sid};
pub(crate) use secret::{ClusterSecret, derived, same};

/// Where the NATS of a cluster is, and who this node is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// Its servers; any of them will do.
    pub servers: Vec<NatsAddress>,
    /// A file that says who we are.
    pub creds: Option<PathBuf>,
    /// A file with what nodes know and NATS does not.
    pub secret: Option<PathBuf>,
    /// First word of every subject and name of the store: clusters of different words do not meet.
    pub prefix: String,
    /// Name of this node, one of a kind in its cluster.
    pub node: String,
    /// Whether users are kept in JetStream, for all nodes; otherwise each node has its own.
    pub store: bool,
}

impl Nats {
    /// The secret of the cluster.
    pub(crate) fn read_secret(&self) -> Result<ClusterSecret, NatsError> {
        ClusterSecret::of(self.secret.as_deref())
    }

    /// Why this cluster has to trust its NATS, in words for the operator; nothing when it does not.
    pub fn trusts(&self) -> Option<&'static str> {
        let is_far = self.servers.iter().any(|server| !server.is_here());
        let is_plain = self.servers.iter().any(|server| !server.is_here() && !server.tls);
        match (&self.secret, is_far && self.creds.is_none(), is_plain) {
            (None, ..) => Some(
                "whoever reaches NATS can log in as anybody and hear everybody: there is no cluster_secret_file",
            ),
            (Some(_), true, _) => Some("whoever reaches NATS can stop the radio: there are no nats_creds"),
            (Some(_), false, true) => Some(
                "whoever listens to the network of NATS knows who talks to it: its address has no tls://",
            ),
            (Some(_), false, false) => None,
        }
    }
}
