//! The web client: npm in `web/`.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::packages;
use crate::shell::{command, run};

/// `npm args...` in `web/`.
pub(crate) fn npm(line: &str) -> Command {
    let mut npm = command(&format!("npm {line}"));
    npm.current_dir("web");
    npm
}

/// Installs the packages of the lock file, unless that was done.
pub(crate) fn install() -> Result<()> {
    packages::require_node()?;
    let (lock, done) = ("web/package-lock.json", "web/node_modules/.installed-lock");
    if fs::read(lock).ok().is_some_and(|wanted| fs::read(done).ok() == Some(wanted)) {
        return Ok(());
    }
    run(&mut npm("ci"))?;
    fs::copy(lock, done)?;
    Ok(())
}

/// Builds `web/dist`, which the server embeds, unless it was built from the same files: a page that is written anew
/// compiles the server anew, and all that is linked with it.
pub(crate) fn build() -> Result<()> {
    install()?;
    let built = Path::new("web/node_modules/.built-page");
    let wanted = fingerprint_of_sources()?;
    if Path::new("web/dist/index.html").exists() && fs::read_to_string(built).ok().as_ref() == Some(&wanted) {
        return Ok(());
    }
    run(&mut npm("run build"))?;
    Ok(fs::write(built, wanted)?)
}

/// A hash of every file in `web/` from which the page may be built.
fn fingerprint_of_sources() -> Result<String> {
    let mut files = BTreeMap::new();
    read_below(Path::new("web"), &mut files)?;
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

fn read_below(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_file() {
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(path, bytes);
        } else if !["node_modules", "dist", "e2e", "test-results"].iter().any(|other| name == *other) {
            read_below(&path, files)?;
        }
    }
    Ok(())
}
