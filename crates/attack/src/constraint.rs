//! What an answer says about the target's place.

use tenfour_protocol::{Range, SignalGrade};

use crate::geo::{Spot, centre, chord2_of};

/// Upper borders of the grades 5 to 1, in kilometres.
pub const GRADE_KM: [f64; 5] = [10.0, 25.0, 50.0, 100.0, 250.0];

/// Between two distances, in kilometres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Farther than this.
    pub over: f64,
    /// No farther than this.
    pub upto: f64,
}

impl Band {
    /// Nothing is known.
    pub const ANYWHERE: Self = Self { over: -1.0, upto: f64::INFINITY };

    /// Inside of a step of range, or outside.
    pub fn of_range(range: Range, within: bool) -> Self {
        match (range.km().map(f64::from), within) {
            (Some(km), true) => Self { over: -1.0, upto: km },
            (Some(km), false) => Self { over: km, upto: f64::INFINITY },
            (None, _) => Self::ANYWHERE,
        }
    }

    /// What a grade says.
    pub fn of_grade(grade: SignalGrade) -> Self {
        let grade = usize::from(u8::from(grade));
        let over = if grade == 5 { -1.0 } else { GRADE_KM[4 - grade] };
        Self { over, upto: if grade == 0 { f64::INFINITY } else { GRADE_KM[5 - grade] } }
    }

    /// Both at once.
    pub fn and(self, other: Self) -> Self {
        Self { over: self.over.max(other.over), upto: self.upto.min(other.upto) }
    }
}

/// What an answer says of the target's place, if the server measures from the position that the attacker gives.
#[derive(Debug, Clone, Copy)]
pub enum Constraint {
    /// It is in a band around a spot.
    Ring {
        /// Where the question was asked.
        at: Spot,
        /// The answer.
        band: Band,
        /// The band as squares of chords.
        chords: (f64, f64),
    },
    /// It is nearer to one spot than to another.
    Nearer {
        /// This one.
        near: Spot,
        /// And not this.
        far: Spot,
    },
}

impl Constraint {
    /// From an answer to a question asked at `at`.
    pub fn ring(at: Spot, band: Band) -> Self {
        let chord2 = |km: f64| match km {
            km if km < 0.0 => -1.0,
            km if km.is_infinite() => f64::INFINITY,
            km => chord2_of(km),
        };
        Self::Ring { at, band, chords: (chord2(band.over), chord2(band.upto)) }
    }

    /// Whether it can be true of `spot`.
    pub fn allows(&self, spot: Spot) -> bool {
        match self {
            Self::Ring { at, chords, .. } => {
                let chord2 = at.chord2(spot);
                chord2 > chords.0 && chord2 <= chords.1
            }
            Self::Nearer { near, far } => near.chord2(spot) <= far.chord2(spot),
        }
    }

    /// Whether it can be true of anything within `km` of `spot`.
    pub fn may_allow(&self, spot: Spot, km: f64) -> bool {
        match self {
            Self::Ring { at, band, .. } => {
                let distance = at.km_to(spot);
                distance + km > band.over && distance - km <= band.upto
            }
            Self::Nearer { near, far } => near.km_to(spot) - far.km_to(spot) <= 2.0 * km,
        }
    }

    /// The same for a server that snaps everybody to the grid.
    pub fn snapped(&self) -> Self {
        match *self {
            Self::Ring { at, band, .. } => Self::ring(centre(at.cell()), band),
            Self::Nearer { near, far } => Self::Nearer { near: centre(near.cell()), far: centre(far.cell()) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_bands_between_steps_of_range() {
        let band = |grade: u8| Band::of_grade(SignalGrade::ALL[usize::from(grade)]);
        assert_eq!((band(5).over, band(5).upto), (-1.0, 10.0));
        assert_eq!((band(3).over, band(3).upto), (25.0, 50.0));
        assert_eq!((band(0).over, band(0).upto), (250.0, f64::INFINITY));
    }

    #[test]
    fn a_ring_allows_what_is_in_its_band() {
        let at = Spot::at(-33.0, 151.0);
        let constraint = Constraint::ring(at, Band { over: 10.0, upto: 25.0 });
        for (km, allowed) in [(9.9999, false), (10.0001, true), (24.9999, true), (25.0001, false)] {
            assert_eq!(constraint.allows(at.towards(2.0, km)), allowed, "{km}");
        }
        let nearer = Constraint::Nearer { near: at, far: at.towards(0.5, 30.0) };
        assert!(nearer.allows(at.towards(0.5, 14.9)) && !nearer.allows(at.towards(0.5, 15.1)));
    }
}
