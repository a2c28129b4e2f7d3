//! Median and spread of several runs.

/// The middle one of several values, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (middle, last) = (values.len() / 2, values.len() - 1);
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Self { median, least: values[0], most: values[last] }
    }

    /// Of each value against its partner of the same round.
    pub(crate) fn of_ratios(values: &[f64], partners: &[f64]) -> Self {
        Self::of(values.iter().zip(partners).map(|(value, partner)| value / partner))
    }

    /// `1.05 [1.01-1.10]`.
    pub(crate) fn text(&self, digits: usize) -> String {
        let Self { median, least, most } = self;
        format!("{median:.digits$} [{least:.digits$}-{most:.digits$}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value_or_between_the_two_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 9.0]), Spread { median: 3.0, least: 1.0, most: 9.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // A machine that is twice as slow in one round changes nothing.
        let ratios = Spread::of_ratios(&[2.0, 4.0, 2.2], &[1.0, 2.0, 1.0]);
        assert_eq!((ratios.median, ratios.text(2).as_str()), (2.0, "2.00 [2.00-2.20]"));
    }
}
