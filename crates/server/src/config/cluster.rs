//! What is said about other nodes.

use std::path::PathBuf;

use super::ConfigError;
use crate::nats::{Nats, NatsAddress};

/// Longest name of a node and longest first word of subjects.
const WORD_CHARS: usize = 32;

/// The keys that are about other nodes.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) servers: Option<Vec<NatsAddress>>,
    pub(super) creds: Option<PathBuf>,
    pub(super) secret: Option<PathBuf>,
    pub(super) open: Option<bool>,
    pub(super) prefix: Option<String>,
    pub(super) store: Option<bool>,
    pub(super) node: Option<String>,
}

/// The NATS of the cluster, if there is one.
pub(super) fn nats(said: Said) -> Result<Option<Nats>, ConfigError> {
    let Said { servers, creds, secret, open, prefix, store, node } = said;
    let Some(servers) = servers.filter(|servers| !servers.is_empty()) else {
        let said = [
            ("nats_creds", creds.is_some()),
            ("cluster_secret_file", secret.is_some()),
            ("nats_open", open.is_some()),
            ("nats_prefix", prefix.is_some()),
            ("nats_store", store.is_some()),
            ("node", node.is_some()),
        ];
        let said = said.into_iter().find(|(_, said)| *said);
        return said.map_or(Ok(None), |(key, _)| Err(ConfigError::NoNats(key)));
    };
    if let Some(far) = servers.iter().find(|server| !server.is_here())
        && !open.unwrap_or(false)
    {
        let plain = servers.iter().any(|server| !server.is_here() && !server.tls);
        let lacks = match (plain, &creds, &secret) {
            (true, ..) => Some("its address has no tls://"),
            (false, None, _) => Some("there are no nats_creds"),
            (false, Some(_), None) => Some("there is no cluster_secret_file"),
            (false, Some(_), Some(_)) => None,
        };
        if let Some(lacks) = lacks {
            return Err(ConfigError::OpenNats { server: far.to_string(), lacks });
        }
    }
    let prefix = prefix.unwrap_or_else(|| "tenfour".into());
    let node = node.unwrap_or_else(host_name);
    word("nats_prefix", &prefix)?;
    word("node", &node)?;
    Ok(Some(Nats { servers, creds, secret, prefix, node, store: store.unwrap_or(true) }))
}

fn word(key: &'static str, text: &str) -> Result<(), ConfigError> {
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let fits = fits && (1..=WORD_CHARS).contains(&text.len());
    fits.then_some(()).ok_or_else(|| ConfigError::Word { key, text: text.to_owned(), most: WORD_CHARS })
}

/// Name of the machine, as far as it is a word.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.split('.').next().unwrap_or_default().chars().filter(fits).take(WORD_CHARS).collect()
}
