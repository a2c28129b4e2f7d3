//! One source of settings: a file, the environment or the flags.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use tenfour_protocol::ChannelId;
use thiserror::Error;

use super::variable::Variable;
use super::{Period, Prefix};
use crate::nats::NatsAddress;

/// What one source says. The keys are those of the file and, as `TENFOUR_` and the key in
/// capitals, of the environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where people connect, e.g. `0.0.0.0:27185`.
    pub listen: Option<SocketAddr>,
    /// Where `/metrics` and `/health` are, e.g. `127.0.0.1:27186`.
    pub ops: Option<SocketAddr>,
    /// Folder of the store.
    pub data: Option<PathBuf>,
    /// Name of the host, for people.
    pub host: Option<String>,
    /// Who runs the server, for the policy.
    pub operator: Option<String>,
    /// More origins that may log in.
    pub origins: Option<Vec<String>>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Option<Vec<Prefix>>,
    /// Worker threads.
    pub workers: Option<usize>,
    /// How long a frame is kept.
    pub hold: Option<Period>,
    /// Longest burst.
    pub talk_limit: Option<Period>,
    /// How long a talker may go on when somebody begins whom they would hear.
    pub courtesy_limit: Option<Period>,
    /// Participants of one channel.
    pub channel_participants: Option<usize>,
    /// Whether visitors of the page get a cookie and are counted.
    pub visitor_cookie: Option<bool>,
    /// Whether connections are logged.
    pub connection_log: Option<bool>,
    /// Days that the connection log is kept.
    pub connection_log_days: Option<usize>,
    /// Megabytes that a day of it may fill.
    pub connection_log_mb: Option<usize>,
    /// Users, at most.
    pub users: Option<usize>,
    /// Noise of `tenfour stats`.
    pub stats_epsilon: Option<f64>,
    /// The least count that `tenfour stats` tells.
    pub stats_threshold: Option<usize>,
    /// `self-signed`, or nothing.
    pub tls: Option<String>,
    /// Certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Servers of NATS, when there are other nodes.
    pub nats: Option<Vec<NatsAddress>>,
    /// File that says who we are for NATS.
    pub nats_creds: Option<PathBuf>,
    /// File with what nodes know and NATS does not.
    pub cluster_secret_file: Option<PathBuf>,
    /// Whether a NATS elsewhere is trusted without credentials, TLS and a secret.
    pub nats_open: Option<bool>,
    /// First word of our subjects, and name of the store.
    pub nats_prefix: Option<String>,
    /// Whether users are kept in JetStream.
    pub nats_store: Option<bool>,
    /// Name of this node.
    pub node: Option<String>,
    /// What is logged.
    pub log: Option<LogLevel>,
    /// How it is logged.
    pub log_format: Option<LogFormat>,
    /// What channels are for: replaces the default labels.
    pub channels: Option<BTreeMap<ChannelId, String>>,
}

/// The least important level that is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// The operator must act.
    Error,
    /// Something was lost or refused at scale.
    Warn,
    /// Lifecycle.
    #[default]
    Info,
    /// Per session.
    Debug,
    /// Per frame.
    Trace,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a source cannot be read. Each says where.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be opened.
    #[error("cannot read the configuration {path}: {cause}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be. The text names line and column.
    #[error("the configuration {path} is wrong: {}", .cause.to_string().trim_end())]
    File {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// A flag is not what it should be.
    #[error("a flag is wrong: {0}")]
    Flags(String),
    /// A variable of the environment is not what it should be.
    #[error("the environment variable {name} is wrong: {reason}")]
    Variable {
        /// Which one.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Settings {
    /// Reads a file in TOML.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| SettingsError::Read { path: path.to_owned(), cause })?;
        toml::from_str(&text)
            .map_err(|cause| SettingsError::File { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// Reads `TENFOUR_*` from `variables`. Names without a key are left alone: the same prefix serves the client
    /// commands.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let keys: Vec<_> = Self::keys().collect();
        let mut settings = Self::default();
        for (name, value) in variables {
            let key = name.strip_prefix("TENFOUR_").map(str::to_ascii_lowercase);
            let Some(key) = key.filter(|key| keys.contains(key)) else { continue };
            let one = MapDeserializer::new(std::iter::once((key, Variable(&value))));
            let one = Self::deserialize(one)
                .map_err(|error| SettingsError::Variable { name, reason: error.to_string() })?;
            settings = one.over(settings);
        }
        Ok(settings)
    }

    /// Reads flags, whose names are keys.
    pub fn from_flags(flags: &impl Serialize) -> Result<Self, SettingsError> {
        let table = toml::Table::try_from(flags).map_err(|cause| SettingsError::Flags(cause.to_string()))?;
        table.try_into().map_err(|cause| SettingsError::Flags(cause.to_string()))
    }

    /// The keys that there are.
    pub fn keys() -> impl Iterator<Item = String> {
        let nothing = serde_json::to_value(Self::default()).expect("settings are plain values");
        nothing.as_object().into_iter().flat_map(|keys| keys.keys().cloned()).collect::<Vec<_>>().into_iter()
    }

    /// These settings, and where they say nothing, `below`.
    pub fn over(self, below: Self) -> Self {
        let mut table = below.table();
        table.extend(self.table());
        table.try_into().expect("settings read what settings wrote")
    }

    fn table(self) -> toml::Table {
        toml::Table::try_from(self).expect("settings are values of TOML")
    }
}
