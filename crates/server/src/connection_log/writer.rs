//! The thread that writes, erases and lets expire.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tenfour_core::reach::scrub_stack;
use tenfour_protocol::limits::HANDSHAKE;

use super::folder::{Folder, mark_of};
use super::hour::{Hour, SECONDS_OF_HOUR};
use super::row::Row;
use super::{Backlog, Command, ConnectionLogError};
use crate::auth::since_epoch;

/// Commands that are taken before rows are written: one write for many.
const TOGETHER: usize = 1024;
/// A connection older than this has said its hello, or was closed.
const SILENT: Duration = Duration::from_secs(2 * HANDSHAKE.as_secs());

pub(super) struct Writer {
    folder: Folder,
    days: usize,
    backlog: Arc<Backlog>,
    /// Lines of one hour that are not written yet, and how many.
    pending: (Vec<u8>, u64),
    hour: Hour,
    /// The file of `hour`.
    file: Option<File>,
    /// The hour in which old files were removed last.
    expired: Option<Hour>,
    /// Who was erased lately, as a hash: a connection from before leaves no row after it.
    erased: BTreeMap<String, Instant>,
    /// True since a write failed.
    failing: bool,
}

impl Writer {
    pub(super) fn new(folder: Folder, days: usize, backlog: Arc<Backlog>) -> Self {
        Self {
            folder,
            days,
            backlog,
            pending: (Vec::new(), 0),
            hour: Hour(0),
            file: None,
            expired: None,
            erased: BTreeMap::new(),
            failing: false,
        }
    }

    /// Serves until all handles are gone.
    pub(super) fn run(&mut self, inbox: &mpsc::Receiver<Box<Command>>) {
        // Told, and done with the next row.
        told(self.folder.repair(), "the connection log cannot be repaired").ok();
        loop {
            self.expire();
            match inbox.recv_timeout(until_next_hour()) {
                Ok(first) => {
                    let rest = inbox.try_iter().take(TOGETHER);
                    std::iter::once(first).chain(rest).for_each(|command| self.carry_out(*command));
                    self.write();
                    // Rows were read and compared: before the thread sleeps, nothing of them is left.
                    scrub_stack();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Append(row, since) => {
                self.backlog.waiting.fetch_sub(1, Ordering::Relaxed);
                self.append(&row, since);
            }
            Command::WillErase(user, answer) => {
                let done = told(self.folder.will_erase(&user), "the connection log cannot be erased");
                answer.send(done).ok();
            }
            Command::Erase(user, answer) => {
                self.write();
                let now = Instant::now();
                self.erased.retain(|_, at| now.duration_since(*at) < SILENT);
                self.erased.insert(mark_of(&user), now);
                // The file may be removed, if nothing is left in it.
                self.file = None;
                let done = told(self.folder.erase(&user), "the connection log cannot be erased");
                // Who asked may have gone away.
                answer.send(done).ok();
            }
            Command::Users(answer) => {
                self.write();
                answer.send(told(self.folder.users(), "the connection log cannot be read")).ok();
            }
            Command::HeldBy(user, at, answer) => {
                self.write();
                let page = told(self.folder.page_of(&user, at), "the connection log cannot be read");
                answer.send(page.map(|(rows, next)| (rows.iter().map(Row::held).collect(), next))).ok();
            }
        }
    }

    fn append(&mut self, row: &Row, since: Instant) {
        if !self.erased.is_empty() && self.erased.get(&mark_of(&row.user)).is_some_and(|at| since <= *at) {
            return;
        }
        let hour = Hour::of(row.time.0);
        if hour != self.hour {
            self.write();
            (self.hour, self.file) = (hour, None);
        }
        self.pending.0.extend(row.line());
        self.pending.1 += 1;
    }

    /// Writes what is pending; when it cannot be, it is lost.
    fn write(&mut self) {
        let (lines, rows) = std::mem::take(&mut self.pending);
        if rows == 0 {
            return;
        }
        match self.try_write(&lines) {
            Ok(()) => {
                let lost = self.backlog.lost.swap(0, Ordering::Relaxed);
                if std::mem::take(&mut self.failing) {
                    tracing::warn!(count = lost, "the connection log is written again; rows were lost");
                } else if lost > 0 {
                    tracing::warn!(
                        count = lost,
                        "the disk is too slow for the connection log: rows were lost"
                    );
                }
            }
            Err(error) => {
                self.file = None;
                self.backlog.lost.fetch_add(rows, Ordering::Relaxed);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(
                        reason = %error,
                        "the connection log cannot be written: make room on the disk, or check its rights; the service goes on without it"
                    );
                }
            }
        }
    }

    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.folder.open(self.hour)?),
        };
        let length = file.metadata()?.len();
        let written = file.write_all(lines);
        if written.is_err() {
            // Half a line is worse than none. Refused, it is repaired at the next opening.
            file.set_len(length).ok();
        }
        written
    }

    fn expire(&mut self) {
        let now = since_epoch().as_secs();
        if self.expired.replace(Hour::of(now)) != Some(Hour::of(now)) {
            // Told, and tried again in an hour. The file may be removed, if nothing is left in it.
            self.file = None;
            told(self.folder.erase_rest(), "the connection log cannot be erased").ok();
            told(self.folder.expire(self.days, now), "old hours of the connection log cannot be removed")
                .ok();
        }
    }
}

fn until_next_hour() -> Duration {
    Duration::from_secs(SECONDS_OF_HOUR - since_epoch().as_secs() % SECONDS_OF_HOUR)
}

/// The operator reads about a failure.
fn told<T>(result: io::Result<T>, what: &'static str) -> Result<T, ConnectionLogError> {
    result.map_err(|error| {
        tracing::error!(reason = %error, "{what}");
        error.into()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tenfour_protocol::{DeviceText, UserId};

    use super::*;
    use crate::config::{LogFormat, LogLevel};
    use crate::connection_log::row::Moment;
    use crate::telemetry;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn row(time: u64) -> Row {
        let (user, none) = (UserId::of_key(&[1; 32]), DeviceText::default());
        Row {
            time: Moment(time),
            address: std::net::Ipv4Addr::new(198, 51, 100, 1).into(),
            handle: "Roadrunner".into(),
            user,
            manufacturer: none.clone(),
            model: none.clone(),
            platform: none.clone(),
            version: none,
        }
    }

    /// `/dev/full` is a disk without room.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_once_and_again_when_there_is_room() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::of(data.path());
        let file = data.path().join("log/1970-01-01T00.jsonl");
        std::fs::create_dir(data.path().join("log")).unwrap();
        std::os::unix::fs::symlink("/dev/full", &file).unwrap();
        let mut writer = Writer::new(folder, 7, Arc::default());
        let kept = Kept::default();
        let lines = telemetry::subscriber(LogLevel::Info, LogFormat::Text, Box::new(kept.clone()));
        tracing::subscriber::with_default(lines, || {
            for time in 0..5 {
                writer.append(&row(time), Instant::now());
                writer.write();
            }
            std::fs::remove_file(&file).unwrap();
            for time in 5..8 {
                writer.append(&row(time), Instant::now());
                writer.write();
            }
        });
        let told = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let told: Vec<_> = told.lines().collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains(" ERROR ") && told[0].contains("No space left"), "{told:?}");
        assert!(told[1].contains("is written again") && told[1].ends_with("count=5"), "{told:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 3);
        assert!(told.iter().all(|line| !line.contains("Roadrunner") && !line.contains("198.51")));
    }
}
