//! What `tenfour-load` is told to do.

use clap::Parser;

/// Puts virtual listeners and talkers on a server.
#[derive(Debug, Clone, Parser)]
#[command(name = "tenfour-load", version)]
pub(crate) struct Arguments {
    /// The server; plain http only
    #[arg(long, value_name = "URL", env = "TENFOUR_SERVER", default_value = "http://127.0.0.1:27185")]
    pub(crate) server: String,
    /// Virtual listeners
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) listeners: u32,
    /// Virtual talkers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) talkers: u32,
    /// Where everybody is; several: listeners and talkers are dealt out in turn
    #[arg(long = "channel", visible_alias = "channels", value_delimiter = ',', default_value = "19")]
    pub(crate) channels: Vec<tenfour_protocol::ChannelId>,
    /// How long to talk, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value = "10s", value_parser = seconds)]
    pub(crate) time: f64,
    /// Longest single burst, in seconds; then the talker breathes and goes on
    #[arg(long, value_name = "SECONDS", default_value = "30s", value_parser = seconds)]
    pub(crate) burst: f64,
    /// Sound in one frame: 20, 40 or 60 ms
    #[arg(long, value_name = "MS", default_value_t = 20)]
    pub(crate) frame_ms: u8,
    /// Bytes of Opus in one frame
    #[arg(long, value_name = "BYTES", default_value_t = 80)]
    pub(crate) payload: u16,
    /// Sockets that are opened at once
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) opening: usize,
    /// Fails when less than this share of the frames is delivered
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) gate_delivered: f64,
    /// Fails when the 99th percentile of the latency is above this
    #[arg(long, value_name = "MS")]
    pub(crate) gate_p99_ms: Option<f64>,
}

/// `10`, `10s` or `2.5s`.
fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.strip_suffix('s').unwrap_or(text).parse().map_err(|_| "write it like 10s".to_owned())?;
    if (0.1..=86_400.0).contains(&number) { Ok(number) } else { Err("between 0.1s and a day".into()) }
}
