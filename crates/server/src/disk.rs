//! The disk of the data folder: whether anything can be stored on it.

use std::fmt;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use tenfour_protocol::limits::DISK_LEAST_FREE;

/// Where the data folder is.
#[derive(Debug, Clone)]
pub(crate) struct Disk(PathBuf);

/// Why nothing more is stored. In words for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskTrouble {
    /// The file system takes no writes.
    ReadOnly,
    /// It has less room than erasures, log-outs and log-ins need.
    Full,
}

impl fmt::Display for DiskTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => f.write_str("the disk of the data folder is read-only: nothing is stored"),
            Self::Full => write!(
                f,
                "the disk of the data folder is full (less than {} MB are free): make room; until then nobody registers, nobody writes to the operator, and no connection is logged",
                DISK_LEAST_FREE / 1_000_000
            ),
        }
    }
}

impl Disk {
    /// The disk that this folder is on.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// What the file system says of itself. Cheap: nothing is read or written. A disk that fails may not show it
    /// here; a write does.
    pub(crate) fn trouble(&self) -> Option<DiskTrouble> {
        // If it cannot be asked, the next write tells.
        let said = statvfs(&self.0).ok()?;
        if said.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Some(DiskTrouble::ReadOnly);
        }
        let free = said.f_bavail.saturating_mul(said.f_frsize);
        // Some file systems have no number of files.
        let no_files = said.f_files > 0 && said.f_favail == 0;
        (free < DISK_LEAST_FREE || no_files).then_some(DiskTrouble::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_room_has_no_trouble_and_one_without_files_is_full_or_read_only() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Disk::of(folder.path()).trouble(), None);
        // Kernel's own: it has no room at all.
        assert!(Disk::of(Path::new("/proc")).trouble().is_some());
        assert_eq!(Disk::of(&folder.path().join("missing")).trouble(), None);
    }
}
