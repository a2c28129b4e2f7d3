//! Thousands of connections drop at once and come back; others talk on meanwhile.

use anyhow::{Context, Result, ensure};

use super::gates;
use super::report::Section;
use super::servers::{Ours, Server};
use super::users;

/// Each process may have 20,000 open files here: the server needs one for each connection.
const DROPPED: usize = 10_000;
const UNTOUCHED: &str = "--kind tenfour --pairs 100 --listeners 0 --talkers 0 --for 50";
/// Longest storm: it has to be over before the pairs stop talking.
const MAX_STORM_S: f64 = 45.0;

pub(super) fn run() -> Result<Section> {
    let server = Server::ours(Ours::PLAIN)?;
    let pairs = format!("fanout {UNTOUCHED} --at {} --pid {}", server.at, server.pid());
    let pairs = std::thread::spawn(move || users::run(&pairs));
    let storm = format!("storm --users {DROPPED} --at {}", server.at);
    let storm = users::run(&storm);
    let pairs = pairs.join().expect("it does not panic")?;
    let storm = storm.context("the storm")?;
    let (back, gap) = (storm.number("all_back_s"), pairs.number("pair.longest_gap_ms"));
    let storm_took = storm.number("opened_s") + back;
    ensure!(storm_took < MAX_STORM_S, "the storm took {storm_took:.0} s, longer than the pairs talked");
    let text = format!(
        "`tenfour-fanout storm --users {DROPPED}` beside `tenfour-fanout fanout {UNTOUCHED}`, one server on one core: \
         {DROPPED} sockets are closed at once without a word, and each is opened again at once, with its resume \
         token, {} of them resumed. Users dial from 16 threads, as fast as they are answered; both programs share a \
         core.\n\n\
         | opened at first in | all back after | pairs: longest gap | p99 | delivered |\n|---|---|---|---|---|\n\
         | {:.1} s | {back:.1} s | {gap:.0} ms | {:.1} ms | {:.4} |\n",
        storm.number("resumed"),
        storm.number("opened_s"),
        pairs.number("pair.p99_ms"),
        pairs.number("pair.delivered_share"),
    );
    let verdicts = vec![gates::STORM_BACK.judge(back), gates::STORM_GAP.judge(gap)];
    Ok(Section { name: "storm", title: "Storm", text, verdicts, keep: true })
}
