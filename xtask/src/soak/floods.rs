//! What attackers do to a server, while 500 pairs talk beside a channel of a thousand.
//!
//! All run in a network namespace whose loopback interface has addresses of 10.0.0.0/8: honest users, attackers
//! and somebody who opens a page have addresses of their own, which the server's exemption of loopback does not
//! cover. The server has a core and the honest users have the other one. Attackers get what both leave, so that
//! the latency is the server's and not that of virtual users who wait for a core.

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::flood_table::{self, Row};
use crate::bench::servers::{Ours, Server};
use crate::bench::users::{self, Figures};
use crate::packages;
use crate::shell::{command, run, sh, target};
use crate::web;

/// All that `tenfour-fanout flood` knows, in the order of the table.
pub(super) const FLOODS: [&str; 24] = [
    "connects",
    "handshakes",
    "slow-heads",
    "pages-unread",
    "log-ins",
    "bad-log-ins",
    "registrations",
    "nonces",
    "upgrades",
    "pings",
    "pongs",
    "empty-fragments",
    "bad-json",
    "large-json",
    "presses",
    "start-stop",
    "dead-voice",
    "oversize-voice",
    "media-time",
    "resumes",
    "participants",
    "zero-windows",
    "resets",
    "17000-sockets",
];
/// What honest users do.
const WORK: &str =
    "--kind tenfour --pairs 500 --listeners 1000 --talkers 1 --channel plaza --leave --from 10.77.0.0/16";
/// Addresses of attackers who need more than one: a server gives an address 2,000 connections.
const MANY: &str = "10.88.0.0/27";
const ONE: &str = "10.88.0.1/32";
/// The address of somebody who opens a page meanwhile.
const VISITOR: &str = "10.99.0.1";
/// Measured after a flood, of which the last half has to be as good as quiet.
const AFTER_SECONDS: u32 = 10;
const NORMAL_SECONDS: u32 = 5;
const MAX_QUIET_SECONDS: u32 = 20;
/// Before the first round, so that the server's memory has grown to what its users need.
const WARM_SECONDS: u32 = 2;

/// Flags of `cargo xtask soak floods`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Floods {
    /// Seconds of each
    #[arg(long = "for", default_value_t = 60)]
    seconds: u32,
    /// Rounds of each, alternating with quiet ones
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Sound in one frame of the honest: 20, 40 or 60 ms. Longer ones are less work, for a machine whose core is full
    /// without any flood
    #[arg(long, default_value_t = 20)]
    frame_ms: u8,
    /// Only these
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Floods what is built already
    #[arg(long)]
    built: bool,
    /// Set in the network namespace, in which this program starts itself again
    #[arg(long, hide = true)]
    inside: bool,
}

impl Floods {
    /// Runs all, prints the table, and keeps it in docs/reliability.md when it is whole.
    pub(crate) fn run(&self) -> Result<()> {
        if self.inside {
            return self.measure();
        }
        if let Some(unknown) = self.only.iter().find(|only| !FLOODS.contains(&only.as_str())) {
            bail!("there is no flood {unknown}, but {}", FLOODS.join(", "));
        }
        if !self.built {
            web::build()?;
            sh("cargo build --release --package tenfour-cli --package tenfour-loadgen")?;
        }
        let mut unshare = Command::new("unshare");
        if !packages::is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--net", "sh", "-c"]);
        unshare.arg("PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ip route add local 10.0.0.0/8 dev lo && exec \"$@\"");
        unshare.arg("sh").arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).arg("--inside");
        run(&mut unshare)
    }

    fn measure(&self) -> Result<()> {
        let chosen = |name: &&str| self.only.is_empty() || self.only.iter().any(|only| only == name);
        let names: Vec<&str> = FLOODS.into_iter().filter(chosen).collect();
        println!("{}", flood_table::HEAD.trim_end());
        let mut rows = Vec::new();
        for name in names {
            let row = self.flood(name).with_context(|| format!("flood {name}"))?;
            println!("{}", row.text());
            rows.push(row);
        }
        if self.only.is_empty() {
            let flags =
                format!("--for {} --rounds {} --frame-ms {}", self.seconds, self.rounds, self.frame_ms);
            flood_table::keep(&rows, &flags)?;
        }
        let failed: Vec<_> = rows.iter().filter(|row| !row.faults().is_empty()).map(|row| row.name).collect();
        ensure!(failed.is_empty(), "the goals are not met under: {}", failed.join(", "));
        Ok(())
    }

    /// A server for one flood, in rounds that alternate with quiet ones.
    fn flood(&self, name: &'static str) -> Result<Row> {
        let server = Server::ours(Ours { tls: name == "handshakes", talk_limit: "10m", ..Ours::PLAIN })?;
        let at =
            format!("fanout {WORK} --frame-ms {} --at {} --pid {}", self.frame_ms, server.at, server.pid());
        let from = if name == "17000-sockets" { MANY } else { ONE };
        let mut row = Row::new(name);
        users::run(&format!("{at} --for {WARM_SECONDS}"))?;
        for _ in 0..self.rounds {
            let quiet = users::run(&format!("{at} --for {}", self.seconds.min(MAX_QUIET_SECONDS)))?;
            row.quiet.push(quiet.number("pair.p99_ms"));
            row.quiet_memory.push(quiet.number("rss_kib_most"));
            let flood = format!(
                "taskset -c 0,1 chrt --idle 0 {} flood {name} --at {} --for {} --from {from}",
                target().join("release/tenfour-fanout").display(),
                server.at,
                self.seconds
            );
            let time = self.seconds + AFTER_SECONDS;
            let (figures, page) = visited(&server.at, || {
                users::run_with(&format!("{at} --for {time} --last {NORMAL_SECONDS}"), &["--beside", &flood])
            });
            row.page = row.page.max(page);
            match figures {
                Ok(figures) => row.take(&figures),
                Err(error) => row.broken = Some(format!("{error:#}")),
            }
        }
        Ok(row)
    }
}

/// Does `what` while somebody opens the page again and again, and gives the longest wait for it.
fn visited<T>(url: &str, what: impl FnOnce() -> T) -> (T, Duration) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let visitor = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !over.load(Relaxed) {
                let begin = Instant::now();
                let page = format!("curl --interface {VISITOR} -sSfk -m 10 -o /dev/null {url}/");
                let answered = command(&page).status().is_ok_and(|status| status.success());
                longest = longest.max(if answered { begin.elapsed() } else { Duration::MAX });
                std::thread::sleep(Duration::from_millis(500));
            }
            longest
        });
        let done = what();
        over.store(true, Relaxed);
        (done, visitor.join().expect("a visitor does not panic"))
    })
}

impl Row {
    fn take(&mut self, figures: &Figures) {
        self.flooded.push(figures.number("pair.p99_ms"));
        self.after.push(figures.number("pair.last_p99_ms"));
        let delivered = figures.number("pair.delivered_share").min(figures.number("channel.delivered_share"));
        self.delivered = self.delivered.min(delivered);
        self.memory.push(figures.number("rss_kib_most"));
        self.sent.push(figures.number("beside.sent"));
        self.bytes.push(figures.number("beside.bytes"));
        self.refused.push(figures.number("beside.refused"));
    }
}
