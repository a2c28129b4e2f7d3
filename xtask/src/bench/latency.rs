//! What a large channel does to those who talk beside it, and how long a word takes from page to page.

use anyhow::Result;

use super::gates::{self, Verdict};
use super::page;
use super::report::Section;
use super::servers::{Ours, Server};
use super::statistics::Spread;
use super::users;

/// Pairs that talk at once, and the listeners of the channel beside them.
const WORK: &str = "--kind tenfour --pairs 500 --listeners 1000 --talkers 1 --for 5 --awake";
const RUNS: usize = 5;

pub(super) fn run() -> Result<Section> {
    let (beside, mut verdicts) = beside_a_large_channel()?;
    let (pages, of_pages) = page::to_page()?;
    verdicts.extend(of_pages);
    let text = format!("{beside}\n{pages}");
    Ok(Section { name: "latency", title: "Latency", text, verdicts, keep: true })
}

fn beside_a_large_channel() -> Result<(String, Vec<Verdict>)> {
    let mut figures = Vec::new();
    for _ in 0..RUNS {
        let server = Server::ours(Ours::PLAIN)?;
        figures.push(users::run(&format!("fanout {WORK} --at {} --pid {}", server.at, server.pid()))?);
    }
    let spread = |path| Spread::of(figures.iter().map(|figures| figures.number(path)));
    let (p50, p99) = (spread("pair.p50_ms"), spread("pair.p99_ms"));
    let text = format!(
        "`tenfour-fanout fanout {WORK}`: 500 channels with one talker and one listener, beside a channel with 1,000. \
         All talk; one thread of users reads 75,000 frames a second, and its own delay is in these figures. Medians \
         of {RUNS} runs. The server used {} s of CPU in 5 s.\n\n| who | p50 ms | p99 ms | p99.9 ms | delivered |\n|---|---|---|---|---|\n\
         | pairs | {} | {} | {} | {:.4} |\n| large channel | {} | {} | {} | {:.4} |\n",
        spread("cpu_s").text(2),
        p50.text(2),
        p99.text(2),
        spread("pair.p999_ms").text(2),
        spread("pair.delivered_share").least,
        spread("channel.p50_ms").text(2),
        spread("channel.p99_ms").text(2),
        spread("channel.p999_ms").text(2),
        spread("channel.delivered_share").least,
    );
    Ok((text, vec![gates::P6_P50.judge(p50.median), gates::P6_P99.judge(p99.median)]))
}
