//! One announcement for each signal grade, which is all that differs between the listeners of a burst.

use tenfour_protocol::SignalGrade;

/// A value for each grade, and one for a distance that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByGrade<A>([A; SignalGrade::ALL.len() + 1]);

impl<A> ByGrade<A> {
    /// Makes each value.
    pub fn from_fn(mut make: impl FnMut(Option<SignalGrade>) -> A) -> Self {
        Self(std::array::from_fn(|index| make(SignalGrade::ALL.get(index).copied())))
    }

    /// The value for a grade.
    pub fn of(&self, grade: Option<SignalGrade>) -> &A {
        &self.0[grade.map_or(SignalGrade::ALL.len(), |grade| usize::from(u8::from(grade)))]
    }
}
