//! What the tests need from the system, and how it gets there.

use std::path::Path;

use anyhow::{Result, bail};

use crate::shell::{command, has, run, sh};

/// Debian packages of the tests, each with a file that shows it is there.
const DEBIAN: [(&str, &str); 15] = [
    ("chromium", "/usr/bin/chromium"),
    ("firefox-esr", "/usr/bin/firefox-esr"),
    ("pulseaudio", "/usr/bin/pulseaudio"),
    ("pulseaudio-utils", "/usr/bin/pactl"),
    ("espeak-ng", "/usr/bin/espeak-ng"),
    ("sox", "/usr/bin/sox"),
    ("ffmpeg", "/usr/bin/ffmpeg"),
    ("valgrind", "/usr/bin/valgrind"),
    ("strace", "/usr/bin/strace"),
    ("iproute2", "/bin/ss"),
    ("curl", "/usr/bin/curl"),
    ("openssl", "/usr/bin/openssl"),
    ("nats-server", "/usr/sbin/nats-server"),
    ("e2fsprogs", "/sbin/mkfs.ext4"),
    ("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
];

/// What the build needs beside Rust, Node and a C compiler: libopus is made with it.
const BUILD: [(&str, &str); 1] = [("cmake", "/usr/bin/cmake")];

/// Installs what is missing for the tests where that can be done, and otherwise says what is missing.
pub(crate) fn require_all() -> Result<()> {
    require_node()?;
    require_nextest()?;
    require("The tests need", &DEBIAN)
}

/// The same for the build, before any command: nearly all of them build.
pub(crate) fn require_build() -> Result<()> {
    if has("cmake", "--version") {
        return Ok(());
    }
    require("The build needs", &BUILD)
}

fn require(what: &str, packages: &[(&'static str, &str)]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    if !can_install() {
        bail!(
            "{what} these Debian packages (or the same programs at the same places): {0}.\n\
             Install them as root: apt-get install --no-install-recommends {0}",
            missing.join(" ")
        );
    }
    install(&missing)
}

/// Installs what is missing where that can be done: what is not there is left out then.
pub(crate) fn install_if_possible(packages: &[(&'static str, &str)]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() || !can_install() {
        return Ok(());
    }
    install(&missing)
}

fn missing(packages: &[(&'static str, &str)]) -> Vec<&'static str> {
    packages.iter().filter(|(_, file)| !Path::new(file).exists()).map(|(name, _)| *name).collect()
}

fn can_install() -> bool {
    has("apt-get", "--version") && is_root()
}

fn install(packages: &[&str]) -> Result<()> {
    sh("apt-get update -qq")?;
    let mut install = command("apt-get install -y -qq --no-install-recommends");
    // At runlevel 1 no server is started by its package.
    run(install.args(packages).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1"))
}

/// Node and npm: the web client is built with them.
pub(crate) fn require_node() -> Result<()> {
    if !has("node", "--version") || !has("npm", "--version") {
        bail!("Node 20 or newer with npm is needed to build the web client.");
    }
    Ok(())
}

/// The test runner.
pub(crate) fn require_nextest() -> Result<()> {
    if has("cargo-nextest", "--version") {
        return Ok(());
    }
    eprintln!("cargo-nextest is missing; installing it takes some minutes, once.");
    sh("cargo install cargo-nextest --locked")
}

pub(crate) fn is_root() -> bool {
    let id = command("id -u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
