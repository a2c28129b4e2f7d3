//! Counters and gauges. None has a label that tells people or channels apart.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tenfour_core::hub::HubFigures;
use tenfour_protocol::Code;

use crate::cluster::ClusterFigures;
use crate::connection_log::LogFigures;
use crate::lock::lock;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: std::sync::Mutex<Registry>,
    pub(crate) sockets: Gauge,
    pub(crate) frames_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) turns_unheard: Counter,
    pub(crate) registrations: Counter,
    pub(crate) logins: Counter,
    pub(crate) contacts: Counter,
    pub(crate) resets: Counter,
    closes: Family<[(&'static str, String); 1], Counter<u64, AtomicU64>>,
    connections: Gauge,
    sessions: Gauge,
    radio_sessions: Gauge,
    channels: Gauge,
    affiliations: Gauge,
    bursts: Gauge,
    hold: Gauge,
    visitors: Gauge,
    log: LogMetrics,
    nodes: NodeMetrics,
}

/// The connection log, as a whole.
#[derive(Debug, Default)]
struct LogMetrics {
    day_bytes: Gauge,
    cut_bytes: Gauge,
    over_share: Gauge,
    lost: Gauge,
}

/// What there is when there are other nodes.
#[derive(Debug, Default)]
struct NodeMetrics {
    bus_up: Gauge,
    others: Gauge,
    voice_out: Gauge,
    voice_lost: Gauge,
    voice_in: Gauge,
    malformed: Gauge,
    refused: Gauge,
    store_refused: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tenfour");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let (sockets, connections) = (
            gauge("radio_sockets", "Radio sockets that are open"),
            gauge("http_connections", "Connections that are not radio sockets"),
        );
        let (sessions, radio_sessions) = (
            gauge("logins_standing", "Log-ins that stand"),
            gauge("radio_sessions", "Radio sessions, connected or waiting for a resume"),
        );
        let (channels, affiliations) = (
            gauge("channels", "Channels with a participant"),
            gauge("affiliations", "Pairs of a session and a channel it is tuned to"),
        );
        let bursts = gauge("bursts_on_air", "Bursts on the air");
        let hold = Gauge::default();
        registry.register_with_unit("hold", "How long a frame is kept", Unit::Seconds, hold.clone());
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let frames_in = counter("voice_frames_in", "Voice frames that were taken from talkers");
        let messages_out =
            counter("burst_messages_out", "Frames and words about bursts that went to listeners");
        let turns_unheard =
            counter("turns_unheard", "Turns in which as much was done for nobody as for a listener");
        let registrations = counter("registrations", "Users that were made");
        let logins = counter("logins", "Log-ins of known users");
        let contacts = counter("contacts", "Messages to the operator that were stored");
        let resets = counter("resets", "Sockets that were reset because they took nothing");
        let closes = Family::default();
        registry.register("closes", "Sockets that the server closed, by reason", closes.clone());
        let log = LogMetrics::default();
        for (name, help, gauge) in [
            ("connection_log_day_bytes", "Bytes of today's connection log", &log.day_bytes),
            ("connection_log_cut_bytes", "Bytes of rows that went early: a day was full", &log.cut_bytes),
            (
                "connection_log_over_share",
                "Rows left out: over the share of a user or an address",
                &log.over_share,
            ),
            ("connection_log_lost", "Rows that the disk did not take", &log.lost),
        ] {
            registry.register(name, help, gauge.clone());
        }
        Self {
            registry: registry.into(),
            sockets,
            frames_in,
            messages_out,
            turns_unheard,
            registrations,
            logins,
            contacts,
            resets,
            closes,
            connections,
            sessions,
            radio_sessions,
            channels,
            affiliations,
            bursts,
            hold,
            visitors: Gauge::default(),
            log,
            nodes: NodeMetrics::default(),
        }
    }
}

impl Metrics {
    /// With what does not change; visitors are there when they are counted.
    pub(crate) fn new(hold: std::time::Duration, visitors: bool) -> Self {
        let metrics = Self::default();
        if visitors {
            let help =
                "Browsers that opened the page since midnight UTC, as far as they keep the visitor cookie";
            let mut registry = lock(&metrics.registry);
            registry.register("visitors_today", help, metrics.visitors.clone());
        }
        metrics.hold.set(i64::try_from(hold.as_secs()).unwrap_or(i64::MAX));
        metrics
    }

    /// There are other nodes.
    pub(crate) fn with_nodes(self) -> Self {
        let nodes = &self.nodes;
        let mut registry = lock(&self.registry);
        for (name, help, gauge) in [
            ("bus_up", "1 while other nodes can be reached, 0 on an island", &nodes.bus_up),
            ("other_nodes", "Other nodes that are there", &nodes.others),
            ("bus_voice_out", "Messages with voice that went to other nodes", &nodes.voice_out),
            ("bus_voice_lost", "Messages with voice that did not go out", &nodes.voice_lost),
            ("bus_voice_in", "Messages with voice that came from other nodes", &nodes.voice_in),
            ("bus_malformed", "Messages of other nodes that could not be read", &nodes.malformed),
            (
                "bus_refused",
                "Messages on NATS that were not made with the secret, or said before",
                &nodes.refused,
            ),
            ("store_refused", "Values in JetStream that were not made with the secret", &nodes.store_refused),
        ] {
            registry.register(name, help, gauge.clone());
        }
        drop(registry);
        self
    }

    /// Takes over what the bus counts.
    pub(crate) fn observe_nodes(&self, figures: &ClusterFigures) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.nodes.bus_up.set(figures.is_up.into());
        self.nodes.others.set(number(figures.others as u64));
        self.nodes.voice_out.set(number(figures.voice_out));
        self.nodes.voice_lost.set(number(figures.voice_lost));
        self.nodes.voice_in.set(number(figures.voice_in));
        self.nodes.malformed.set(number(figures.malformed));
        self.nodes.refused.set(number(figures.refused));
        self.nodes.store_refused.set(number(figures.store_refused));
    }

    /// Takes over what the connection log counts.
    pub(crate) fn observe_log(&self, figures: &LogFigures) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.log.day_bytes.set(number(figures.day_bytes));
        self.log.cut_bytes.set(number(figures.cut_bytes));
        self.log.over_share.set(number(figures.over_share));
        self.log.lost.set(number(figures.lost));
    }

    /// The server closes a socket.
    pub(crate) fn closed(&self, code: Code) {
        let code = serde_json::to_value(code).expect("a code is a string");
        let label = code.as_str().unwrap_or_default().to_owned();
        self.closes.get_or_create(&[("code", label)]).inc();
    }

    /// Takes over what is counted elsewhere.
    pub(crate) fn observe(&self, hub: &HubFigures, sessions: usize, connections: usize, visitors: usize) {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.sessions.set(number(sessions));
        self.connections.set(number(connections));
        self.visitors.set(number(visitors));
        self.radio_sessions.set(number(hub.sessions));
        self.channels.set(number(hub.channels));
        self.affiliations.set(number(hub.affiliations));
        self.bursts.set(number(hub.bursts_on_air));
    }

    /// In the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let registry = lock(&self.registry);
        encode(&mut text, &registry).expect("a string grows");
        text
    }
}
