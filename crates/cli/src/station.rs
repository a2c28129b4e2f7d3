//! What `talk`, `listen`, `channels` and `whoami` have in common: a server, a key, a handle.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tenfour_client::{Client, Identity, Key, Options, Server, Session, log_in_telling};
use tenfour_core::radio::{Event, Input, LinkState};
use tenfour_protocol::{ChannelId, Refusal, UserId};

use crate::exit::Failure;
use crate::place;
use crate::waiting::say;

/// Time for the server to end the session.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time to connect and tune in after the log-in.
const TUNE_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, clap::Args)]
pub(crate) struct Station {
    /// Where the server is
    #[arg(long, value_name = "URL", env = "TENFOUR_SERVER", default_value = "http://127.0.0.1:27185")]
    server: String,
    /// Your nickname; needed once, to register
    #[arg(long, value_name = "NAME", env = "TENFOUR_HANDLE")]
    handle: Option<String>,
    /// Your device key; made on first use [default: in the platform's config folder]
    #[arg(long, value_name = "FILE", env = "TENFOUR_KEY")]
    key: Option<PathBuf>,
    /// Trusts the server whose certificate has this SHA-256
    #[arg(long, value_name = "FINGERPRINT", env = "TENFOUR_TRUST")]
    trust: Option<String>,
}

/// Logged in.
pub(crate) struct Login {
    pub(crate) server: Server,
    pub(crate) user: UserId,
    pub(crate) session: Session,
    pub(crate) key: PathBuf,
}

/// On the air, and tuned.
pub(crate) struct Tuned {
    pub(crate) client: Client,
    pub(crate) talk_limit: Duration,
    /// Why the server took no place, or no range.
    pub(crate) refused: Option<Refusal>,
}

impl Station {
    /// Logs in, and registers on first contact.
    pub(crate) async fn log_in(&self) -> Result<Login, Failure> {
        let server = Server::new(&self.server, self.trust.as_deref())?;
        let key = self.key.clone().or_else(Identity::default_path).ok_or_else(|| {
            Failure::WrongUse(
                "There is no home folder to keep your key in. Name a file with --key FILE.".into(),
            )
        })?;
        let identity = Identity::load_or_create(&key)?;
        let session = log_in_telling(&server, &identity, self.handle.as_deref(), say).await?;
        let (me, asked) = (&session.me, self.handle.as_deref());
        if session.registered {
            tell!("Registered at {} as {} ({}).", server.origin(), me.handle, me.tag);
        } else if let Some(asked) = asked.filter(|asked| *asked != me.handle.as_str()) {
            let (handle, tag) = (&me.handle, &me.tag);
            tell!("This key is registered as {handle}, not as {asked}; going on as {handle} ({tag}).");
        }
        // The key stays in its file from here on.
        Ok(Login { server, user: identity.user(), session, key })
    }
}

impl Login {
    /// Gets on the air and tunes to `channels`.
    pub(crate) async fn tune(self, channels: &[ChannelId], options: Options) -> Result<Tuned, Failure> {
        let origin = self.server.origin().to_owned();
        let key = Key::In { path: self.key, user: self.user };
        let mut client = Client::new(self.server, key, self.session, options);
        for channel in channels {
            client.handle(Input::Tune { channel: channel.clone(), catch_up: false });
        }
        let tuned = tuned(&mut client, channels.iter().cloned().collect());
        match tokio::time::timeout(TUNE_TIMEOUT, tuned).await {
            Ok(tuned) => tuned.map(|(talk_limit, refused)| Tuned { client, talk_limit, refused }),
            Err(_) => Err(Failure::NoLink(format!(
                "No link to {origin}: it took the log-in, but not the connection. Is a proxy in between?"
            ))),
        }
    }
}

/// Waits until the channels are tuned. Returns the talk limit, and the refusal of the place if there was one: the
/// server answers that first.
async fn tuned(
    client: &mut Client,
    mut missing: BTreeSet<ChannelId>,
) -> Result<(Duration, Option<Refusal>), Failure> {
    let (mut limit, mut refused) = (Duration::MAX, None);
    while !missing.is_empty() {
        match client.next().await {
            Event::Link(LinkState::OnTheAir { talk_limit, .. }) => limit = talk_limit,
            Event::Link(LinkState::Gone { refusal }) | Event::TuneRefused { refusal, .. } => {
                return Err(refusal.into());
            }
            Event::Tuned { info, .. } => {
                missing.remove(&info.channel);
            }
            Event::Island { alone: true } => tell!("{}", island(true)),
            Event::Located { shared: true, country, .. } => tell!("{}", place::located(country)),
            Event::Refused { refusal } if place::is_about_place(&refusal) => {
                // The first refusal says why. That of a limited range only follows from the missing place.
                refused.get_or_insert(refusal);
            }
            _ => {}
        }
    }
    Ok((limit, refused))
}

/// What it means that the server has lost the other machines of its radio, or has found them again.
pub(crate) fn island(alone: bool) -> &'static str {
    if alone {
        "The other machines of this radio cannot be reached: you hear, and are heard by, those on this one."
    } else {
        "The other machines of this radio are back."
    }
}

/// Leaves no session behind. The command is done by now, so we do not wait for a server that does not answer.
pub(crate) async fn leave(client: &Client) {
    let _done_or_not = tokio::time::timeout(CLOSE_TIMEOUT, client.log_out()).await;
}

/// The name and version told to the server.
pub(crate) fn program() -> String {
    format!("tenfour-cli {}", env!("CARGO_PKG_VERSION"))
}
