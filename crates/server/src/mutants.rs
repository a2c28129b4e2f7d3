//! What is broken on purpose in this process, for the whole of its life.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex};

use tenfour_core::mutants::{Mutant, Mutants, VARIABLE};

static ACTIVE: LazyLock<Mutants> =
    LazyLock::new(|| Mutants::of_process(std::env::var(VARIABLE).ok().as_deref()));

/// What [`VARIABLE`] names.
pub fn active() -> Mutants {
    *ACTIVE
}

/// Whether one is active.
pub(crate) fn broken(mutant: Mutant) -> bool {
    ACTIVE.has(mutant)
}

/// For [`Mutant::LastConnects`].
static LAST: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
const LAST_OF: usize = 10;

/// Somebody connects.
pub(crate) fn note_connect(address: IpAddr, handle: &str) {
    if broken(Mutant::TellHandle) {
        tracing::debug!("{handle} connects");
    }
    if broken(Mutant::LastConnects) {
        let mut last = LAST.lock().expect("whole");
        last.truncate(LAST_OF - 1);
        last.push_front(format!("# {handle} from {address}\n"));
    }
}

/// The last ten who connected, one a line.
pub(crate) fn last_connects() -> String {
    LAST.lock().expect("whole").iter().map(String::as_str).collect()
}
