//! Programs that hear and say leave no voice on the device: every file that they open for writing is
//! known, by the word of the kernel.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::host::{Ended, Host, Running, tenfour};
use crate::speech::{speech, write};

/// Calls that make, open, rename or cut a file.
const CALLS: &str = "open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,\
    renameat,renameat2,truncate,memfd_create";

/// A home of its own, watched.
struct Device {
    folder: PathBuf,
}

impl Device {
    fn new(host: &Host, name: &str) -> Self {
        let device = Self { folder: host.path(name) };
        for folder in ["home", "tmp"] {
            std::fs::create_dir_all(device.folder.join(folder)).unwrap();
        }
        device
    }

    /// Starts the binary under strace.
    fn start(&self, arguments: &[&str]) -> Running {
        let mut program = Command::new("strace");
        program.args(["-f", "-qq", "-y", "-s", "4096", "-e", &format!("trace={CALLS}"), "-o"]);
        program.arg(self.folder.join("calls")).arg(tenfour().get_program()).args(arguments);
        for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            program.env_remove(variable);
        }
        program.env("HOME", self.folder.join("home")).env("TMPDIR", self.folder.join("tmp"));
        Running::start(program)
    }

    /// Paths that were opened for writing, made or renamed.
    fn written(&self) -> BTreeSet<PathBuf> {
        let calls =
            std::fs::read_to_string(self.folder.join("calls")).expect("strace, which is needed, wrote");
        assert!(calls.contains("openat("), "the calls are watched");
        let reads = |line: &&str| line.contains("O_RDONLY") && !line.contains("O_CREAT");
        let calls =
            calls.lines().filter(|line| line.contains('"') && !reads(line) && !line.contains(" = -1 "));
        calls.flat_map(|line| line.split('"').skip(1).step_by(2)).map(PathBuf::from).collect()
    }

    /// Every file there is.
    fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.join("home"), self.folder.join("tmp")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// The key is made at the first start, beside its place. Nothing else is written.
    fn holds_its_key_only(&self) {
        let key = self.folder.join("home/.config/tenfour/device.key");
        assert_eq!(self.files(), std::slice::from_ref(&key));
        let folders: BTreeSet<&Path> = key.ancestors().skip(1).collect();
        let known = |path: &Path| {
            path.starts_with("/dev")
                || folders.contains(path)
                || path.to_string_lossy().starts_with(&*key.to_string_lossy())
        };
        let written = self.written();
        assert!(written.iter().any(|path| path.starts_with(&self.folder)), "the key was seen to be made");
        let strange: Vec<_> = written.iter().filter(|path| !known(path)).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}

#[test]
fn who_hears_and_who_talks_writes_a_key_and_no_voice() {
    let host = Host::start();
    let said = host.path("said.wav");
    write(&said, &speech(1.0));
    let (hears, talks) = (Device::new(&host, "hears"), Device::new(&host, "talks"));
    let listener =
        hears.start(&["listen", "--server", &host.url, "--handle", "Bob", "--bursts", "1", "--json"]);
    listener.said("Ready:");
    let talk = talks.start(&["talk", "--server", &host.url, "--handle", "Ann", said.to_str().unwrap()]);
    let Ended { code, err, .. } = talk.end();
    assert_eq!(code, Some(0), "{err}");
    let Ended { code, out, err } = listener.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("\"frames\":51"), "it was heard: {out}");
    hears.holds_its_key_only();
    talks.holds_its_key_only();
}
