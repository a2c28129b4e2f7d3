//! What the server's process holds while people talk.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::Process;

/// Time between two looks: to count the open files of a server takes a millisecond.
const LOOK: Duration = Duration::from_millis(250);

/// Memory and open files.
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

/// A thread that looks at the server for a while.
pub(crate) struct Watch(JoinHandle<Result<Seen>>);

/// What it has seen.
pub(crate) struct Seen {
    /// After a tenth of the time.
    pub(crate) early: Footprint,
    /// At the end.
    pub(crate) late: Footprint,
    /// When the server had no more than so many open files.
    pub(crate) down_after: Option<Duration>,
}

impl Watch {
    /// Looks for `time`, and for the moment when there are no more than `files` open files.
    pub(crate) fn begin(server: Process, time: Duration, files: usize) -> Self {
        Self(std::thread::spawn(move || {
            let begin = Instant::now();
            let (mut early, mut down_after) = (None, None);
            loop {
                std::thread::sleep(LOOK);
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
