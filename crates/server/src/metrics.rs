//! Counters, gauges and histograms. None has a label that tells people or channels apart.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tenfour_core::hub::HubFigures;
use tenfour_protocol::Code;

use crate::cluster::ClusterFigures;
use crate::connection_log::LogFigures;
use crate::lock::lock;

/// Bounds of a histogram of time, in seconds: from what nobody notices to what everybody does.
const SECONDS: [f64; 10] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    pub(crate) sockets: Gauge,
    pub(crate) frames_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) turns_unheard: Counter,
    pub(crate) registrations: Counter,
    pub(crate) logins: Counter,
    pub(crate) contacts: Counter,
    pub(crate) resets: Counter,
    /// Observed by the thread of the hub alone.
    pub(crate) hub_wait: Histogram,
    pub(crate) login_time: Histogram,
    closes: Family<[(&'static str, String); 1], Counter>,
    connections: Gauge,
    sessions: Gauge,
    radio_sessions: Gauge,
    channels: Gauge,
    affiliations: Gauge,
    bursts: Gauge,
    /// When visitors are counted.
    visitors: Option<Gauge>,
    log: LogMetrics,
    /// When there may be other nodes.
    nodes: Option<NodeMetrics>,
}

/// The connection log, as a whole.
#[derive(Debug)]
struct LogMetrics {
    day_bytes: Gauge,
    cut_bytes: Counter,
    over_share: Counter,
    lost: Counter,
}

#[derive(Debug)]
struct NodeMetrics {
    bus_up: Gauge,
    others: Gauge,
    voice_out: Counter,
    voice_lost: Counter,
    voice_in: Counter,
    malformed: Counter,
    refused: Counter,
    store_refused: Counter,
}

impl Metrics {
    /// Visitors and other nodes have metrics only where there may be any.
    pub(crate) fn new(hold: Duration, visitors: bool, nodes: bool) -> Self {
        let mut registry = Registry::with_prefix("tenfour");
        let to = &mut registry;
        let kept: Gauge = Gauge::default();
        kept.set(i64::try_from(hold.as_secs()).unwrap_or(i64::MAX));
        to.register_with_unit("hold", "How long a frame is kept", Unit::Seconds, kept);
        let closes = Family::default();
        to.register("closes", "Sockets that the server closed, by reason", closes.clone());
        Self {
            sockets: gauge(to, "radio_sockets", "Radio sockets that are open"),
            frames_in: counter(to, "voice_frames_in", "Voice frames that were taken from talkers"),
            messages_out: counter(to, "burst_messages_out", "Frames and words about bursts that listeners got"),
            turns_unheard: counter(
                to,
                "turns_unheard",
                "Turns in which as much was done for nobody as for a listener",
            ),
            registrations: counter(to, "registrations", "Users that were made"),
            logins: counter(to, "logins", "Log-ins of known users"),
            contacts: counter(to, "contacts", "Messages to the operator that were stored"),
            resets: counter(to, "resets", "Sockets that were reset because they took nothing"),
            hub_wait: histogram(to, "hub_wait", "How long a message waited for the hub"),
            login_time: histogram(to, "login", "How long a log-in that succeeded took in the server"),
            closes,
            connections: gauge(to, "http_connections", "Connections that are not radio sockets"),
            sessions: gauge(to, "logins_standing", "Log-ins that stand"),
            radio_sessions: gauge(
                to,
                "radio_sessions",
                "Radio sessions, connected or waiting for a resume",
            ),
            channels: gauge(to, "channels", "Channels with a participant"),
            affiliations: gauge(to, "affiliations", "Pairs of a session and a channel it is tuned to"),
            bursts: gauge(to, "bursts_on_air", "Bursts on the air"),
            visitors: visitors.then(|| {
                gauge(
                    to,
                    "visitors_today",
                    "Browsers that opened the page since midnight UTC, as far as they keep the visitor cookie",
                )
            }),
            log: LogMetrics::new(to),
            nodes: nodes.then(|| NodeMetrics::new(to)),
            registry: registry.into(),
        }
    }

    /// The server closes a socket.
    pub(crate) fn closed(&self, code: Code) {
        let code = serde_json::to_value(code).expect("a code is a string");
        let label = code.as_str().unwrap_or_default().to_owned();
        self.closes.get_or_create(&[("code", label)]).inc();
    }

    /// Takes over what is counted elsewhere.
    pub(crate) fn observe(&self, hub: &HubFigures, sessions: usize, connections: usize, visitors: usize) {
        show(&self.sessions, sessions as u64);
        show(&self.connections, connections as u64);
        self.visitors.iter().for_each(|gauge| show(gauge, visitors as u64));
        show(&self.radio_sessions, hub.sessions as u64);
        show(&self.channels, hub.channels as u64);
        show(&self.affiliations, hub.affiliations as u64);
        show(&self.bursts, hub.bursts_on_air as u64);
    }

    /// Takes over what the bus counts.
    pub(crate) fn observe_nodes(&self, figures: &ClusterFigures) {
        let Some(nodes) = &self.nodes else { return };
        show(&nodes.bus_up, figures.is_up.into());
        show(&nodes.others, figures.others as u64);
        total(&nodes.voice_out, figures.voice_out);
        total(&nodes.voice_lost, figures.voice_lost);
        total(&nodes.voice_in, figures.voice_in);
        total(&nodes.malformed, figures.malformed);
        total(&nodes.refused, figures.refused);
        total(&nodes.store_refused, figures.store_refused);
    }

    /// Takes over what the connection log counts.
    pub(crate) fn observe_log(&self, figures: &LogFigures) {
        show(&self.log.day_bytes, figures.day_bytes);
        total(&self.log.cut_bytes, figures.cut_bytes);
        total(&self.log.over_share, figures.over_share);
        total(&self.log.lost, figures.lost);
    }

    /// In the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &lock(&self.registry)).expect("a string grows");
        text
    }
}

impl LogMetrics {
    fn new(to: &mut Registry) -> Self {
        Self {
            day_bytes: gauge(to, "connection_log_day_bytes", "Bytes of today's connection log"),
            cut_bytes: counter(
                to,
                "connection_log_cut_bytes",
                "Bytes of rows that went early: a day was full",
            ),
            over_share: counter(
                to,
                "connection_log_over_share",
                "Rows left out: over the share of a user or an address",
            ),
            lost: counter(to, "connection_log_lost", "Rows that the disk did not take"),
        }
    }
}

impl NodeMetrics {
    fn new(to: &mut Registry) -> Self {
        Self {
            bus_up: gauge(to, "bus_up", "1 while other nodes can be reached, 0 on an island"),
            others: gauge(to, "other_nodes", "Other nodes that are there"),
            voice_out: counter(to, "bus_voice_out", "Messages with voice that went to other nodes"),
            voice_lost: counter(to, "bus_voice_lost", "Messages with voice that did not go out"),
            voice_in: counter(to, "bus_voice_in", "Messages with voice that came from other nodes"),
            malformed: counter(to, "bus_malformed", "Messages of other nodes that could not be read"),
            refused: counter(
                to,
                "bus_refused",
                "Messages on NATS that were not made with the secret, or said before",
            ),
            store_refused: counter(
                to,
                "store_refused",
                "Values in JetStream that were not made with the secret",
            ),
        }
    }
}

fn gauge(to: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    to.register(name, help, gauge.clone());
    gauge
}

/// Its name ends in `_total` where it is told.
fn counter(to: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    to.register(name, help, counter.clone());
    counter
}

/// Of time. Its name ends in `_seconds` where it is told.
fn histogram(to: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Histogram::new(SECONDS);
    to.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

fn show(gauge: &Gauge, number: u64) {
    gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
}

/// Sets a counter to what was counted elsewhere.
fn total(counter: &Counter, number: u64) {
    let figure: &AtomicU64 = counter.inner();
    figure.store(number, Ordering::Relaxed);
}
