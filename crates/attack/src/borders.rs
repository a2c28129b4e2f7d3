//! The borders that everybody can look up, and the server does.

use std::sync::LazyLock;

use country_boundaries::{BOUNDARIES_ODBL_180X90, CountryBoundaries, LatLon};
use tenfour_protocol::Country;

use crate::geo::Spot;

static BORDERS: LazyLock<CountryBoundaries> = LazyLock::new(|| {
    CountryBoundaries::from_reader(BOUNDARIES_ODBL_180X90).expect("the crate's own data are whole")
});

/// The country of a spot, as the server would tell it of a centre there.
pub fn country_at(spot: Spot) -> Option<Country> {
    let position = LatLon::new(spot.lat(), spot.lon()).ok()?;
    let ids = BORDERS.ids(position).into_iter();
    ids.filter_map(|id| Country::try_from(id.to_owned()).ok()).min()
}
