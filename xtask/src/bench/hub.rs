//! Control: events, audiences, joins.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::gates;
use super::report::Section;
use super::servers::{Ours, Server};
use super::users::{self, Figures};
use crate::shell::command;

const JOINS: &str = "joins --step 992 --steps 8";

pub(super) fn run() -> Result<Section> {
    let audiences = lines_of("audience")?;
    let events = lines_of("events")?;
    let server = Server::ours(Ours::PLAIN)?;
    let joins = users::run(&format!("{JOINS} --at {} --pid {}", server.at, server.pid()))?;
    let steps: Vec<Figures> =
        joins.0["steps"].as_array().into_iter().flatten().cloned().map(Figures).collect();
    let (second, last) = (steps.get(1).context("two steps")?, steps.last().context("a step")?);
    let growth = last.number("cpu_us_per_join") / second.number("cpu_us_per_join");
    let per_second: Vec<f64> = steps.iter().map(|step| step.number("joins_per_second")).collect();
    let per_second = super::statistics::Spread::of(per_second);
    let audience = number(&audiences, "participants", 100_000.0, "median_us") / 1000.0;
    let all = events.first().map_or(f64::NAN, |line| line["events_per_second"].as_f64().unwrap_or(f64::NAN));

    let mut text =
        String::from("`cargo bench -p tenfour-core --bench events`, the hub alone, one core:\n\n```json\n");
    text += &shown(&events);
    text += "```\n\n`cargo bench -p tenfour-core --bench audience`, from a press to the drained orders of the hub, \
             everybody in a cell of their own:\n\n```json\n";
    text += &shown(&audiences);
    text += &format!(
        "```\n\n`tenfour-fanout {JOINS}`: people with a key each, who log in (two requests, a signature, the store), \
         open a socket and tune to the same channel; nobody leaves. Each makes one connection for the requests of a \
         log-in, as browsers do, and one for the socket; all users have one core, as the server has.\n\n\
         | present | joins a second | CPU of the server a join, us |\n|---|---|---|\n"
    );
    for step in &steps {
        text += &format!(
            "| {} | {:.0} | {:.0} |\n",
            step.number("present"),
            step.number("joins_per_second"),
            step.number("cpu_us_per_join")
        );
    }
    let verdicts = vec![
        gates::P8_EVENTS.judge(all),
        gates::P8_AUDIENCE.judge(audience),
        gates::P8_JOINS.judge(per_second.median),
        gates::P8_GROWTH.judge(growth),
    ];
    Ok(Section { name: "hub", title: "Hub", text, verdicts, keep: true })
}

/// The JSON lines of a benchmark of the core.
fn lines_of(bench: &str) -> Result<Vec<Value>> {
    let mut bench = command(&format!("cargo bench --quiet --package tenfour-core --bench {bench}"));
    let output = bench.stderr(Stdio::inherit()).output().context("cannot start cargo bench")?;
    let lines: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    ensure!(!lines.is_empty(), "a benchmark of the core printed nothing");
    Ok(lines)
}

/// The largest `wanted` of the lines whose `key` has this value.
fn number(lines: &[Value], key: &str, value: f64, wanted: &str) -> f64 {
    let of_key = lines.iter().filter(|line| line[key].as_f64() == Some(value));
    of_key.filter_map(|line| line[wanted].as_f64()).fold(f64::NAN, f64::max)
}

fn shown(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_worst_of_several_lines_counts() {
        let lines = [json!({"n": 1, "us": 5}), json!({"n": 2, "us": 9}), json!({"n": 1, "us": 7})];
        assert_eq!(number(&lines, "n", 1.0, "us"), 7.0);
        assert!(number(&lines, "n", 3.0, "us").is_nan());
    }
}
