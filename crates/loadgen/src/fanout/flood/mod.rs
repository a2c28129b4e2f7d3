//! `tenfour-fanout flood`: what attackers do to a server, as fast as they can, while others talk.
//!
//! `docs/reliability.md` says what each did. Attackers have addresses of their own: neither those of honest users nor
//! those of loopback, whose share the server does not limit.

mod call;
mod ground;
mod held;
mod requests;
mod streams;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use crate::network::Network;
use ground::Ground;
use held::Holding;
use streams::Stream;

/// Connections of one address that a server may have.
const OF_ONE_ADDRESS: usize = 2_000;

/// A kind of flood.
struct Flood {
    name: &'static str,
    how: How,
}

enum How {
    Requests(requests::Attempt),
    Held(Holding),
    Streams(Stream),
}

const fn requests(name: &'static str, attempt: requests::Attempt) -> Flood {
    Flood { name, how: How::Requests(attempt) }
}

const fn held(name: &'static str, holding: Holding) -> Flood {
    Flood { name, how: How::Held(holding) }
}

const fn streams(
    name: &'static str,
    sockets: usize,
    channel: fn(usize) -> String,
    chunk: fn(usize, u32) -> Result<Vec<u8>>,
) -> Flood {
    Flood { name, how: How::Streams(Stream { sockets, channel, chunk }) }
}

const fn holding(connections: usize, open: fn(&Ground, usize) -> Result<std::net::TcpStream>) -> Holding {
    Holding { connections, open, trickle: b"" }
}

const FLOODS: [Flood; 24] = [
    requests("connects", requests::connects),
    held("handshakes", holding(OF_ONE_ADDRESS, held::unfinished_handshake)),
    held("slow-heads", Holding { trickle: b"X-Slow: 1\r\n", ..holding(OF_ONE_ADDRESS, held::slow_head) }),
    held("pages-unread", holding(OF_ONE_ADDRESS, held::unread_pages)),
    requests("log-ins", requests::good_log_ins),
    requests("bad-log-ins", requests::bad_log_ins),
    requests("registrations", requests::registrations),
    requests("nonces", requests::nonces),
    requests("upgrades", requests::upgrades),
    streams("pings", 64, streams::numbered, streams::pings),
    streams("pongs", 64, streams::numbered, streams::pongs),
    streams("empty-fragments", 64, streams::numbered, streams::empty_fragments),
    streams("bad-json", 64, streams::numbered, streams::bad_json),
    streams("large-json", 64, streams::numbered, streams::large_json),
    streams("presses", 160, streams::numbered, streams::presses),
    streams("start-stop", 160, streams::numbered, streams::start_stop),
    streams("dead-voice", 64, streams::numbered, streams::dead_voice),
    streams("oversize-voice", 64, streams::numbered, streams::oversize_voice),
    streams("media-time", 64, streams::numbered, streams::media_time_jumps),
    requests("resumes", requests::resumes),
    streams("participants", 64, streams::large, streams::participants),
    held("zero-windows", holding(64, held::zero_window)),
    requests("resets", requests::resets),
    held("17000-sockets", holding(17_000, held::idle)),
];

/// Flags of `tenfour-fanout flood`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Flags {
    /// Its name
    #[arg(value_parser = PossibleValuesParser::new(FLOODS.iter().map(|flood| flood.name)))]
    name: String,
    /// The server's URL
    #[arg(long)]
    at: String,
    /// Network whose addresses attackers have: one with /32, or more
    #[arg(long, default_value = "10.88.0.1/32")]
    from: Network,
    /// Users that are registered before, each for eight sockets
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// Connections at once, instead of the flood's own number
    #[arg(long)]
    sockets: Option<usize>,
    /// Seconds
    #[arg(long = "for", default_value_t = 60.0)]
    seconds: f64,
}

impl Flags {
    /// Floods, and tells how much it did.
    pub(crate) fn run(self) -> Result<serde_json::Value> {
        let flood = FLOODS.iter().find(|flood| flood.name == self.name).context("no such flood")?;
        crate::file_limit::raise_file_limit(self.sockets.unwrap_or(20_000).min(19_000))?;
        let ground = Ground::new(&self.at, self.from, self.people, Duration::from_secs_f64(self.seconds))?;
        eprintln!("flooding");
        match flood.how {
            How::Requests(attempt) => requests::run(&ground, attempt),
            How::Held(held) => {
                held::run(&ground, Holding { connections: self.sockets.unwrap_or(held.connections), ..held });
            }
            How::Streams(stream) => {
                streams::run(&ground, Stream { sockets: self.sockets.unwrap_or(stream.sockets), ..stream });
            }
        }
        let tally = &ground.tally;
        Ok(json!({
            "flood": self.name,
            "sent": tally.sent.load(Relaxed),
            "bytes": tally.bytes.load(Relaxed),
            "refused": tally.refused.load(Relaxed),
            "words": tally.words(),
        }))
    }
}
