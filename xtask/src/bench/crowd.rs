//! A channel with listeners that never read, and the largest channel for a long time.

use anyhow::Result;

use super::gates;
use super::report::Section;
use super::servers::{ALL_CORES, Ours, Server};
use super::statistics::Spread;
use super::users::{self, Figures};

/// These listeners alone are sent frame by frame. With the stalled ones the channel is large enough for bundles of two,
/// and the first frame of a bundle waits for the second.
const LIVE: &str = "--kind tenfour --listeners 1000 --talkers 1 --awake";
const STALLED: &str = "--stalled 1000";
const WAIT_MS: f64 = 20.0;
const RUNS: usize = 3;
/// Talk limit of a server on which somebody talks for ten minutes.
const LONG: &str = "10m";
const LARGEST: &str = "--kind tenfour --listeners 9000 --talkers 1";

/// 1,000 that listen, without and with 1,000 that stall.
pub(super) fn stalled() -> Result<Section> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        alone.push(turn(&format!("{LIVE} --for 20"), Ours::PLAIN)?);
        beside.push(turn(&format!("{LIVE} --for 20 {STALLED}"), Ours::PLAIN)?);
    }
    let minute = turn(&format!("{LIVE} --for 60 {STALLED}"), Ours { talk_limit: LONG, ..Ours::PLAIN })?;
    let p99 =
        |figures: &[Figures]| Spread::of(figures.iter().map(|figures| figures.number("channel.p99_ms")));
    let (without, with) = (p99(&alone), p99(&beside));
    let growth = with.median - WAIT_MS - without.median;
    let gone = Spread::of(beside.iter().map(|figures| figures.number("stalled_gone_s")));
    let grown = (minute.number("rss_kib_after") - minute.number("rss_kib_early")) / 1024.0;
    let lost: f64 = beside.iter().chain([&minute]).map(|figures| figures.number("told_otherwise")).sum();
    let text = format!(
        "`tenfour-fanout fanout {LIVE} --for 20` without and with `{STALLED}`, {RUNS} alternating runs: p99 of those \
         who listen {} and {} ms, of which {WAIT_MS} are the wait for a bundle of two. Those who stall are gone {} s \
         after the first word. In a minute of speech (`--for 60`) the memory of the process grows by {grown:.2} MiB. \
         {lost} of those who listen were told a wrong number of bursts.\n",
        without.text(1),
        with.text(1),
        gone.text(1),
    );
    let verdicts = vec![
        gates::STALLED_P99.judge(growth),
        gates::STALLED_MEMORY.judge(grown),
        gates::STALLED_GONE.judge(gone.median),
        gates::STALLED_CONTROL.judge(lost),
    ];
    Ok(Section { name: "stalled", title: "Stalled listeners", text, verdicts, keep: true })
}

/// 9,000 listeners for so many seconds, on all cores, which the users have too.
pub(super) fn soak(seconds: u32) -> Result<Section> {
    let work = format!("{LARGEST} --for {seconds}");
    println!("soak: {work}: {seconds} seconds of speech, after some ten for the joins");
    let figures = turn(&work, Ours { workers: 2, cores: ALL_CORES, talk_limit: LONG, ..Ours::PLAIN })?;
    let (early, late) = (figures.number("rss_kib_early"), figures.number("rss_kib_after"));
    let drift = 100.0 * (late - early) / early;
    let files = figures.number("files_after") - figures.number("files_early");
    let share = figures.number("channel.delivered_share");
    let text = format!(
        "`tenfour-fanout fanout {work}`, bundles by the size of the channel, two workers on the two cores that users \
         have too: {:.0} frames, {share:.6} delivered, {} out of order, p50 {:.1} ms, p99 {:.1} ms. Memory of the process \
         after a tenth of the time {early:.0} KiB, at the end {late:.0} KiB; open files {:.0} and {:.0}.\n",
        figures.number("channel.expected"),
        figures.number("disorder"),
        figures.number("channel.p50_ms"),
        figures.number("channel.p99_ms"),
        figures.number("files_early"),
        figures.number("files_after"),
    );
    let verdicts =
        vec![gates::SOAK_SHARE.judge(share), gates::SOAK_DRIFT.judge(drift), gates::SOAK_FILES.judge(files)];
    // A short one is for the person who asked.
    Ok(Section { name: "soak", title: "The largest channel, for long", text, verdicts, keep: seconds >= 590 })
}

fn turn(work: &str, ours: Ours) -> Result<Figures> {
    let server = Server::ours(ours)?;
    users::run(&format!("fanout {work} --at {} --pid {}", server.at, server.pid()))
}
