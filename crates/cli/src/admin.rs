//! `tenfour admin`: for the operator, in the data folder.

use std::path::PathBuf;
use std::process::ExitCode;

use tenfour_protocol::UserId;
use tenfour_server::config::{Config, Settings};
use tenfour_server::nats::NatsAddress;
use tenfour_server::store::JetStream;
use tenfour_server::{SubjectError, subject, subject_in};

use crate::exit::{self, Failure};
use crate::inbox::Inbox;

/// For the operator of a server. Works on the data folder; the server may be running or not.
#[derive(Debug, clap::Args)]
pub(crate) struct Admin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prints everything that is stored of a user: all that you could hand over to anybody
    Subject(Subject),
    /// Lists what people wrote to you, the newest last
    Inbox(Inbox),
}

#[derive(Debug, clap::Args)]
struct Subject {
    /// The identifier of the user: 32 characters
    #[arg(value_name = "ID")]
    user: UserId,
    #[command(flatten)]
    place: Place,
}

/// Where the store is.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
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

impl Place {
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

impl Admin {
    pub(crate) fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Subject(subject) => subject.print(),
            Command::Inbox(inbox) => inbox.open(),
        };
        exit::run(std::future::ready(done))
    }
}

impl Subject {
    fn print(self) -> Result<(), Failure> {
        let (data, shared) = self.place.find()?;
        let held = match shared {
            Some(mut store) => subject_in(&mut store, &data, &self.user),
            None => subject(&data, &self.user),
        };
        let held = held.map_err(|error| match error {
            SubjectError::NoStore(_) => Failure::Failed(format!("{error}.")),
            SubjectError::Store(_) | SubjectError::Log(_) => Failure::Failed(error.to_string()),
        })?;
        let Some(held) = held else {
            let words = format!("Nothing is stored of {} in {}.", self.user, data.display());
            return Err(Failure::Failed(words));
        };
        let text = serde_json::to_string_pretty(&held).map_err(|error| Failure::Failed(error.to_string()))?;
        show!("{text}");
        Ok(())
    }
}
