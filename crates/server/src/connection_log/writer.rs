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
use super::share::Shares;
use super::{Backlog, Command, ConnectionLogError};
use crate::calendar::since_epoch;
use crate::disk::Disk;
use crate::store::Day;

/// Most commands that are taken before rows are written: one write for many.
const MAX_BATCH: usize = 1024;
/// As configurations count.
pub(super) const MEGABYTE: u64 = 1_000_000;
/// How often the thread tries whether the log can be written again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// A connection older than this has said its hello, or was closed.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2 * HANDSHAKE.as_secs());

pub(super) struct Writer {
    folder: Folder,
    disk: Disk,
    days: usize,
    /// Bytes that a day may have.
    most: u64,
    shares: Shares,
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
    /// The day whose oldest rows went early last: told once a day.
    cut: Option<Day>,
    /// Rows of this hour that were not written, being over a share.
    over_share: u64,
}

impl Writer {
    pub(super) fn new(folder: Folder, days: usize, most: u64, backlog: Arc<Backlog>) -> Self {
        Self {
            disk: folder.disk(),
            folder,
            days,
            most,
            shares: Shares::new(),
            backlog,
            pending: (Vec::new(), 0),
            hour: Hour(0),
            file: None,
            expired: None,
            erased: BTreeMap::new(),
            cut: None,
            over_share: 0,
        }
    }

    /// Serves until all handles are gone.
    pub(super) fn run(&mut self, inbox: &mpsc::Receiver<Box<Command>>) {
        // A failure is logged, and the next row tries again.
        told(self.folder.repair(), "the connection log cannot be repaired").ok();
        self.count_today();
        loop {
            self.expire();
            let is_failing = self.backlog.failing.load(Ordering::Relaxed);
            let patience = if is_failing { until_next_hour().min(RETRY_INTERVAL) } else { until_next_hour() };
            match inbox.recv_timeout(patience) {
                Ok(first) => {
                    let rest = inbox.try_iter().take(MAX_BATCH);
                    std::iter::once(first).chain(rest).for_each(|command| self.carry_out(*command));
                    self.write();
                    // Rows were read and compared: none may stay on the stack while the thread sleeps.
                    scrub_stack();
                }
                // A server that reports a failure may get no connections, so it has to try by itself.
                Err(RecvTimeoutError::Timeout) if is_failing => {
                    let works = self.disk.trouble().is_none() && self.folder.try_out().is_ok();
                    works.then(|| self.tell_of_loss());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.tell_of_shares(),
            }
        }
    }

    fn count_today(&self) {
        let bytes = self.folder.bytes_of(Hour::of(since_epoch().as_secs()).day());
        self.backlog.day_bytes.store(bytes.unwrap_or(0), Ordering::Relaxed);
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
                self.erased.retain(|_, at| now.duration_since(*at) < HELLO_TIMEOUT);
                self.erased.insert(mark_of(&user), now);
                // The file may be removed, if nothing is left in it.
                self.file = None;
                let done = told(self.folder.erase(&user), "the connection log cannot be erased");
                // Whoever asked may have gone away.
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

    pub(super) fn append(&mut self, row: &Row, since: Instant) {
        if !self.erased.is_empty() && self.erased.get(&mark_of(&row.user)).is_some_and(|at| since <= *at) {
            return;
        }
        let hour = Hour::of(row.time.0);
        if hour != self.hour {
            self.write();
            (self.hour, self.file) = (hour, None);
            self.tell_of_shares();
        }
        if !self.shares.take(row) {
            self.backlog.over_share.fetch_add(1, Ordering::Relaxed);
            if self.over_share == 0 {
                tracing::warn!(
                    "somebody connects more often than the connection log has room for: the rest of it is not logged in this hour"
                );
            }
            self.over_share += 1;
            return;
        }
        self.pending.0.extend(row.line());
        self.pending.1 += 1;
    }

    fn tell_of_shares(&mut self) {
        let rows = std::mem::take(&mut self.over_share);
        if rows > 0 {
            tracing::warn!(
                count = rows,
                "rows over the share of a user or an address were not written to the connection log in the hour before"
            );
        }
    }

    /// Writes what is pending; when it cannot be, it is lost.
    pub(super) fn write(&mut self) {
        let (lines, rows) = std::mem::take(&mut self.pending);
        if rows == 0 {
            return;
        }
        match self.try_write(&lines) {
            Ok(()) => self.tell_of_loss(),
            Err(error) => {
                self.file = None;
                self.backlog.lose(rows);
                if !self.backlog.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        reason = %error,
                        "the connection log cannot be written: make room on the disk, or check its rights; the service goes on without it"
                    );
                }
            }
        }
    }

    /// It works; what was lost before is told.
    fn tell_of_loss(&self) {
        let lost = self.backlog.untold.swap(0, Ordering::Relaxed);
        if self.backlog.failing.swap(false, Ordering::Relaxed) {
            tracing::warn!(count = lost, "the connection log is written again; rows were lost");
        } else if lost > 0 {
            tracing::warn!(count = lost, "the disk is too slow for the connection log: rows were lost");
        }
    }

    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        // The last room of a disk is for erasures and log-outs.
        if let Some(trouble) = self.disk.trouble() {
            return Err(io::Error::other(trouble.to_string()));
        }
        if self.file.is_none() {
            self.file = Some(self.folder.open(self.hour)?);
            let bytes = self.folder.bytes_of(self.hour.day())?;
            self.backlog.day_bytes.store(bytes, Ordering::Relaxed);
        }
        self.make_room(lines.len() as u64)?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let length = file.metadata()?.len();
        let written = file.write_all(lines);
        if written.is_err() {
            // Half a line is worse than none. Refused, it is repaired at the next opening.
            file.set_len(length).ok();
        } else {
            self.backlog.day_bytes.fetch_add(lines.len() as u64, Ordering::Relaxed);
        }
        written
    }

    /// The oldest rows of a day go when it has as many bytes as it may.
    fn make_room(&mut self, more: u64) -> io::Result<()> {
        let day = self.hour.day();
        // The last half of an hour may have to be halved again.
        loop {
            let bytes = self.backlog.day_bytes.load(Ordering::Relaxed);
            let over = (bytes + more).saturating_sub(self.most);
            if over == 0 {
                return Ok(());
            }
            if self.cut.replace(day) != Some(day) {
                tracing::warn!(
                    megabytes = self.most / MEGABYTE,
                    "the connection log of a day is as large as it may be: its oldest rows go from now on (connection_log_mb)"
                );
            }
            let less = self.folder.cut(day, self.hour, over)?;
            if less == 0 {
                return Ok(());
            }
            self.backlog.cut_bytes.fetch_add(less, Ordering::Relaxed);
            self.backlog.day_bytes.store(bytes.saturating_sub(less), Ordering::Relaxed);
        }
    }

    fn expire(&mut self) {
        let now = since_epoch().as_secs();
        if self.expired.replace(Hour::of(now)) != Some(Hour::of(now)) {
            // A failure is logged, and tried again in an hour. The file may be removed, if nothing is left in it.
            self.file = None;
            self.count_today();
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
        let mut writer = Writer::new(folder, 7, u64::MAX, Arc::default());
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
