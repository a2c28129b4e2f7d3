//! A cell with the position that it was made of: what no client can say, and what a broken server listens to.

use super::GeoCell;

impl GeoCell {
    /// The same with a position in degrees, north and east.
    pub fn with_raw(self, lat: f64, lon: f64) -> Self {
        Self { index: Box::new(*self.index), raw: Some(Box::new((lat.to_bits(), lon.to_bits()))) }
    }

    /// The position in degrees, north and east, if one was given.
    pub fn raw(&self) -> Option<(f64, f64)> {
        self.raw.as_ref().map(|raw| (f64::from_bits(raw.0), f64::from_bits(raw.1)))
    }

    pub(super) fn text_with_raw(&self) -> Option<String> {
        self.raw().map(|(lat, lon)| format!("{:015x}@{lat},{lon}", *self.index))
    }

    pub(super) fn parse_with_raw(text: &str) -> Option<Self> {
        let (cell, raw) = text.split_once('@')?;
        let (lat, lon) = raw.split_once(',')?;
        Some(Self::parse(cell)?.with_raw(lat.parse().ok()?, lon.parse().ok()?))
    }
}

pub(super) fn without_raw(text: &str) -> &str {
    text.split_once('@').map_or(text, |(cell, _)| cell)
}
