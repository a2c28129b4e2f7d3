//! The connection log of the policy: when somebody connects, one line of exactly eight fields.
//! See docs/privacy/connection-log.md.
//!
//! This module owns it. `append` adds rows, `expire` and `erase` remove them, `held_by` hands them to the user they
//! are about, and [`aggregate`] counts them, with noise. Nothing else sees a row:
//!
//! ```
//! use tenfour_server::connection_log::{Rules, aggregate};
//! ```
//! ```compile_fail,E0603
//! use tenfour_server::connection_log::row::Row;
//! ```
//! What a user is handed of itself can be written down, not looked into:
//!
//! ```
//! fn written(row: &tenfour_protocol::http::HeldConnection) -> String {
//!     serde_json::to_string(row).unwrap_or_default()
//! }
//! ```
//! ```compile_fail,E0616
//! fn written(row: &tenfour_protocol::http::HeldConnection) -> String {
//!     row.address.clone()
//! }
//! ```
//!
//! Writing has a thread of its own: a worker leaves a row with it and goes on, whatever the disk
//! does. When the disk takes nothing the rows are lost, the service goes on, and the operator is
//! told once, and once more when the log is written again.

mod aggregate;
mod blank;
mod folder;
mod hour;
mod noise;
mod row;
mod share;
mod writer;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use tenfour_core::mutant;
use tenfour_protocol::http::HeldConnection;
use tenfour_protocol::{Code, Device, DeviceText, Handle, Refusal, UserId};
use thiserror::Error;
use tokio::sync::oneshot;

pub use aggregate::{
    Aggregates, Cell, DayOfUse, EPSILON, Rules, THRESHOLD, Told, aggregate, last_days, parse_day,
};
use folder::Folder;
pub(crate) use folder::Position;
use row::{Moment, Row};
use writer::{MEGABYTE, Writer};

use crate::calendar::since_epoch;

/// Days that rows are kept when the operator sets nothing.
pub const DAYS: usize = 7;
/// The most days that rows can be kept.
pub const MOST_DAYS: usize = 30;
/// Rows that may wait for the disk; more are lost rather than kept in memory.
const MOST_WAITING: usize = 10_000;

/// Somebody who connects: what the row is made of.
#[derive(Debug)]
pub(crate) struct Connected {
    /// When the connection began.
    pub(crate) since: Instant,
    pub(crate) address: IpAddr,
    pub(crate) user: UserId,
    pub(crate) handle: Handle,
}

/// Why the log did not do what it was asked.
#[derive(Debug, Error)]
pub enum ConnectionLogError {
    /// A file of the log cannot be read or written.
    #[error("a file of the connection log cannot be used ({0}): check its rights and the disk")]
    Disk(#[from] std::io::Error),
    /// The thread of the log is gone.
    #[error("the connection log has stopped")]
    Stopped,
}

/// The operator has read the reason; the person is told that the store does not answer.
impl From<ConnectionLogError> for Refusal {
    fn from(_: ConnectionLogError) -> Self {
        Code::StoreUnavailable.into()
    }
}

/// A handle to the log of a running server, for all threads.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionLog(Arc<Inbox>);

#[derive(Debug)]
struct Inbox {
    /// Boxed: a channel keeps what went through it for a while, but a box is wiped when it is freed.
    commands: mpsc::Sender<Box<Command>>,
    /// False when the operator wants no log. Older rows still expire and can be erased.
    writes: bool,
    backlog: Arc<Backlog>,
}

/// Rows between the workers and the disk.
#[derive(Debug, Default)]
struct Backlog {
    waiting: AtomicUsize,
    /// Rows that were lost, and how many of them the operator was not told of yet.
    lost: AtomicU64,
    untold: AtomicU64,
    /// Rows over a share of a user or an address.
    over_share: AtomicU64,
    /// Bytes of today's rows, and bytes of rows that went before their time.
    day_bytes: AtomicU64,
    cut_bytes: AtomicU64,
    /// True since a write failed.
    failing: AtomicBool,
}

impl Backlog {
    fn lose(&self, rows: u64) {
        self.lost.fetch_add(rows, Ordering::Relaxed);
        self.untold.fetch_add(rows, Ordering::Relaxed);
    }
}

/// What the operator is told of the log while it is written.
#[derive(Debug)]
pub(crate) struct LogFigures {
    /// Bytes of today's rows.
    pub(crate) day_bytes: u64,
    /// Bytes of rows that went before their time, since the start.
    pub(crate) cut_bytes: u64,
    /// Rows that were not written since the start: over a share.
    pub(crate) over_share: u64,
    /// The same: the disk did not take them.
    pub(crate) lost: u64,
    /// Rows cannot be written at the moment.
    pub(crate) failing: bool,
}

/// Rows of a user, and where others may follow.
pub(crate) type HeldPage = (Vec<HeldConnection>, Option<Position>);

enum Command {
    Append(Row, Instant),
    WillErase(UserId, oneshot::Sender<Result<(), ConnectionLogError>>),
    Erase(UserId, oneshot::Sender<Result<(), ConnectionLogError>>),
    Users(oneshot::Sender<Result<BTreeSet<UserId>, ConnectionLogError>>),
    HeldBy(UserId, Position, oneshot::Sender<Result<HeldPage, ConnectionLogError>>),
}

impl ConnectionLog {
    /// Starts the thread, which ends when all handles are gone. Rows are kept in `data` for
    /// `days`, a day of them in so many `megabytes`; none are added unless `writes`.
    ///
    /// # Errors
    /// When there is no folder for the log and none can be made: a server that cannot erase does not start.
    pub(crate) fn start(
        data: &Path,
        days: usize,
        megabytes: usize,
        writes: bool,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (commands, inbox) = mpsc::channel();
        let backlog = Arc::new(Backlog::default());
        let folder = Folder::of(data);
        folder.prepare()?;
        let mut writer = Writer::new(folder, days, megabytes as u64 * MEGABYTE, backlog.clone());
        let run = move || writer.run(&inbox);
        let thread = std::thread::Builder::new().name("tenfour-log".into()).spawn(run)?;
        Ok((Self(Arc::new(Inbox { commands, writes, backlog })), thread))
    }

    /// Leaves a row with the thread. Never waits.
    pub(crate) fn append(&self, who: &Connected, device: Option<Device>, client: &str) {
        let backlog = &self.0.backlog;
        if !self.0.writes {
            return;
        }
        if backlog.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            backlog.waiting.fetch_sub(1, Ordering::Relaxed);
            backlog.lose(1);
            return;
        }
        mutant!(crate::mutants::note_connect(who.address, who.handle.as_str()));
        let Device { manufacturer, model, platform, version } = device.unwrap_or_default();
        let row = Row {
            time: Moment(since_epoch().as_secs()),
            address: who.address.to_canonical(),
            handle: who.handle.as_str().into(),
            user: who.user,
            manufacturer,
            model,
            platform,
            version: if version.is_empty() { DeviceText::clean(client) } else { version },
        };
        // After the stop nobody connects.
        self.0.commands.send(Box::new(Command::Append(row, who.since))).ok();
    }

    /// For the operator.
    pub(crate) fn figures(&self) -> LogFigures {
        let Backlog { lost, over_share, day_bytes, cut_bytes, failing, .. } = &*self.0.backlog;
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        LogFigures {
            day_bytes: number(day_bytes),
            cut_bytes: number(cut_bytes),
            over_share: number(over_share),
            lost: number(lost),
            failing: failing.load(Ordering::Relaxed),
        }
    }

    /// Notes that a user is going to be erased, so that it is done at the next start if it is not
    /// done before.
    pub(crate) async fn will_erase(&self, user: UserId) -> Result<(), ConnectionLogError> {
        self.ask(|answer| Command::WillErase(user, answer)).await
    }

    /// Overwrites every row of a user; their bytes are gone from the files when it returns, and
    /// connections of the time before leave no row any more.
    pub(crate) async fn erase(&self, user: UserId) -> Result<(), ConnectionLogError> {
        self.ask(|answer| Command::Erase(user, answer)).await
    }

    /// Some rows of a user from a position on, and where the next ones begin. The log is not read in one piece: that
    /// would keep others from writing, and it may be of any size.
    pub(crate) async fn held_by(&self, user: UserId, at: Position) -> Result<HeldPage, ConnectionLogError> {
        self.ask(|answer| Command::HeldBy(user, at, answer)).await
    }

    /// Everybody who has rows.
    pub(crate) async fn users(&self) -> Result<BTreeSet<UserId>, ConnectionLogError> {
        self.ask(Command::Users).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ConnectionLogError>>) -> Command,
    ) -> Result<T, ConnectionLogError> {
        let (answer, answered) = oneshot::channel();
        self.0.commands.send(Box::new(command(answer))).map_err(|_| ConnectionLogError::Stopped)?;
        answered.await.map_err(|_| ConnectionLogError::Stopped)?
    }
}

/// The rows of a user in a data folder, for that user: what an operator could hand over.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn held_by(data: &Path, user: &UserId) -> Result<Vec<HeldConnection>, ConnectionLogError> {
    Ok(Folder::of(data).rows_of(user)?.iter().map(Row::held).collect())
}

#[cfg(test)]
mod tests;
