//! The files of the store, beside what SQLite does with them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{StoreError, residue};

/// Read at once.
const CHUNK: usize = 64 * 1024;

/// The files of one store. Held longer than the database: a file that is closed takes the locks of
/// its whole process with it.
#[derive(Debug)]
pub(super) struct Files {
    data: File,
    database: PathBuf,
    log: PathBuf,
    /// Locked as long as this stands: two servers on one file would each believe in their own
    /// sessions. It is not the database that is locked, so that the operator can look into it.
    _lock: File,
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
        let data = open(path).map_err(refuse)?;
        let lock = open(&path.with_extension("lock")).map_err(refuse)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Locked { path: name.clone() },
            TryLockError::Error(error) => refuse(error),
        })?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self { data, database: path.to_owned(), log: log.into(), _lock: lock })
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
            if chunk[..bytes].iter().any(|byte| *byte != 0) {
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
