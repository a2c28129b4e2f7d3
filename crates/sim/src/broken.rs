//! Hubs that are broken on purpose.

use tenfour_core::hub::HubConfig;
use tenfour_core::mutants::Mutants;

/// How a hub is broken: not at all, unless the feature `mutants` is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "mutants"), derive(Default))]
pub struct Broken {
    /// In these ways.
    pub mutants: Mutants,
}

#[cfg(feature = "mutants")]
impl Broken {
    /// Broken in these ways.
    pub fn by(mutants: &[tenfour_core::mutants::Mutant]) -> Self {
        Self { mutants: Mutants::of(mutants) }
    }
}

/// In the ways that the environment names, which is mostly none.
#[cfg(feature = "mutants")]
impl Default for Broken {
    fn default() -> Self {
        let named = std::env::var(tenfour_core::mutants::VARIABLE);
        Self { mutants: Mutants::of_process(named.ok().as_deref()) }
    }
}

impl Broken {
    /// The same configuration, broken.
    pub fn apply(self, config: HubConfig) -> HubConfig {
        HubConfig { mutants: self.mutants, ..config }
    }
}
