//! `tenfour admin`: for the operator, in the data folder.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tenfour_protocol::UserId;
use tenfour_server::config::{Config, Settings};
use tenfour_server::{STORE, connection_log, store};

use crate::exit::{self, Failure};

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
}

#[derive(Debug, clap::Args)]
struct Subject {
    /// The identifier of the user: 32 characters
    #[arg(value_name = "ID")]
    user: UserId,
    /// Folder of the store [default: the platform's data folder]
    #[arg(long, value_name = "DIR", env = "TENFOUR_DATA")]
    data: Option<PathBuf>,
}

impl Admin {
    pub(crate) fn run(self) -> ExitCode {
        let Command::Subject(subject) = self.command;
        exit::run(std::future::ready(subject.print()))
    }
}

impl Subject {
    fn print(self) -> Result<(), Failure> {
        let settings = Settings { data: self.data, ..Settings::default() };
        let data = Config::new(settings).map_err(|error| Failure::WrongUse(error.to_string()))?.data;
        let path = data.join(STORE);
        if !path.exists() {
            let words = format!("There is no store in {}. Name its folder with --data DIR.", data.display());
            return Err(Failure::Failed(words));
        }
        let held = store::read_held(&path, &self.user).map_err(|error| Failure::Failed(error.to_string()))?;
        let Some(mut held) = held else {
            let words = format!("Nothing is stored of {} in {}.", self.user, data.display());
            return Err(Failure::Failed(words));
        };
        held.connections =
            connection_log::held_by(&data, &self.user).map_err(|error| Failure::Failed(error.to_string()))?;
        let text = serde_json::to_string_pretty(&held).map_err(|error| Failure::Failed(error.to_string()))?;
        writeln!(std::io::stdout(), "{text}")?;
        Ok(())
    }
}
