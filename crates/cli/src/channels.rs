//! `tenfour channels`: the channels of a server.

use std::process::ExitCode;

use crate::account::close;
use crate::exit::{self, Failure};
use crate::station::Station;

/// Lists the channels, with how many people are tuned.
#[derive(Debug, clap::Args)]
pub(crate) struct Channels {
    #[command(flatten)]
    station: Station,
    /// One JSON object a line for each channel
    #[arg(long)]
    json: bool,
}

impl Channels {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.list())
    }

    async fn list(self) -> Result<(), Failure> {
        let login = self.station.log_in().await?;
        let list = login.session.channels(&login.server).await;
        close(&login.server, login.session).await;
        let list = list?;
        if !self.json {
            show!("{}", list.host);
        }
        for info in list.channels {
            if self.json {
                show!(
                    "{}",
                    serde_json::to_string(&info).map_err(|error| Failure::Failed(error.to_string()))?
                );
            } else {
                let label = info.label.unwrap_or_default();
                let people = match info.count {
                    0 => String::new(),
                    1 => "1 person".into(),
                    n => format!("{n} people"),
                };
                show!("{}", format!("{:>4}  {label:<16}  {people}", info.channel.to_string()).trim_end());
            }
        }
        Ok(())
    }
}
