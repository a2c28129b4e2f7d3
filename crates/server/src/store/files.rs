//! The files of the store, beside what SQLite does with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{StoreError, residue};
use crate::disk::{Disk, DiskTrouble};

/// Bytes of the write-ahead log's file: an erasure writes some hundred pages of 4 KiB, each once.
pub(super) const LOG_ROOM: u64 = 1 << 20;
/// Bytes of one read.
const CHUNK: usize = 64 * 1024;
/// What is left of what was overwritten.
static NOTHING: [u8; CHUNK] = [0; CHUNK];

/// The files of one store. Kept open for longer than the database: closing a file drops the locks of the whole
/// process on it.
#[derive(Debug)]
pub(super) struct Files {
    data: File,
    database: PathBuf,
    log: PathBuf,
    disk: Disk,
    /// Locked for as long as this exists: two servers on one file would each have their own sessions. The database
    /// itself is not locked, so that the operator can read it. This file has a byte once there is something in the
    /// database.
    lock: File,
}

impl Files {
    /// Takes the store at `path` for this process alone, and makes its file when it is missing.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let refuse =
            |error: io::Error| StoreError::NotWritable { path: name.clone(), reason: error.to_string() };
        let open = |path: &Path| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
        };
        let before = std::fs::metadata(path).ok().map(|file| file.len());
        let data = open(path).map_err(refuse)?;
        let lock = open(&path.with_extension("lock")).map_err(refuse)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Locked { path: name.clone() },
            TryLockError::Error(error) => refuse(error),
        })?;
        let was_made = lock.metadata().map_err(refuse)?.len() > 0;
        match (before, was_made) {
            (Some(0), true) => return Err(StoreError::Empty { path: name }),
            (Some(0), false) => tracing::warn!("the file of the store is empty: it begins anew"),
            (None, true) => {
                tracing::warn!("the file of the store is gone: it begins anew, and people register again");
            }
            (None, false) | (Some(_), _) => {}
        }
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            data,
            database: path.to_owned(),
            log: log.into(),
            disk: Disk::of(path.parent().unwrap_or(Path::new("."))),
            lock,
        })
    }

    /// Notes that there is something in the database: if it is empty at a later start, something has gone wrong.
    /// Writing it again shows whether the disk takes writes.
    pub(super) fn note_made(&self) -> Result<(), StoreError> {
        self.lock.write_all_at(b"1", 0).map_err(|error| self.refuse(&error))
    }

    pub(super) fn is_full(&self) -> bool {
        self.disk.trouble() == Some(DiskTrouble::Full)
    }

    /// Makes the file of the write-ahead log as long as it has to be, if the disk has room for it. What is
    /// added is no log to SQLite, which begins at the start.
    pub(super) fn keep_room(&self) -> Result<(), StoreError> {
        let path = self.database.display().to_string();
        match self.disk.trouble() {
            Some(DiskTrouble::Full) => return Err(StoreError::Full { path }),
            Some(DiskTrouble::ReadOnly) => {
                return Err(StoreError::NotWritable { path, reason: DiskTrouble::ReadOnly.to_string() });
            }
            None => {}
        }
        let make = || {
            let log = match OpenOptions::new().write(true).open(&self.log) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                log => log?,
            };
            let length = log.metadata()?.len();
            if length >= LOG_ROOM {
                return Ok(());
            }
            log.write_all_at(&vec![0u8; usize::try_from(LOG_ROOM - length).unwrap_or(0)], length)?;
            log.sync_data()
        };
        make().map_err(|error| self.refuse(&error))
    }

    fn refuse(&self, error: &io::Error) -> StoreError {
        let path = self.database.display().to_string();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
            _ => StoreError::NotWritable { path, reason: error.to_string() },
        }
    }

    /// Where the database is.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Overwrites the write-ahead log, whose content is in the database by now.
    pub(super) fn overwrite_log(&self) -> io::Result<()> {
        let log = match OpenOptions::new().read(true).write(true).open(&self.log) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let (mut chunk, mut at, mut changed) = (vec![0; CHUNK], 0, false);
        loop {
            let bytes = log.read_at(&mut chunk, at)?;
            if bytes == 0 {
                break;
            }
            if chunk[..bytes] != NOTHING[..bytes] {
                chunk[..bytes].fill(0);
                log.write_all_at(&chunk[..bytes], at)?;
                changed = true;
            }
            at += bytes as u64;
        }
        if changed { log.sync_data() } else { Ok(()) }
    }

    /// Overwrites what is in the database's pages but in no row.
    pub(super) fn overwrite_residue(&self) -> io::Result<()> {
        if residue::overwrite(&self.data)? { self.data.sync_data() } else { Ok(()) }
    }
}
