//! Hubs that are broken on purpose.

use tenfour_core::hub::HubConfig;
#[cfg(feature = "mutants")]
use tenfour_core::mutants::{Mutant, Mutants};

/// How a hub is broken: not at all, unless the feature `mutants` is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

/// The name on the command line: `raw-distance` and so on.
#[cfg(feature = "mutants")]
pub fn name(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::RawDistance => "raw-distance",
        Mutant::SessionGrid => "session-grid",
        Mutant::SortedFanOut => "sorted-fan-out",
        Mutant::RawCountry => "raw-country",
        Mutant::ListByRange => "list-by-range",
        Mutant::FloorByRange => "floor-by-range",
        Mutant::MovesAtOnce => "moves-at-once",
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
