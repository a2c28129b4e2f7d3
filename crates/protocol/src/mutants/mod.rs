//! Mutants: this program, broken on purpose, which tests must notice. Each breaks one promise of the policy
//! (`docs/privacy/clauses.toml` says which). They exist behind the feature `mutants` only, which a release build
//! refuses. Without it [`mutant!`](crate::mutant) expands to nothing, and [`Mutants`] and [`InMutants`] are empty.
//!
//! A mutant takes one line at the place that it breaks. What that line calls stands in the folder `mutants/` of its
//! crate. The core's configuration says which mutants are active; shells read the environment once, at their
//! start.

#[cfg(all(feature = "mutants", not(debug_assertions)))]
compile_error!("the feature `mutants` breaks promises on purpose and is not for a release build");

#[cfg(feature = "mutants")]
mod list;
#[cfg(feature = "mutants")]
pub use list::{Mutant, Mutants, NoSuchMutant, VARIABLE};

/// Breaks a promise here, in a build with the feature `mutants`. Without the feature nothing is here.
///
/// * `mutant!(self.mutants, NoNoise => return count)`: does that if the mutant is active.
/// * `mutant!(self.mutants, BelieveClock => let room = u32::MAX)`: replaces `room` if the mutant is active.
/// * `mutant!(let text = broken(text))`, or any other statement: as it stands.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutant {
    (let $($statement:tt)*) => { let $($statement)*; };
    ($active:expr, $mutant:ident => let $right:ident = $broken:expr) => {
        let $right = if $active.has($crate::mutants::Mutant::$mutant) { $broken } else { $right };
    };
    ($active:expr, $mutant:ident => $broken:expr) => {
        if $active.has($crate::mutants::Mutant::$mutant) { $broken; }
    };
    ($($statement:tt)*) => { $($statement)* };
}

/// Nothing, in a build without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutant {
    ($($broken:tt)*) => {};
}

/// The mutants that are active: none, in a build without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
pub type Mutants = std::marker::PhantomData<()>;

/// A field that only mutants have: empty, in a build without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
pub type InMutants<T> = std::marker::PhantomData<T>;

/// A field that only mutants have.
#[cfg(feature = "mutants")]
pub type InMutants<T> = T;
