//! What is broken on purpose in this process, for the whole of its life.

use std::io::Write;
use std::sync::LazyLock;

use tenfour_core::mutants::{Mutant, Mutants, VARIABLE};
use tenfour_core::radio::Event;

static ACTIVE: LazyLock<Mutants> =
    LazyLock::new(|| Mutants::of_process(std::env::var(VARIABLE).ok().as_deref()));

/// What [`VARIABLE`] names.
pub(crate) fn active() -> Mutants {
    *ACTIVE
}

/// Keeps voice in a file, for some later that nobody has asked for.
pub(crate) fn cache(event: &Event) {
    if let Event::Voice { payload, .. } = event
        && active().has(Mutant::CacheLastBurst)
    {
        let path = std::env::temp_dir().join("tenfour-last-burst");
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(payload)).expect("a broken program that works");
    }
}
