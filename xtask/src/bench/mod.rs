//! Benchmarks: the radio beside the least that a server can do, and beside servers that people use today.
//!
//! Everything runs on this machine over loopback. Server and virtual users have a core each, rounds alternate, and
//! gates are judged by the ratios within a round.

mod chart;
mod crowd;
mod fanout;
mod gates;
mod hub;
mod latency;
mod page;
mod profile;
mod report;
mod rivals;
pub(crate) mod servers;
mod start;
pub(crate) mod statistics;
mod storm;
mod turns;
pub(crate) mod users;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use crate::shell::sh;
use crate::web;

#[derive(Args)]
pub(crate) struct Bench {
    /// Measures what is built already
    #[arg(long, global = true)]
    built: bool,
    /// Before all other programs of the machine, as root: for a machine that others use too
    #[arg(long, global = true)]
    realtime: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// One voice, many listeners: ours, the floor, Mumble, NATS, Mosquitto (P1-P5, P9)
    Fanout(fanout::Fanout),
    /// Control events, audiences, joins (P8)
    Hub,
    /// 500 talking pairs beside a large channel, and two pages (P6, P7)
    Latency,
    /// Listeners that never read, beside others
    Stalled,
    /// 9,000 listeners for ten minutes
    Soak {
        /// Seconds of speech
        #[arg(long = "for", default_value_t = 590)]
        seconds: u32,
    },
    /// From the start to the first answer, and the size of the binary (P10)
    Start,
    /// Thousands of connections drop at once and come back
    Storm,
}

/// Runs one benchmark, or all, and writes what came out. Fails when a gate fails.
pub(crate) fn bench(bench: &Bench) -> Result<()> {
    if !bench.built {
        build()?;
    }
    if bench.realtime {
        servers::go_first();
    }
    let sections = match &bench.what {
        Some(What::Fanout(fanout)) => vec![fanout.run()?],
        Some(What::Hub) => vec![hub::run()?],
        Some(What::Latency) => vec![latency::run()?],
        Some(What::Stalled) => vec![crowd::stalled()?],
        Some(What::Soak { seconds }) => vec![crowd::soak(*seconds)?],
        Some(What::Start) => vec![start::run()?],
        Some(What::Storm) => vec![storm::run()?],
        None => {
            let fanout = fanout::Fanout::default().run()?;
            vec![fanout, crowd::stalled()?, latency::run()?, hub::run()?, storm::run()?, start::run()?]
        }
    };
    let mut failed = Vec::new();
    for section in sections {
        println!("\n{}", section.markdown());
        failed.extend(section.failed());
        if section.keep {
            report::replace(&section)?;
        }
    }
    ensure!(failed.is_empty(), "not met: {}", failed.join("; "));
    Ok(())
}

fn build() -> Result<()> {
    web::build()?;
    sh("cargo build --release --package tenfour-cli --package tenfour-loadgen")
}
