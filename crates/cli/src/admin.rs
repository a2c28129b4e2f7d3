//! `tenfour admin`: for the operator, in the data folder.

use std::process::ExitCode;

use tenfour_protocol::UserId;

use crate::data_folder::DataFolder;
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
    folder: DataFolder,
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
        let mut source = self.folder.find()?;
        let held = source.subject(&self.user)?;
        let Some(held) = held else {
            let words = format!("Nothing is stored of {} in {}.", self.user, source.data.display());
            return Err(Failure::Failed(words));
        };
        let text = serde_json::to_string_pretty(&held).map_err(|error| Failure::Failed(error.to_string()))?;
        show!("{text}");
        Ok(())
    }
}
