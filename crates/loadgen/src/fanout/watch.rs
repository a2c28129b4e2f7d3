//! Memory and open files of the server while people talk.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::Process;

/// To count the open files of a server takes a millisecond.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Footprint {
    pub(crate) resident_kib: u64,
    pub(crate) files: usize,
}

impl Footprint {
    pub(crate) fn of(server: Process) -> Result<Self> {
        Ok(Self { resident_kib: server.resident()? / 1024, files: server.files()? })
    }
}

/// A thread that samples the server for a while.
pub(crate) struct Watch(JoinHandle<Result<Seen>>);

pub(crate) struct Seen {
    /// After a tenth of the time.
    pub(crate) early: Footprint,
    /// At the end.
    pub(crate) late: Footprint,
    /// When the server was down to the given number of open files.
    pub(crate) down_after: Option<Duration>,
}

impl Watch {
    /// Samples for `time`, and notes when the server has no more than `files` open files.
    pub(crate) fn begin(server: Process, time: Duration, files: usize) -> Self {
        Self(std::thread::spawn(move || {
            let begin = Instant::now();
            let (mut early, mut down_after) = (None, None);
            loop {
                std::thread::sleep(SAMPLE_INTERVAL);
                let (now, late) = (begin.elapsed(), Footprint::of(server)?);
                if now >= time / 10 {
                    early.get_or_insert(late);
                }
                if late.files <= files {
                    down_after.get_or_insert(now);
                }
                if now >= time {
                    return Ok(Seen { early: early.unwrap_or(late), late, down_after });
                }
            }
        }))
    }

    /// Waits until its time is over.
    pub(crate) fn end(self) -> Result<Seen> {
        self.0.join().expect("it does not panic")
    }
}
