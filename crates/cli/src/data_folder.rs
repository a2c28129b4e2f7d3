//! Where a server keeps what it knows, for the operator's commands.

use std::path::PathBuf;

use tenfour_server::config::{Config, Settings};
use tenfour_server::nats::NatsAddress;
use tenfour_server::store::JetStream;

use crate::exit::Failure;

/// Where the store is.
#[derive(Debug, clap::Args)]
pub(crate) struct DataFolder {
    /// Folder of the store and of the connection log [default: the platform's data folder]
    #[arg(long, value_name = "DIR", env = "TENFOUR_DATA")]
    data: Option<PathBuf>,
    /// Servers of NATS, when users are kept there for several nodes
    #[arg(long, value_name = "URL", value_delimiter = ',', env = "TENFOUR_NATS")]
    nats: Option<Vec<NatsAddress>>,
    /// Who we are for NATS
    #[arg(long, value_name = "FILE", env = "TENFOUR_NATS_CREDS", requires = "nats")]
    nats_creds: Option<PathBuf>,
    /// What nodes of the cluster know and NATS does not
    #[arg(long, value_name = "FILE", env = "TENFOUR_CLUSTER_SECRET_FILE", requires = "nats")]
    cluster_secret: Option<PathBuf>,
    /// Trusts a NATS elsewhere that has no TLS or takes anybody
    #[arg(long, env = "TENFOUR_NATS_OPEN", requires = "nats")]
    nats_open: bool,
    /// First word of the cluster's subjects [default: tenfour]
    #[arg(long, value_name = "WORD", env = "TENFOUR_NATS_PREFIX", requires = "nats")]
    nats_prefix: Option<String>,
}

impl DataFolder {
    /// The data folder, and the store of the cluster if there is one.
    pub(crate) fn find(self) -> Result<(PathBuf, Option<JetStream>), Failure> {
        let settings = Settings {
            data: self.data,
            node: self.nats.as_ref().map(|_| "admin".to_owned()),
            nats: self.nats,
            nats_creds: self.nats_creds,
            cluster_secret_file: self.cluster_secret,
            nats_open: self.nats_open.then_some(true),
            nats_prefix: self.nats_prefix,
            ..Settings::default()
        };
        let config = Config::new(settings).map_err(|error| Failure::WrongUse(error.to_string()))?;
        let shared = config.nats.as_ref().map(JetStream::open).transpose();
        let shared = shared.map_err(|error| Failure::Failed(error.to_string()))?;
        Ok((config.data, shared.map(|(store, _)| store)))
    }
}
