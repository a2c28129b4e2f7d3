//! `tenfour whoami`: who you are at a server.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use tenfour_protocol::{Description, Handle, Tag, UserId};

use crate::account::close;
use crate::exit::{self, Failure};
use crate::station::Station;

/// Shows your handle, tag and identifier.
#[derive(Debug, clap::Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    station: Station,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    handle: Handle,
    tag: Tag,
    user: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    server: String,
    key: PathBuf,
}

impl Whoami {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.show())
    }

    async fn show(self) -> Result<(), Failure> {
        let login = self.station.log_in().await?;
        let me = login.session.me.clone();
        close(&login.server, login.session).await;
        if self.json {
            let (server, key) = (login.server.origin().to_owned(), login.key);
            let line = Line {
                handle: me.handle,
                tag: me.tag,
                user: me.user,
                description: me.description,
                server,
                key,
            };
            show!("{}", serde_json::to_string(&line).map_err(|error| Failure::Failed(error.to_string()))?);
            return Ok(());
        }
        show!("{} ({})", me.handle, me.tag);
        if let Some(description) = me.description {
            show!("{description}");
        }
        show!("identifier  {}", me.user);
        show!("server      {}", login.server.origin());
        show!("key         {}", login.key.display());
        Ok(())
    }
}
