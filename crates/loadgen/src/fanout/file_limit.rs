//! How many files this process may open.

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process open as many sockets: each virtual user is one.
pub(crate) fn raise_file_limit(sockets: usize) -> Result<()> {
    let wanted = sockets as u64 + 100;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = limit.maximum;
    ensure!(
        maximum.is_none_or(|maximum| maximum >= wanted),
        "{sockets} sockets need {wanted} open files; raise the limit (ulimit -n)"
    );
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?)
}
