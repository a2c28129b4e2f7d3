//! Many connections drop at once, and all come back.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tenfour_protocol::control::FrameTime;

use crate::lines::tenfour::{Door, Tenfour, Wish};

/// Connections that are made at the same time.
const THREADS: usize = 16;

/// Flags of `tenfour-fanout storm`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Storm {
    /// The server's URL
    #[arg(long)]
    at: String,
    /// Connections
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// Channels they are spread over
    #[arg(long, default_value_t = 40)]
    channels: usize,
    /// Seconds from the last join to the drop
    #[arg(long, default_value_t = 1.0)]
    calm: f64,
}

impl Storm {
    /// Opens the lines, drops all at once, and resumes each.
    pub(crate) fn run(self) -> Result<serde_json::Value> {
        crate::file_limit::raise_file_limit(self.users)?;
        let door = Door::find(&self.at, self.users, None)?;
        let together = Barrier::new(THREADS);
        let threads: Vec<Result<Times>> = std::thread::scope(|scope| {
            let start = |thread| {
                let (door, together, storm) = (&door, &together, &self);
                scope.spawn(move || storm.thread(thread, door, together))
            };
            let threads: Vec<_> = (0..THREADS).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        let times: Vec<Times> = threads.into_iter().collect::<Result<_>>()?;
        let dropped = times.iter().map(|times| times.dropped).min().context("no thread")?;
        let back = times.iter().map(|times| times.back).max().context("no thread")?;
        let opened = times.iter().map(|times| times.opened).max().context("no thread")?;
        let resumed: usize = times.iter().map(|times| times.resumed).sum();
        Ok(json!({
            "users": self.users,
            "resumed": resumed,
            "opened_s": opened.as_secs_f64(),
            "all_back_s": back.duration_since(dropped).as_secs_f64(),
        }))
    }

    fn thread(&self, thread: usize, door: &Door, together: &Barrier) -> Result<Times> {
        let begin = Instant::now();
        let lines: Result<Vec<Tenfour>> = (thread..self.users)
            .step_by(THREADS)
            .map(|user| door.open(user, &self.wish(user)?).with_context(|| format!("user {user}")))
            .collect();
        // The other threads wait at the barrier even when this one has failed.
        let opened = begin.elapsed();
        together.wait();
        let lines = lines?;
        std::thread::sleep(Duration::from_secs_f64(self.calm));
        let tokens: Vec<String> = lines.iter().map(|line| line.resume.clone()).collect();
        together.wait();
        let dropped = Instant::now();
        drop(lines);
        let mut kept = Vec::new();
        for (place, token) in tokens.iter().enumerate() {
            let user = thread + place * THREADS;
            kept.push(
                door.resume(user, &self.wish(user)?, token).with_context(|| format!("user {user} again"))?,
            );
        }
        let resumed = kept.iter().filter(|line| line.resumed).count();
        Ok(Times { opened, dropped, back: Instant::now(), resumed })
    }

    fn wish(&self, user: usize) -> Result<Wish> {
        let channel = (1 + user % self.channels).to_string().parse()?;
        Ok(Wish { channel, economy: false, frame_ms: FrameTime::Ms20 })
    }
}

struct Times {
    opened: Duration,
    dropped: Instant,
    back: Instant,
    resumed: usize,
}
