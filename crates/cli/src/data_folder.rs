//! What a server knows, for the operator's commands. If the server runs, it is asked; otherwise its store is read.

use std::path::PathBuf;

use tenfour_protocol::UserId;
use tenfour_protocol::http::Held;
use tenfour_server::config::{Config, Settings};
use tenfour_server::nats::NatsAddress;
use tenfour_server::operator::{OperatorError, Running};
use tenfour_server::store::{JetStream, Letter, Store, StoreError, letters_in, read_inbox, remove_messages};
use tenfour_server::{SubjectError, store_in, subject, subject_in};

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
    /// Finds out who can be asked.
    pub(crate) fn find(self) -> Result<Source, Failure> {
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
        let Config { data, nats, .. } =
            Config::new(settings).map_err(|error| Failure::WrongUse(error.to_string()))?;
        let kept = if let Some(server) = Running::on(&data)? {
            Kept::Server(server)
        } else if let Some(nats) = &nats {
            Kept::Cluster(Box::new(JetStream::open(nats)?.0))
        } else {
            Kept::File
        };
        Ok(Source { data, kept })
    }
}

/// Who is asked.
pub(crate) struct Source {
    pub(crate) data: PathBuf,
    kept: Kept,
}

enum Kept {
    /// A server runs on the data folder.
    Server(Running),
    /// None does: the store of its cluster.
    Cluster(Box<JetStream>),
    /// The same, and the store is in the folder.
    File,
}

impl Source {
    /// All that is stored of a user; nothing when the user is not known.
    pub(crate) fn subject(&mut self, user: &UserId) -> Result<Option<Held>, Failure> {
        Ok(match &mut self.kept {
            Kept::Server(server) => server.subject(user)?,
            Kept::Cluster(store) => subject_in(&mut **store, &self.data, user)?,
            Kept::File => subject(&self.data, user)?,
        })
    }

    /// What people wrote to the operator, the newest last.
    pub(crate) fn letters(&mut self) -> Result<Vec<Letter>, Failure> {
        Ok(match &mut self.kept {
            Kept::Server(server) => server.letters()?,
            Kept::Cluster(store) => letters_in(&mut **store)?,
            Kept::File => read_inbox(&store_in(&self.data)?)?,
        })
    }

    /// Removes messages for good.
    pub(crate) fn remove(&mut self, ids: &[u32]) -> Result<(), Failure> {
        match &mut self.kept {
            Kept::Server(server) => Ok(server.remove(ids)?),
            Kept::Cluster(store) => Ok(store.remove_messages(ids)?),
            Kept::File => match remove_messages(&store_in(&self.data)?, ids) {
                Err(StoreError::Locked { .. }) => Err(Failure::Failed(format!(
                    "A server runs in {} and cannot be asked: its log says why. Nothing was removed; stop it first, or \
                     try again in a moment.",
                    self.data.display()
                ))),
                removed => Ok(removed?),
            },
        }
    }
}

impl From<OperatorError> for Failure {
    fn from(error: OperatorError) -> Self {
        Self::Failed(format!("{error}."))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        Self::Failed(match error {
            SubjectError::NoStore(_) => format!("{error}."),
            SubjectError::Store(_) | SubjectError::Log(_) => error.to_string(),
        })
    }
}
