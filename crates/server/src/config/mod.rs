//! Configuration: file < environment < flags. Without any of them the server runs on
//! loopback, keeps its data in the platform's data folder and prints its address.
//!
//! Each source is a [`Settings`] in which everything is optional. [`Config`] is all of them together, checked.

mod cluster;
mod period;
mod prefix;
mod settings;
mod variable;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use tenfour_core::mutants::Mutants;
use tenfour_protocol::{ChannelId, limits};
use thiserror::Error;

use crate::connection_log::{self, Rules};
use crate::nats::Nats;

pub use period::{Period, PeriodError};
pub use prefix::{Prefix, PrefixError};
pub use settings::{LogFormat, LogLevel, Settings, SettingsError};

/// Port when none is named.
pub const PORT: u16 = 27185;

/// Most workers that can be asked for: a worker's number is part of a connection's.
pub const MOST_WORKERS: usize = 256;

/// Everything that a server needs to know, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where people connect.
    pub listen: SocketAddr,
    /// Where the operator's `/metrics` and `/health` are, if anywhere.
    pub ops: Option<SocketAddr>,
    /// Folder of the store and of a self-signed certificate.
    pub data: PathBuf,
    /// Name of the host, for people.
    pub host: String,
    /// Who runs the server, for the policy.
    pub operator: Option<String>,
    /// Origins that may log in beside the server's own, as `scheme://host[:port]`.
    pub origins: Vec<String>,
    /// Proxies that say in `X-Forwarded-For` whose a request is.
    pub trusted_proxies: Vec<Prefix>,
    /// Worker threads.
    pub workers: usize,
    /// How long a frame is kept.
    pub hold: Duration,
    /// Longest burst.
    pub talk_limit: Duration,
    /// How long a talker may go on when somebody begins whom they would hear.
    pub courtesy_limit: Duration,
    /// Participants of one channel.
    pub channel_participants: usize,
    /// Whether visitors of the page get a cookie and are counted.
    pub visitor_cookie: bool,
    /// Whether connections are logged.
    pub connection_log: bool,
    /// Days that the connection log is kept.
    pub connection_log_days: usize,
    /// Megabytes that a day of it may fill.
    pub connection_log_mb: usize,
    /// Users, at most.
    pub users: usize,
    /// How its counts are made safe to be told.
    pub stats: Rules,
    /// Whether and how the listener speaks TLS.
    pub tls: Tls,
    /// The other nodes, if there are any.
    pub nats: Option<Nats>,
    /// What is logged.
    pub log: LogLevel,
    /// How it is logged.
    pub log_format: LogFormat,
    /// What channels are for.
    pub channels: BTreeMap<ChannelId, String>,
    /// How the hub is broken on purpose; no setting says it, only `TENFOUR_MUTANT` does.
    pub mutants: Mutants,
}

/// Transport security of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain http: loopback, or behind a proxy.
    Off,
    /// A certificate made by the server and kept in its data folder.
    SelfSigned,
    /// A certificate from files, read again when they change.
    Files {
        /// Chain, PEM.
        cert: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
}

/// Why settings do not make a configuration. Each says what to do.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No platform folder and none named.
    #[error("this system has no folder for data: name one with --data DIR")]
    NoDataFolder,
    /// One of two.
    #[error("tls_cert and tls_key belong together: name both, or neither")]
    HalfTls,
    /// Both ways at once.
    #[error("tls = \"self-signed\" and certificate files exclude each other: choose one")]
    TwoTls,
    /// Something else than `self-signed`.
    #[error("tls = {0:?} is unknown: use \"self-signed\", or name tls_cert and tls_key")]
    UnknownTls(String),
    /// Outside its bounds.
    #[error("{key} is {got}: choose {least} to {most}")]
    OutOfRange {
        /// Which key.
        key: &'static str,
        /// What was asked.
        got: String,
        /// The least that is taken.
        least: String,
        /// The most that is taken.
        most: String,
    },
    /// Not as a browser writes it.
    #[error("origins: {0:?} is no origin: write it like https://radio.example or http://127.0.0.1:8080")]
    Origin(String),
    /// It would be nobody's.
    #[error(
        "{0} says something about other nodes, and there are none: name their NATS with --nats nats://host:4222"
    )]
    NoNats(&'static str),
    /// It would be trusted with everything, and nothing says so.
    #[error(
        "NATS at {server} is not on this machine, and {lacks}: whoever gets there could act as any user; name what is missing, or say nats_open = true if nobody else can get there"
    )]
    OpenNats {
        /// Which server.
        server: String,
        /// What is missing.
        lacks: &'static str,
    },
    /// Not a word that subjects of NATS can have.
    #[error("{key} is {text:?}: use 1 to {most} letters, digits, - and _")]
    Word {
        /// Which key.
        key: &'static str,
        /// The text.
        text: String,
        /// Longest.
        most: usize,
    },
    /// Too long or with control characters.
    #[error("{key}: {text:?} is no label: use 1 to {most} visible characters")]
    Label {
        /// Which key.
        key: &'static str,
        /// The text.
        text: String,
        /// Longest.
        most: usize,
    },
}

impl Config {
    /// Fills what is not set and checks the rest.
    pub fn new(settings: Settings) -> Result<Self, ConfigError> {
        let nats = cluster::nats(&settings)?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let origins = settings.origins.unwrap_or_default();
        if let Some(bad) = origins.iter().find(|origin| !is_origin(origin)) {
            return Err(ConfigError::Origin(bad.clone()));
        }
        let host = settings.host.unwrap_or_else(|| "Tenfour".into());
        let channels = settings.channels.unwrap_or_else(default_labels);
        label("host", &host, LABEL_CHARS)?;
        settings.operator.iter().try_for_each(|text| label("operator", text, OPERATOR_CHARS))?;
        channels.values().try_for_each(|text| label("channels", text, LABEL_CHARS))?;
        Ok(Self {
            listen: settings.listen.unwrap_or(loopback),
            ops: settings.ops,
            data: settings.data.or_else(platform_data).ok_or(ConfigError::NoDataFolder)?,
            host,
            operator: settings.operator,
            origins,
            trusted_proxies: settings.trusted_proxies.unwrap_or_default(),
            workers: within("workers", settings.workers.unwrap_or_else(default_workers), 1..=MOST_WORKERS)?,
            hold: period("hold", settings.hold, limits::HOLD, limits::HOLD_RANGE)?,
            talk_limit: period(
                "talk_limit",
                settings.talk_limit,
                limits::TALK_LIMIT,
                limits::TALK_LIMIT_RANGE,
            )?,
            courtesy_limit: period(
                "courtesy_limit",
                settings.courtesy_limit,
                limits::COURTESY,
                limits::COURTESY_RANGE,
            )?,
            channel_participants: within(
                "channel_participants",
                settings.channel_participants.unwrap_or(limits::CHANNEL_PARTICIPANTS),
                2..=1_000_000,
            )?,
            visitor_cookie: settings.visitor_cookie.unwrap_or(false),
            connection_log: settings.connection_log.unwrap_or(true),
            connection_log_days: within(
                "connection_log_days",
                settings.connection_log_days.unwrap_or(connection_log::DAYS),
                1..=connection_log::MOST_DAYS,
            )?,
            connection_log_mb: within(
                "connection_log_mb",
                settings.connection_log_mb.unwrap_or(limits::LOG_DAY_MEGABYTES),
                limits::LOG_DAY_MEGABYTES_RANGE,
            )?,
            users: within("users", settings.users.unwrap_or(limits::USERS), limits::USERS_RANGE)?,
            stats: rules(settings.stats_epsilon, settings.stats_threshold)?,
            tls: tls(settings.tls.as_deref(), settings.tls_cert, settings.tls_key)?,
            nats,
            log: settings.log.unwrap_or_default(),
            log_format: settings.log_format.unwrap_or_default(),
            channels,
            #[cfg(feature = "mutants")]
            mutants: crate::mutants::active(),
            #[cfg(not(feature = "mutants"))]
            mutants: Mutants::default(),
        })
    }
}

/// What channels 9 and 19 have been for since the seventies.
fn default_labels() -> BTreeMap<ChannelId, String> {
    [(9, "Emergency"), (19, "Calling")]
        .into_iter()
        .filter_map(|(number, label)| Some((ChannelId::numbered(number)?, label.to_owned())))
        .collect()
}

fn platform_data() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "tenfour").map(|dirs| dirs.data_dir().to_owned())
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_WORKERS)
}

fn tls(mode: Option<&str>, cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Tls, ConfigError> {
    match (mode, cert, key) {
        (None, None, None) => Ok(Tls::Off),
        (None, Some(cert), Some(key)) => Ok(Tls::Files { cert, key }),
        (None, _, _) => Err(ConfigError::HalfTls),
        (Some("self-signed"), None, None) => Ok(Tls::SelfSigned),
        (Some("self-signed"), _, _) => Err(ConfigError::TwoTls),
        (Some(other), _, _) => Err(ConfigError::UnknownTls(other.to_owned())),
    }
}

/// Epsilon below these bounds leaves nothing of a count, above them nothing of the noise.
const EPSILON_RANGE: RangeInclusive<f64> = 0.01..=10.0;

fn rules(epsilon: Option<f64>, threshold: Option<usize>) -> Result<Rules, ConfigError> {
    let default = Rules::default();
    let threshold = threshold.unwrap_or(default.threshold as usize);
    Ok(Rules {
        epsilon: within("stats_epsilon", epsilon.unwrap_or(default.epsilon), EPSILON_RANGE)?,
        threshold: within("stats_threshold", threshold, 2..=1_000_000)? as u64,
    })
}

fn period(
    key: &'static str,
    set: Option<Period>,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, ConfigError> {
    let range = Period(*range.start())..=Period(*range.end());
    within(key, set.unwrap_or(Period(default)), range).map(Period::duration)
}

/// NaN is in no range.
fn within<T: PartialOrd + ToString>(
    key: &'static str,
    got: T,
    range: RangeInclusive<T>,
) -> Result<T, ConfigError> {
    if range.contains(&got) {
        return Ok(got);
    }
    let [got, least, most] = [&got, range.start(), range.end()].map(ToString::to_string);
    Err(ConfigError::OutOfRange { key, got, least, most })
}

/// Longest name of a host and longest label of a channel, in characters.
const LABEL_CHARS: usize = 40;
/// Longest words on who runs a server, in characters.
const OPERATOR_CHARS: usize = 200;

fn label(key: &'static str, text: &str, most: usize) -> Result<(), ConfigError> {
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(()).ok_or_else(|| ConfigError::Label { key, text: text.to_owned(), most })
}

/// `scheme://host[:port]` in lower case with no path: what a browser sends as `Origin`.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty()
            && host.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'[' | b']'))
    })
}
