//! A disk of its own for a server: an ext4 file system in a file, mounted, so that every block of it
//! can be read as it is on the disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Size of the disk.
const BYTES: u64 = 64 << 20;

/// A mounted image; it is unmounted at the end.
pub(crate) struct Image {
    folder: TempDir,
}

impl Image {
    /// Makes and mounts one. Needs root: nobody else may mount.
    pub(crate) fn mount() -> Self {
        let image = Self { folder: tempfile::tempdir().expect("a folder") };
        File::create(image.file()).and_then(|file| file.set_len(BYTES)).expect("a file");
        fs::create_dir(image.path()).expect("a folder");
        run("mkfs.ext4", &["-q".as_ref(), &image.file()]);
        run("mount", &["-o".as_ref(), "loop".as_ref(), &image.file(), &image.path()]);
        image
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// Every byte of the disk, after what waits in memory was written to it.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let mounted = File::open(self.path()).expect("it is mounted");
        rustix::fs::syncfs(&mounted).expect("it can be written");
        fs::read(self.file()).expect("the image")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Lazily: a server that is still there must not keep the machine from cleaning up.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn run(program: &str, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed ({error})"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} failed; reading a disk raw needs root and loop devices: {said}"
    );
}
