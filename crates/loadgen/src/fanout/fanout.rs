//! Talkers and their listeners on one server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tenfour_protocol::ChannelId;
use tenfour_protocol::control::FrameTime;

use crate::air::{Air, BATCH_PAUSE, LINES_PER_BATCH, Work};
use crate::beside::Beside;
use crate::lines::floor::Floor;
use crate::lines::mqtt::Mqtt;
use crate::lines::mumble::{self, Mumble};
use crate::lines::nats::Nats;
use crate::lines::tenfour::{Door, Wish};
use crate::lines::{Line, tls};
use crate::network::Network;
use crate::process::Process;
use crate::score::Group;
use crate::stamp::STAMP_BYTES;
use crate::watch::Watch;

/// After the last join the server still tells others of it: its CPU is read in steps of this length.
const SETTLE_STEP: Duration = Duration::from_millis(500);
/// The server is idle when it uses no more than this in a step.
const IDLE_CPU: Duration = Duration::from_millis(20);
/// Longest wait for an idle server.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Receive buffer of a stalled line; the kernel doubles the number.
const STALLED_BUFFER_BYTES: usize = 2048;

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Tenfour
    Tenfour,
    /// The benchmark's own
    Floor,
    /// Mumble, voice over UDP
    Mumble,
    /// NATS
    Nats,
    /// An MQTT broker
    Mqtt,
}

/// Flags of `tenfour-fanout fanout`. The last of several counts: the benchmark has rows that differ in one.
#[derive(Debug, Clone, Args)]
#[command(args_override_self = true)]
pub(crate) struct Fanout {
    /// The kind of server
    #[arg(long, value_enum)]
    kind: Kind,
    /// Where it is: a URL for Tenfour, else address and port
    #[arg(long)]
    at: String,
    /// Its process number
    #[arg(long)]
    pid: u32,
    /// Listeners of the channel
    #[arg(long, default_value_t = 1000)]
    listeners: usize,
    /// Talkers of the channel
    #[arg(long, default_value_t = 1)]
    talkers: usize,
    /// Its name (Tenfour only)
    #[arg(long, default_value = "19")]
    channel: ChannelId,
    /// Channels beside it with one talker and one listener (Tenfour only)
    #[arg(long, default_value_t = 0)]
    pairs: usize,
    /// Seconds of speech
    #[arg(long = "for", default_value_t = 5.0)]
    seconds: f64,
    /// Sound in one frame
    #[arg(long, default_value_t = 20)]
    frame_ms: u8,
    /// Bytes in one frame
    #[arg(long, default_value_t = 80)]
    payload: usize,
    /// The listeners wish bundles (Tenfour only)
    #[arg(long)]
    economy: bool,
    /// Listeners of the channel beside them that never read (Tenfour only)
    #[arg(long, default_value_t = 0)]
    stalled: usize,
    /// The virtual users have a core to themselves and never sleep while somebody talks
    #[arg(long)]
    awake: bool,
    /// Does not wait until the server is idle: it is busy with something else
    #[arg(long)]
    busy: bool,
    /// Everybody leaves at the end, so that the server is empty for the next run (Tenfour only)
    #[arg(long)]
    leave: bool,
    /// Network whose addresses the virtual users have in turn (Tenfour only)
    #[arg(long)]
    from: Option<Network>,
    /// A command that runs while they talk; the JSON that it prints is in the figures
    #[arg(long)]
    beside: Option<String>,
    /// Seconds at the end whose latency is reported by itself
    #[arg(long, default_value_t = 0.0)]
    last: f64,
}

/// The listeners of the channel, and those of the pairs.
const MAIN: usize = 0;
const PAIRS: usize = 1;

impl Fanout {
    fn sockets(&self) -> usize {
        self.listeners + self.talkers + 2 * self.pairs + self.stalled
    }

    pub(crate) fn run(self) -> Result<serde_json::Value> {
        anyhow::ensure!(self.payload >= STAMP_BYTES, "a payload has at least {STAMP_BYTES} bytes");
        let sockets = self.sockets();
        crate::file_limit::raise_file_limit(if self.kind == Kind::Mumble { 2 * sockets } else { sockets })?;
        let server = Process(self.pid);
        let mut air = Air::new(2)?;
        let opener = Opener::new(&self)?;
        let before = server.resident()?;
        let joining = Instant::now();
        for number in 0..self.listeners {
            air.add(opener.open(number, false, &self.channel)?)?;
            if number % LINES_PER_BATCH == 0 {
                air.listen(BATCH_PAUSE)?;
            }
        }
        for number in 0..self.talkers {
            let line = opener.open(self.listeners + number, true, &self.channel)?;
            air.add_talker(line, MAIN, self.listeners as u64)?;
        }
        for number in 0..self.pairs {
            let channel = format!("pair-{number}").parse()?;
            air.add(opener.open(number, false, &channel)?)?;
            air.add_talker(opener.open(number, true, &channel)?, PAIRS, 1)?;
        }
        let files = server.files()?;
        let stalled = self.stall(&opener)?;
        let joined = joining.elapsed();
        if !self.busy {
            settle(&mut air, server)?;
        }
        let idle = server.resident()?;
        let (cpu, busiest) = (server.cpu()?, server.busiest_thread()?);
        let time = Duration::from_secs_f64(self.seconds);
        air.awake = self.awake;
        let watch = Watch::begin(server, time, files);
        air.score.last_from = Duration::from_secs_f64((self.seconds - self.last).max(0.0));
        let beside = self.beside.as_deref().map(Beside::start).transpose()?;
        let from = monotonic();
        air.talk(Work { time, frame_ms: self.frame_ms, payload: self.payload })?;
        let to = monotonic();
        let (cpu, busiest) = (server.cpu()? - cpu, server.busiest_thread()? - busiest);
        let seen = watch.end()?;
        let beside = beside.map(Beside::end).transpose()?;
        air.awake = false;
        air.listen(SETTLE_STEP)?;
        let told_otherwise = air.told_otherwise(self.talkers as u32);
        let most = server.most_resident()?;
        if self.leave {
            air.leave()?;
            settle(&mut air, server)?;
        }
        let lines = (self.listeners + self.talkers + 2 * self.pairs) as f64;
        let delivered: u64 = air.score.groups.iter().map(|group| group.delivered).sum();
        let cpu_us = cpu.as_secs_f64() * 1e6;
        Ok(json!({
            "kind": self.kind.to_possible_value().map(|value| value.get_name().to_owned()),
            "listeners": self.listeners,
            "talkers": self.talkers,
            "pairs": self.pairs,
            "seconds": self.seconds,
            "frame_ms": self.frame_ms,
            "payload": self.payload,
            "economy": self.economy,
            "joined_s": joined.as_secs_f64(),
            "talk_from_s": from.as_secs_f64(),
            "talk_to_s": to.as_secs_f64(),
            "cpu_s": cpu.as_secs_f64(),
            "busiest_thread_s": busiest.as_secs_f64(),
            "cpu_us_per_frame": cpu_us / delivered.max(1) as f64,
            "cpu_us_per_listener_second": cpu_us / (self.seconds * (self.listeners + self.pairs).max(1) as f64),
            "rss_kib_per_line": (idle.saturating_sub(before)) as f64 / 1024.0 / lines,
            "rss_kib_early": seen.early.resident_kib,
            "rss_kib_after": seen.late.resident_kib,
            "rss_kib_most": most / 1024,
            "beside": beside,
            "files_early": seen.early.files,
            "files_after": seen.late.files,
            "stalled": stalled.len(),
            "stalled_gone_s": seen.down_after.filter(|_| !stalled.is_empty()).map(|after| after.as_secs_f64()),
            "told_otherwise": told_otherwise,
            "disorder": air.score.disorder,
            "foreign": air.score.foreign,
            "channel": figures(&air.score.groups[MAIN]),
            "pair": figures(&air.score.groups[PAIRS]),
        }))
    }
}

impl Fanout {
    /// Listeners that never read, and whose window is soon full.
    fn stall(&self, opener: &Opener) -> Result<Vec<Box<dyn Line>>> {
        let first = self.listeners + self.talkers + 2 * self.pairs;
        let lines = (first..first + self.stalled).map(|number| {
            let line = opener.open(number, false, &self.channel)?;
            for socket in line.sockets() {
                set_socket_recv_buffer_size(socket, STALLED_BUFFER_BYTES)?;
            }
            Ok(line)
        });
        lines.collect()
    }
}

/// Waits until the server has told everybody of all the joins, which must not count as work of the fan-out.
fn settle(air: &mut Air, server: Process) -> Result<()> {
    let begin = Instant::now();
    loop {
        let before = server.cpu()?;
        air.listen(SETTLE_STEP)?;
        if server.cpu()? - before <= IDLE_CPU {
            return Ok(());
        }
        anyhow::ensure!(begin.elapsed() < SETTLE_TIMEOUT, "the server is still busy with the joins");
    }
}

/// Time since the machine was started: a profiler beside can tell by it when people talked.
fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn figures(group: &Group) -> serde_json::Value {
    let ms = |micros: u64| micros as f64 / 1000.0;
    let quantile = |q| ms(group.latency.value_at_quantile(q));
    json!({
        "sent": group.sent,
        "expected": group.expected,
        "delivered": group.delivered,
        "delivered_share": group.delivered as f64 / group.expected.max(1) as f64,
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "p999_ms": quantile(0.999),
        "max_ms": ms(group.latency.max()),
        "longest_gap_ms": ms(group.longest_gap),
        "last_p99_ms": ms(group.last_latency.value_at_quantile(0.99)),
    })
}

/// Opens lines to one server.
enum Opener {
    Tenfour(Door, Wish),
    Other(Kind, SocketAddr),
    Mumble(SocketAddr, std::sync::Arc<rustls::ClientConfig>),
}

impl Opener {
    fn new(fanout: &Fanout) -> Result<Self> {
        let address = || fanout.at.parse().context("an address and a port, like 127.0.0.1:4222");
        match fanout.kind {
            Kind::Tenfour => {
                let (channel, frame_ms) = (fanout.channel.clone(), FrameTime::try_from(fanout.frame_ms)?);
                let wish = Wish { channel, economy: fanout.economy, frame_ms };
                Ok(Self::Tenfour(Door::find(&fanout.at, fanout.sockets(), fanout.from)?, wish))
            }
            Kind::Mumble => {
                mumble::check_payload(fanout.payload)?;
                Ok(Self::Mumble(address()?, tls::config()))
            }
            Kind::Floor | Kind::Nats | Kind::Mqtt => Ok(Self::Other(fanout.kind, address()?)),
        }
    }

    fn open(&self, number: usize, talks: bool, channel: &ChannelId) -> Result<Box<dyn Line>> {
        Ok(match self {
            Self::Tenfour(door, wish) => {
                Box::new(door.open(number, &Wish { channel: channel.clone(), ..wish.clone() })?)
            }
            Self::Mumble(address, tls) => Box::new(Mumble::open(*address, number, tls)?),
            Self::Other(Kind::Nats, address) => Box::new(Nats::open(*address, talks)?),
            Self::Other(Kind::Mqtt, address) => Box::new(Mqtt::open(*address, number, talks)?),
            Self::Other(_, address) => Box::new(Floor::open(*address, talks)?),
        })
    }
}
