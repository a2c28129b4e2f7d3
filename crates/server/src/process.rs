//! What the server asks of the system for its own process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Forbids core dumps: one would write to disk what may be in memory only.
pub(crate) fn forbid_core_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Less than before is always allowed; a system that refuses has no such limit.
    setrlimit(Resource::Core, none).ok();
}

/// Asks for as many files as the system allows; returns how many there are.
pub(crate) fn raise_file_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // If the system refuses, the old limit stays.
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    now.map_or(usize::MAX / 2, |files| usize::try_from(files).unwrap_or(usize::MAX / 2))
}
