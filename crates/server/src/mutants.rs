//! What is broken on purpose in this process, for the whole of its life.

use std::sync::LazyLock;

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
