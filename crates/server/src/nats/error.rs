//! What can be wrong with NATS. Each says what to do.

use thiserror::Error;

/// What is wrong with NATS.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NatsError {
    /// No server answers.
    #[error(
        "NATS at {servers} cannot be reached ({reason}): start it, or name where it is with --nats nats://host:4222"
    )]
    Unreachable {
        /// Which were tried.
        servers: String,
        /// What the last one said.
        reason: String,
    },
    /// It does not let us in.
    #[error(
        "NATS at {servers} refuses these credentials ({reason}): name the right file with --nats-creds FILE, or give the user its rights"
    )]
    Credentials {
        /// Which server.
        servers: String,
        /// Its words.
        reason: String,
    },
    /// The file of credentials is not one.
    #[error(
        "{path} has no credentials ({reason}): it is a .creds file of NATS, or one line like user:password"
    )]
    File {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The file of the cluster's secret is not one.
    #[error(
        "{path} has no secret of a cluster ({reason}): make one with `openssl rand -hex 32`, give it to every node, and let nobody else read it (chmod 640)"
    )]
    Secret {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// TLS cannot be had.
    #[error(
        "TLS with NATS at {servers} fails ({reason}): its certificate has to be one that this system trusts"
    )]
    Tls {
        /// Which server.
        servers: String,
        /// Why.
        reason: String,
    },
    /// Made before what is needed.
    #[error("NATS at {servers} is version {version}: use 2.9 or newer")]
    TooOld {
        /// Which server.
        servers: String,
        /// What it says it is.
        version: String,
    },
    /// Users cannot be kept there.
    #[error(
        "NATS at {servers} has no JetStream ({reason}), which keeps users for all nodes: turn it on (jetstream {{ store_dir: ... }} in its \
         configuration). Without it voice and presence still cross nodes: set nats_store = false, and each node keeps users of its own"
    )]
    NoJetStream {
        /// Which server.
        servers: String,
        /// Why we think so.
        reason: String,
    },
    /// JetStream refuses what it is asked.
    #[error("JetStream refuses ({code}): {reason}")]
    JetStream {
        /// Its number for it.
        code: u64,
        /// Its words.
        reason: String,
    },
    /// No answer in time, or the connection is gone.
    #[error("NATS does not answer; it is asked again when it is back")]
    Silent,
}
