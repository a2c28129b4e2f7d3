//! `tenfour profile`, `export`, `erase` and `logout`: what is yours at a server.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use tenfour_client::{Error, Identity, Server, Session, log_in_telling};
use tenfour_protocol::http;
use tenfour_protocol::{Code, Refusal};

use crate::exit::{self, Failure};
use crate::lines;
use crate::waiting::say;

/// A server, and a key that the server knows.
#[derive(Debug, clap::Args)]
pub(crate) struct Account {
    /// Where the server is
    #[arg(long, value_name = "URL", env = "TENFOUR_SERVER", default_value = "http://127.0.0.1:27185")]
    server: String,
    /// Your device key [default: in the platform's config folder]
    #[arg(long, value_name = "FILE", env = "TENFOUR_KEY")]
    key: Option<PathBuf>,
    /// Trusts the server whose certificate has this SHA-256
    #[arg(long, value_name = "FINGERPRINT", env = "TENFOUR_TRUST")]
    trust: Option<String>,
}

impl Account {
    /// Logs in. It registers nobody and makes no key.
    pub(crate) async fn log_in(&self) -> Result<(Server, Session, PathBuf), Failure> {
        let server = Server::new(&self.server, self.trust.as_deref())?;
        let key = self.key.clone().or_else(Identity::default_path).ok_or_else(|| {
            Failure::WrongUse("There is no home folder with your key. Name a file with --key FILE.".into())
        })?;
        let session = match log_in_telling(&server, &Identity::load(&key)?, None, say).await {
            Err(Error::HandleNeeded(_)) => return Err(Refusal::from(Code::NotRegistered).into()),
            other => other?,
        };
        Ok((server, session, key))
    }
}

/// Changes your handle or description. Those who are on a channel with you see it at once.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub(crate) struct Profile {
    #[command(flatten)]
    account: Account,
    /// Your new nickname
    #[arg(long, value_name = "NAME", group = "change")]
    handle: Option<String>,
    /// A line about yourself, shown beside the handle
    #[arg(long, value_name = "TEXT", group = "change", conflicts_with = "no_description")]
    description: Option<String>,
    /// Takes your description away
    #[arg(long, group = "change")]
    no_description: bool,
}

impl Profile {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.change())
    }

    async fn change(self) -> Result<(), Failure> {
        let (server, session, _) = self.account.log_in().await?;
        let description = if self.no_description { Some(None) } else { self.description.map(Some) };
        let profile = http::Profile { handle: self.handle, description };
        let changed = session.change(&server, &profile).await;
        close(&server, session).await;
        let me = changed?;
        show!("{} ({})", me.handle, me.tag);
        if let Some(description) = me.description {
            show!("{description}");
        }
        Ok(())
    }
}

/// Prints all that a server has stored of you, as one JSON object: handle, description, public key,
/// day of registration, your sessions with the day of their last use, your rows in the connection log,
/// and what you wrote to the operator.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    #[command(flatten)]
    account: Account,
}

impl Export {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.print())
    }

    async fn print(self) -> Result<(), Failure> {
        let (server, session, _) = self.account.log_in().await?;
        let exported = session.export(&server, &mut lines::Output).await;
        close(&server, session).await;
        if exported.is_ok() || !lines::are_lost() {
            exported?;
            show!("");
        }
        Ok(())
    }
}

/// Erases you from a server, for good: handle, description, key, and every session. Your key file
/// stays with you.
#[derive(Debug, clap::Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    account: Account,
    /// Does not ask
    #[arg(long)]
    yes: bool,
}

impl Erase {
    pub(crate) fn run(self) -> ExitCode {
        if !self.yes && !std::io::stdin().is_terminal() {
            let words = "There is nobody to ask. Add --yes if you want to be erased for good.";
            return exit::run(std::future::ready(Err(Failure::WrongUse(words.into()))));
        }
        exit::run(self.erase())
    }

    async fn erase(self) -> Result<(), Failure> {
        let (server, session, key) = self.account.log_in().await?;
        let who = format!("{} ({})", session.me.handle, session.me.tag);
        if !self.yes && !confirmed(&format!("Erase {who} from {} for good? [y/N] ", server.origin()))? {
            close(&server, session).await;
            return Err(Failure::Failed("Nothing was erased.".into()));
        }
        session.erase(&server).await?;
        tell!("{who} is erased from {}.", server.origin());
        tell!("Your key is still at {}. Remove it to be somebody else the next time.", key.display());
        Ok(())
    }
}

/// Ends your sessions at a server: everybody who is logged in with your key, on any device.
#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    account: Account,
    /// Every session of your key, those of radios that run just now too
    #[arg(long)]
    all: bool,
}

impl Logout {
    pub(crate) fn run(self) -> ExitCode {
        if !self.all {
            let words = "This program keeps no session between commands, so there is none to end here. \
                         Add --all to end every session of your key, on all devices.";
            return exit::run(std::future::ready(Err(Failure::WrongUse(words.into()))));
        }
        exit::run(self.log_out())
    }

    async fn log_out(self) -> Result<(), Failure> {
        let (server, session, _) = self.account.log_in().await?;
        let who = format!("{} ({})", session.me.handle, session.me.tag);
        session.log_out_everywhere(&server).await?;
        tell!("{who} is logged out everywhere at {}.", server.origin());
        Ok(())
    }
}

/// Leaves no session behind. The command is done by now, so a failure is not reported.
pub(crate) async fn close(server: &Server, session: Session) {
    session.log_out(server).await.ok();
}

fn confirmed(question: &str) -> Result<bool, Failure> {
    lines::aside(format_args!("{question}"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
