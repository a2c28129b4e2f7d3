//! Hubs that are broken on purpose.

use tenfour_core::hub::HubConfig;
#[cfg(feature = "mutants")]
use tenfour_core::mutants::{Mutant, Mutants, VARIABLE};

/// How a hub is broken: not at all, unless the feature `mutants` is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "mutants"), derive(Default))]
pub struct Broken {
    /// In these ways.
    #[cfg(feature = "mutants")]
    pub mutants: Mutants,
}

#[cfg(feature = "mutants")]
impl Broken {
    /// Broken in these ways.
    pub fn by(mutants: &[Mutant]) -> Self {
        Self { mutants: Mutants::of(mutants) }
    }
}

/// In the ways that the environment names, which is mostly none.
#[cfg(feature = "mutants")]
impl Default for Broken {
    fn default() -> Self {
        Self { mutants: Mutants::of_process(std::env::var(VARIABLE).ok().as_deref()) }
    }
}

impl Broken {
    /// The same configuration, broken.
    #[cfg(feature = "mutants")]
    pub fn apply(self, config: HubConfig) -> HubConfig {
        HubConfig { mutants: self.mutants, ..config }
    }

    /// The same configuration.
    #[cfg(not(feature = "mutants"))]
    pub fn apply(self, config: HubConfig) -> HubConfig {
        config
    }
}
