//! One voice, many listeners, on one server after the other.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use super::gates::{self, Verdict};
use super::report::Section;
use super::rivals::{self, Rival};
use super::servers::{Ours, Server};
use super::statistics::Spread;
use super::turns::{AWAKE, Rounds, Turn};
use super::users;
use super::{chart, profile, servers};

#[derive(Args, Default)]
pub(super) struct Fanout {
    /// P1, P2 and P4 in under a minute, which is not written down
    #[arg(long)]
    quick: bool,
    /// Rounds; each server has its turn in each [default: 5, quick: 2]
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of speech in a turn [default: 5, quick: 3]
    #[arg(long)]
    seconds: Option<u32>,
    /// Listeners [default: 1000]
    #[arg(long)]
    listeners: Option<u32>,
    /// Profiles the server instead, and leaves stacks for a flame graph viewer in the target folder
    #[arg(long, conflicts_with_all = ["quick", "rounds"])]
    profile: bool,
}

/// A server whose latency is longer than a frame does not keep pace.
const FRAME_MS: f64 = 20.0;
/// Listeners of the largest channel.
const LARGE: u32 = 8000;
/// Of measurements that are not part of the rounds.
const RUNS: usize = 3;

const CPU: &str = "cpu_us_per_frame";
const CPU_OF_LISTENING: &str = "cpu_us_per_listener_second";

impl Fanout {
    pub(super) fn run(&self) -> Result<Section> {
        // A quick run, or one of another size, is not written down.
        let usual = !self.quick && self.listeners.or(self.seconds).is_none() && self.rounds.is_none();
        if self.profile {
            return profile::profile(&self.work(), usual);
        }
        let rounds = self.rounds()?;
        let mut verdicts = self.judge(&rounds);
        let mut text = self.table(&rounds);
        if !self.quick {
            let (largest, of_largest) = largest()?;
            let (second_core, of_second_core) = second_core(&self.work())?;
            verdicts.extend(of_largest.into_iter().chain([of_second_core]));
            text += &format!("\n{largest}\n{second_core}");
            if usual {
                chart::write(&rounds)?;
            }
            text += &format!("\n![CPU of each server against the floor]({})\n", chart::FILE);
        }
        Ok(Section { name: "fanout", title: "Fan-out", text, verdicts, keep: usual })
    }

    fn turns(&self) -> Result<Vec<Turn>> {
        let mut turns = vec![Turn::Floor, Turn::Plain, Turn::Bundled, Turn::LowData];
        if !self.quick {
            turns.extend([Turn::Twos, Turn::Threes, Turn::Tls]);
            turns.extend(rivals::present()?.into_iter().map(Turn::Rival));
        }
        Ok(turns)
    }

    /// Flags that all turns share.
    fn work(&self) -> String {
        let seconds = self.seconds.unwrap_or(if self.quick { 3 } else { 5 });
        format!("--listeners {} --talkers 1 --for {seconds}", self.listeners.unwrap_or(1000))
    }

    fn rounds(&self) -> Result<Rounds> {
        let mut rounds = Rounds { turns: self.turns()?, figures: BTreeMap::new() };
        let count = self.rounds.unwrap_or(if self.quick { 2 } else { 5 });
        for round in 0..count {
            let mut order: Vec<usize> = (0..rounds.turns.len()).collect();
            // The order is turned round each time, so that a machine that warms up favours nobody.
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let turn = rounds.turns[index];
                let server = turn.start()?;
                let figures = users::run(&format!(
                    "fanout {} {AWAKE} {} --at {} --pid {}",
                    self.work(),
                    turn.flags(),
                    server.at,
                    server.pid()
                ))?;
                println!(
                    "round {}: {}: {:.2} us a frame, p99 {:.1} ms, {:.4} delivered",
                    round + 1,
                    turn.name(),
                    figures.number(CPU),
                    figures.number("channel.p99_ms"),
                    figures.number("channel.delivered_share")
                );
                rounds.figures.entry(index).or_default().push(figures);
            }
        }
        Ok(rounds)
    }

    fn judge(&self, rounds: &Rounds) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut judge = |gate: gates::Gate, spread: Option<Spread>| {
            verdicts.extend(spread.map(|spread| gate.judge(spread.median)));
        };
        let mumble = Turn::Rival(Rival::Mumble);
        // A large channel is sent bundles by itself; a quick run has no such channel.
        let bundled = if rounds.turns.contains(&Turn::Threes) { Turn::Threes } else { Turn::Bundled };
        judge(gates::P1, rounds.ratio(Turn::Plain, Turn::Floor, CPU));
        judge(gates::P2, rounds.ratio(bundled, Turn::Floor, CPU_OF_LISTENING));
        judge(gates::P2_LOW_DATA, rounds.ratio(Turn::LowData, Turn::Floor, CPU_OF_LISTENING));
        judge(gates::P2_MUMBLE, rounds.ratio(bundled, mumble, CPU_OF_LISTENING));
        judge(gates::P2_MUMBLE_LOW_DATA, rounds.ratio(Turn::LowData, mumble, CPU_OF_LISTENING));
        judge(gates::P4, Some(rounds.spread(Turn::Plain, "rss_kib_per_line")));
        if rounds.turns.contains(&Turn::Tls) {
            judge(gates::P3, rounds.ratio(Turn::Tls, Turn::Floor, CPU));
            judge(gates::P4_TLS, Some(rounds.spread(Turn::Tls, "rss_kib_per_line")));
        }
        verdicts
    }

    fn table(&self, rounds: &Rounds) -> String {
        let mut text = format!(
            "The same work for each server: `{} {AWAKE}`, 80 bytes every 20 ms unless the row says otherwise. CPU is of the \
             server's process, on core {}; users are on core {}. Medians of {} alternating rounds, with least and \
             most; ratios are taken within a round.\n\n\
             | server | CPU a delivered frame, us | against the floor | CPU a listener-second, us | against the floor | \
             p50 / p99 / p99.9 ms | delivered | KiB a connection | users' command |\n\
             |---|---|---|---|---|---|---|---|---|\n",
            self.work(),
            servers::SERVER_CORE,
            servers::USERS_CORE,
            rounds.figures.values().map(Vec::len).max().unwrap_or(0)
        );
        let late = rounds.spread(Turn::Floor, "channel.p99_ms").median;
        for &turn in &rounds.turns {
            let spread = |path| rounds.spread(turn, path);
            let ratio =
                |path| rounds.ratio(turn, Turn::Floor, path).map_or("-".into(), |ratio| ratio.text(2));
            let late =
                |path| if turn.has_latency() { format!("{:.1}", spread(path).median) } else { "-".into() };
            text += &format!(
                "| {} | {} | {} | {} | {} | {} / {} / {} | {:.4} | {:.1} | `{}` |\n",
                turn.name(),
                spread(CPU).text(2),
                ratio(CPU),
                spread(CPU_OF_LISTENING).text(0),
                ratio(CPU_OF_LISTENING),
                late("channel.p50_ms"),
                late("channel.p99_ms"),
                late("channel.p999_ms"),
                spread("channel.delivered_share").least,
                spread("rss_kib_per_line").median,
                turn.flags()
            );
        }
        if late > FRAME_MS {
            let words = "the machine was busy with something else: a server that is late sends several frames at once, \
                         and looks cheaper than it is. Measure again when it is quiet";
            eprintln!("fanout: {words}.");
            text += &format!("\n**These figures do not count**: {words}.\n");
        }
        text + "\nThe command of a row is `tenfour-fanout fanout --at ADDRESS --pid PID`, the work, then what the row \
                names. Of rivals, the memory is that of the first connections too.\n\n\
                Tenfour sends to 1,000 frame by frame, and in threes to those who wish it (`--economy`). From 1,500 in a channel \
                on it sends in twos by itself, from 3,000 in threes (`docs/adr/0016-bundles-by-who-is-tuned.md`): \
                those rows have that many listeners, and are compared with the floor at the size of all others, \
                for each frame delivered.\n"
    }
}

/// The largest channel: every frame has to arrive.
fn largest() -> Result<(String, [Verdict; 2])> {
    let flags = format!("--listeners {LARGE} --talkers 1 --for 5 {AWAKE} {}", Turn::Bundled.flags());
    let mut figures = Vec::new();
    for _ in 0..RUNS {
        let server = Server::ours(Ours::PLAIN)?;
        figures.push(users::run(&format!("fanout {flags} --at {} --pid {}", server.at, server.pid()))?);
    }
    let spread = |path| Spread::of(figures.iter().map(|figures| figures.number(path)));
    let (share, p99) = (spread("channel.delivered_share"), spread("channel.p99_ms"));
    let text = format!(
        "`{flags}`: {:.4} delivered, p50 {:.1} ms, p99 {} ms, CPU {} s in 5 s.\n",
        share.least,
        spread("channel.p50_ms").median,
        p99.text(1),
        spread("cpu_s").text(2)
    );
    Ok((text, [gates::P5_SHARE.judge(share.least), gates::P5_P99.judge(p99.median)]))
}

/// The same work by one worker and by two: the CPU that the busier of two saves is what a second core brings. Throughput
/// itself cannot be measured on two cores, since the users need one.
fn second_core(work: &str) -> Result<(String, Verdict)> {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        for (workers, cores, busiest) in
            [(1, servers::SERVER_CORE, &mut one), (2, servers::ALL_CORES, &mut two)]
        {
            let server = Server::ours(Ours { workers, cores, ..Ours::PLAIN })?;
            let at = format!("--at {} --pid {}", server.at, server.pid());
            busiest
                .push(users::run(&format!("fanout {work} {at} --kind tenfour"))?.number("busiest_thread_s"));
        }
    }
    let gain = Spread::of_ratios(&one, &two);
    let text = format!(
        "`{work}` by one worker and by two: the busiest thread used {} times the CPU alone.\n",
        gain.text(2)
    );
    Ok((text, gates::P9.judge(gain.median)))
}
