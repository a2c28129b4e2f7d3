//! The country of a point, from the borders of OpenStreetMap (ODbL), carried in the program.

use std::sync::LazyLock;

use country_boundaries::{BOUNDARIES_ODBL_180X90, CountryBoundaries, LatLon};
use h3o::LatLng;
use tenfour_protocol::Country;

/// Parsed at the first use.
static BORDERS: LazyLock<CountryBoundaries> = LazyLock::new(|| {
    CountryBoundaries::from_reader(BOUNDARIES_ODBL_180X90).expect("the crate's own data are whole")
});

/// The smallest country that claims the point; none at sea.
pub(super) fn country_at(point: LatLng) -> Option<Country> {
    let position = LatLon::new(point.lat(), point.lng()).ok()?;
    let mut countries: Vec<Country> =
        BORDERS.ids(position).into_iter().filter_map(|id| Country::try_from(id.to_owned()).ok()).collect();
    // The crate orders regions of the same size at random.
    countries.sort_unstable();
    countries.first().copied()
}
