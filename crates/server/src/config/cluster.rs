//! What is said about other nodes.

use super::{ConfigError, Settings};
use crate::nats::Nats;

/// Longest name of a node and longest first word of subjects.
const WORD_CHARS: usize = 32;

/// The NATS of the cluster, if there is one.
pub(super) fn nats(settings: &Settings) -> Result<Option<Nats>, ConfigError> {
    let Settings { nats_creds: creds, cluster_secret_file: secret, nats_open: open, .. } = settings;
    let Some(servers) = settings.nats.clone().filter(|servers| !servers.is_empty()) else {
        let said = [
            ("nats_creds", creds.is_some()),
            ("cluster_secret_file", secret.is_some()),
            ("nats_open", open.is_some()),
            ("nats_prefix", settings.nats_prefix.is_some()),
            ("nats_store", settings.nats_store.is_some()),
            ("node", settings.node.is_some()),
        ];
        let said = said.into_iter().find(|(_, said)| *said);
        return said.map_or(Ok(None), |(key, _)| Err(ConfigError::NoNats(key)));
    };
    if let Some(far) = servers.iter().find(|server| !server.is_here())
        && !open.unwrap_or(false)
    {
        let plain = servers.iter().any(|server| !server.is_here() && !server.tls);
        let lacks = match (plain, creds, secret) {
            (true, ..) => Some("its address has no tls://"),
            (false, None, _) => Some("there are no nats_creds"),
            (false, Some(_), None) => Some("there is no cluster_secret_file"),
            (false, Some(_), Some(_)) => None,
        };
        if let Some(lacks) = lacks {
            return Err(ConfigError::OpenNats { server: far.to_string(), lacks });
        }
    }
    let prefix = settings.nats_prefix.clone().unwrap_or_else(|| "tenfour".into());
    let node = settings.node.clone().unwrap_or_else(host_name);
    word("nats_prefix", &prefix)?;
    word("node", &node)?;
    let store = settings.nats_store.unwrap_or(true);
    Ok(Some(Nats { servers, creds: creds.clone(), secret: secret.clone(), prefix, node, store }))
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
