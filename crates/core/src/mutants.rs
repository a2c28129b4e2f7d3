//! Broken variants of the hub, which tests must notice: each breaks one promise about places.
//! Only behind the feature `mutants`, which a release build refuses.

#[cfg(not(debug_assertions))]
compile_error!("the feature `mutants` breaks promises on purpose and is not for a release build");

/// One way to be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mutant {
    /// Distances are those of the positions, not of their cells.
    RawDistance,
    /// Each session has a grid of its own, shifted at random.
    SessionGrid,
    /// Listeners are served from the nearest to the farthest.
    SortedFanOut,
    /// The country is that of the position.
    RawCountry,
    /// The list of participants names those in range only.
    ListByRange,
    /// A press is refused while somebody in range talks, and admitted while somebody beyond does.
    FloorByRange,
    /// A new cell takes effect at once, and costs nothing.
    MovesAtOnce,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RawDistance,
        Self::SessionGrid,
        Self::SortedFanOut,
        Self::RawCountry,
        Self::ListByRange,
        Self::FloorByRange,
        Self::MovesAtOnce,
    ];
}

/// The mutants that are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mutants(u8);

impl Mutants {
    /// These.
    pub fn of(mutants: &[Mutant]) -> Self {
        Self(mutants.iter().fold(0, |bits, &mutant| bits | 1 << mutant as u8))
    }

    /// Whether one is active.
    pub fn has(self, mutant: Mutant) -> bool {
        self.0 & (1 << mutant as u8) != 0
    }
}
