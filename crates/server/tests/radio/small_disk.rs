//! A file system of its own, small, filled to the last byte or gone read-only: in a mount namespace, so that it
//! ends with the test. Needs root, as much else here does.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that the process is inside.
const INSIDE: &str = "TENFOUR_TEST_MOUNTS";

/// True in a process that has mounts of its own. Otherwise the test is run once more in one that has, and this
/// returns when it has passed there.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare is there (util-linux)");
    assert!(status.success(), "{test} failed in a mount namespace; as root?");
    false
}

/// A disk, mounted on a folder that nothing else uses.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
    filler: Option<File>,
    image: tempfile::TempDir,
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

impl SmallDisk {
    /// An ext4 of so many megabytes on a loop device, which is gone with the mount.
    pub(crate) fn ext4(megabytes: u64) -> Self {
        let image = tempfile::tempdir().unwrap();
        let (file, path) = (image.path().join("image"), image.path().join("disk"));
        File::create(&file).unwrap().set_len(megabytes * 1_000_000).unwrap();
        std::fs::create_dir(&path).unwrap();
        run("mkfs.ext4", &["-q".as_ref(), "-m".as_ref(), "0".as_ref(), file.as_ref()]);
        let options = "loop,errors=remount-ro";
        run("mount", &["-o".as_ref(), options.as_ref(), file.as_ref(), path.as_ref()]);
        Self { path, filler: None, image }
    }

    /// A file system in memory of so many megabytes.
    pub(crate) fn tmpfs(megabytes: u64) -> Self {
        let image = tempfile::tempdir().unwrap();
        let path = image.path().join("disk");
        std::fs::create_dir(&path).unwrap();
        let options = format!("size={}", megabytes * 1_000_000);
        run(
            "mount",
            &[
                "-t".as_ref(),
                "tmpfs".as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                "none".as_ref(),
                path.as_ref(),
            ],
        );
        Self { path, filler: None, image }
    }

    /// To the last byte.
    pub(crate) fn fill(&mut self) {
        let open = OpenOptions::new().append(true).create(true).open(self.path.join("filler")).unwrap();
        let file = self.filler.insert(open);
        // What the file system had set aside for the larger pieces may be given back for smaller ones.
        for piece in [&[7; 64 * 1024][..], &[7; 512], &[7]] {
            let mut wrote = true;
            while wrote {
                wrote = false;
                let error = loop {
                    match file.write(piece) {
                        Ok(bytes) => wrote |= bytes > 0,
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
                file.sync_data().unwrap();
            }
        }
    }

    /// There is room again.
    pub(crate) fn make_room(&mut self) {
        self.filler = None;
        std::fs::remove_file(self.path.join("filler")).unwrap();
    }

    /// The file system notices that something is wrong with it, and takes no writes from now on: as after a
    /// fault of a disk.
    pub(crate) fn break_down(&self) {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let line =
            mounts.lines().find(|line| line.contains(self.path.to_str().unwrap())).expect("it is mounted");
        let device = Path::new(line.split(" - ").nth(1).unwrap().split(' ').nth(1).unwrap()).to_owned();
        let name = device.file_name().unwrap().to_str().unwrap().to_owned();
        std::fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "1").unwrap();
        let refused = std::fs::write(self.path.join("probe"), "x").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(30), "EROFS: {refused}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.filler = None;
        // Lazy: a test that panics leaves files open.
        Command::new("umount").arg("-l").arg(&self.path).status().ok();
        std::fs::remove_file(self.image.path().join("image")).ok();
    }
}
