//! How many people log in and join in a second, and whether the last costs more than the first.

use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tenfour_client::Identity;
use tenfour_protocol::control::FrameTime;

use crate::lines::tenfour::{Door, Tenfour, Wish};
use crate::process::Process;

/// Joins that are under way at the same time.
const THREADS: usize = 16;

/// Flags of `tenfour-fanout joins`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Joins {
    /// The server's URL
    #[arg(long)]
    at: String,
    /// Its process number
    #[arg(long)]
    pid: u32,
    /// People in one step
    #[arg(long, default_value_t = 1000)]
    step: usize,
    /// Steps, one after the other; nobody leaves
    #[arg(long, default_value_t = 9)]
    steps: usize,
}

impl Joins {
    /// Registers everybody, then measures steps of log-ins and joins of one channel.
    pub(crate) fn run(self) -> Result<serde_json::Value> {
        crate::file_limit::raise_file_limit(self.step * self.steps)?;
        let door = Door::find(&self.at, 1, None)?;
        let server = Process(self.pid);
        let mut lines = Vec::new();
        let mut steps = Vec::new();
        for _ in 0..self.steps {
            let people = self.in_threads(|_| {
                let people: std::io::Result<Vec<_>> = self.share().map(|_| Identity::generate()).collect();
                let people = people?;
                door.log_in(&people)?;
                Ok(people)
            })?;
            let (cpu, begin) = (server.cpu()?, Instant::now());
            let joined = self.in_threads(|thread| join(&door, &people[thread]))?;
            let (took, cpu) = (begin.elapsed(), server.cpu()? - cpu);
            let count = joined.iter().map(Vec::len).sum::<usize>();
            lines.extend(joined);
            steps.push(json!({
                "present": lines.iter().map(Vec::len).sum::<usize>(),
                "joins_per_second": count as f64 / took.as_secs_f64(),
                "cpu_us_per_join": cpu.as_secs_f64() * 1e6 / count as f64,
            }));
        }
        Ok(json!({ "steps": steps, "rss_kib": server.resident()? / 1024 }))
    }

    /// The share of one thread in a step.
    fn share(&self) -> std::ops::Range<usize> {
        0..self.step / THREADS
    }

    fn in_threads<T: Send>(&self, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
        let together = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            let (work, together) = (&work, &together);
            let start = |thread| {
                scope.spawn(move || {
                    together.wait();
                    work(thread)
                })
            };
            let threads: Vec<_> = (0..THREADS).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        })
    }
}

fn join(door: &Door, people: &[Identity]) -> Result<Vec<Tenfour>> {
    let channel = "19".parse()?;
    let wish = Wish { channel, economy: false, frame_ms: FrameTime::Ms20 };
    let tokens = door.log_in(people)?;
    tokens.iter().map(|token| door.open_as(token, &wish).context("a join")).collect()
}
