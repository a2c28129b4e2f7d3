//! One source of settings: a file, the environment or the flags.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenfour_protocol::ChannelId;
use thiserror::Error;

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

    /// The keys that there are.
    pub fn keys() -> impl Iterator<Item = String> {
        let nothing = serde_json::to_value(Self::default()).expect("settings are plain values");
        nothing.as_object().into_iter().flat_map(|keys| keys.keys().cloned()).collect::<Vec<_>>().into_iter()
    }

    /// Reads `TENFOUR_*` from `variables`. Lists are separated by commas, labels of channels
    /// written like `9=Emergency,19=Calling`. Other variables are nobody's error: the same
    /// prefix serves the client commands.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        for (name, value) in variables {
            if let Some(key) = name.strip_prefix("TENFOUR_") {
                settings
                    .set(&key.to_ascii_lowercase(), &value)
                    .map_err(|reason| SettingsError::Variable { name: name.clone(), reason })?;
            }
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "listen" => self.listen = Some(parse(value)?),
            "ops" => self.ops = Some(parse(value)?),
            "data" => self.data = Some(value.into()),
            "host" => self.host = Some(value.into()),
            "operator" => self.operator = Some(value.into()),
            "origins" => self.origins = Some(list(value).map(str::to_owned).collect()),
            "trusted_proxies" => {
                self.trusted_proxies = Some(list(value).map(parse).collect::<Result<_, _>>()?);
            }
            "workers" => self.workers = Some(parse(value)?),
            "hold" => self.hold = Some(parse(value)?),
            "talk_limit" => self.talk_limit = Some(parse(value)?),
            "courtesy_limit" => self.courtesy_limit = Some(parse(value)?),
            "channel_participants" => self.channel_participants = Some(parse(value)?),
            "visitor_cookie" => self.visitor_cookie = Some(parse(value)?),
            "connection_log" => self.connection_log = Some(parse(value)?),
            "connection_log_days" => self.connection_log_days = Some(parse(value)?),
            "connection_log_mb" => self.connection_log_mb = Some(parse(value)?),
            "users" => self.users = Some(parse(value)?),
            "stats_epsilon" => self.stats_epsilon = Some(parse(value)?),
            "stats_threshold" => self.stats_threshold = Some(parse(value)?),
            "tls" => self.tls = Some(value.into()),
            "tls_cert" => self.tls_cert = Some(value.into()),
            "tls_key" => self.tls_key = Some(value.into()),
            "nats" => self.nats = Some(list(value).map(parse).collect::<Result<_, _>>()?),
            "nats_creds" => self.nats_creds = Some(value.into()),
            "cluster_secret_file" => self.cluster_secret_file = Some(value.into()),
            "nats_open" => self.nats_open = Some(parse(value)?),
            "nats_prefix" => self.nats_prefix = Some(value.into()),
            "nats_store" => self.nats_store = Some(parse(value)?),
            "node" => self.node = Some(value.into()),
            "log" => self.log = Some(word(value)?),
            "log_format" => self.log_format = Some(word(value)?),
            "channels" => self.channels = Some(list(value).map(labelled).collect::<Result<_, _>>()?),
            _ => {}
        }
        Ok(())
    }

    /// These settings, and where they say nothing, `below`.
    pub fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            ops: self.ops.or(below.ops),
            data: self.data.or(below.data),
            host: self.host.or(below.host),
            operator: self.operator.or(below.operator),
            origins: self.origins.or(below.origins),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            workers: self.workers.or(below.workers),
            hold: self.hold.or(below.hold),
            talk_limit: self.talk_limit.or(below.talk_limit),
            courtesy_limit: self.courtesy_limit.or(below.courtesy_limit),
            channel_participants: self.channel_participants.or(below.channel_participants),
            visitor_cookie: self.visitor_cookie.or(below.visitor_cookie),
            connection_log: self.connection_log.or(below.connection_log),
            connection_log_days: self.connection_log_days.or(below.connection_log_days),
            connection_log_mb: self.connection_log_mb.or(below.connection_log_mb),
            users: self.users.or(below.users),
            stats_epsilon: self.stats_epsilon.or(below.stats_epsilon),
            stats_threshold: self.stats_threshold.or(below.stats_threshold),
            tls: self.tls.or(below.tls),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            nats: self.nats.or(below.nats),
            nats_creds: self.nats_creds.or(below.nats_creds),
            cluster_secret_file: self.cluster_secret_file.or(below.cluster_secret_file),
            nats_open: self.nats_open.or(below.nats_open),
            nats_prefix: self.nats_prefix.or(below.nats_prefix),
            nats_store: self.nats_store.or(below.nats_store),
            node: self.node.or(below.node),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            channels: self.channels.or(below.channels),
        }
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| format!("{text:?}: {error}"))
}

/// A value that serde knows by its word.
fn word<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text))
        .map_err(|error| error.to_string())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn labelled(item: &str) -> Result<(ChannelId, String), String> {
    let (channel, label) = item.split_once('=').ok_or_else(|| format!("{item:?}: write 19=Calling"))?;
    Ok((parse(channel)?, label.to_owned()))
}
