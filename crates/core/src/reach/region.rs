//! Regions: how coarsely a subject between nodes says where a talker is, and which regions may have talkers whom a
//! listener hears.

use h3o::{CellIndex, LatLng, Resolution};
use tenfour_protocol::Range;
use tenfour_protocol::node::Region;

use super::distance::{Point, km_of, step};

/// How many points of each side of a region we measure distances to.
const SAMPLES: u32 = 4;
/// By how much a distance to a region's border may be wrong, in lengths of its side: cells stick out a little from
/// their parent, and the nearest point may be between two samples.
const MARGIN: f64 = 0.25;

/// The resolution of a region, about as large as the range: a smaller one would take many
/// subscriptions, a larger one brings frames that nobody hears.
fn resolution(tx: Range) -> Resolution {
    match tx {
        Range::Km10 | Range::Km25 => Resolution::Five,
        Range::Km50 | Range::Km100 => Resolution::Four,
        Range::Km250 | Range::Km500 => Resolution::Three,
        Range::Km1000 | Range::Unlimited => Resolution::Two,
    }
}

/// The region of a talker at `point`, which is the centre of a cell.
pub(super) fn region_of(point: &Point, tx: Range) -> Region {
    Region::Cell(point.position().to_cell(Resolution::Six).parent(resolution(tx)).map_or(0, u64::from))
}

/// For each transmit range the regions in which a talker could be whom a listener hears, at `point`
/// (none, if it shares no place) and with receive range `rx`.
pub(super) fn interest(point: Option<&Point>, rx: Range) -> Vec<(Range, Region)> {
    let Some(point) = point else {
        // A listener without a place hears talkers with unlimited range, wherever they are.
        return if rx == Range::Unlimited { vec![(Range::Unlimited, Region::Any)] } else { Vec::new() };
    };
    let cell = point.position().to_cell(Resolution::Six);
    let mut all: Vec<(Range, Region)> = Vec::new();
    let mut before: Option<(Range, Range)> = None;
    for tx in Range::ALL {
        let near = tx.min(rx);
        match before.filter(|&(last, as_near)| as_near == near && resolution(last) == resolution(tx)) {
            _ if near == Range::Unlimited => all.push((tx, Region::Any)),
            // The same regions as for the range before.
            Some((last, _)) => {
                let same = all.iter().filter(|(range, _)| *range == last);
                let same: Vec<_> = same.map(|&(_, region)| (tx, region)).collect();
                all.extend(same);
            }
            None => all.extend(cover(point, cell, near, resolution(tx)).map(|region| (tx, region))),
        }
        before = Some((tx, near));
    }
    all
}

/// The regions of one resolution that come within `near` of a point in `cell`.
fn cover(
    point: &Point,
    cell: CellIndex,
    near: Range,
    resolution: Resolution,
) -> impl Iterator<Item = Region> + use<'_> {
    let home = cell.parent(resolution);
    let km = near.km().map_or(0.0, f64::from);
    // Neighbours are 1.7 sides apart; some regions are smaller than the average.
    let rings = (km / (side_km(resolution) * 1.2)).ceil() as u32 + 1;
    let around = home.into_iter().flat_map(move |home| home.grid_disk_safe(rings));
    around
        .filter(move |region| Some(*region) == home || touches(point, *region, near))
        .map(|region| Region::Cell(region.into()))
}

/// Whether a cell of `region` may be within `near` of `point`.
fn touches(point: &Point, region: CellIndex, near: Range) -> bool {
    let km = near.km().map_or(0.0, f64::from);
    let side = side_km(region.resolution());
    let centre = km_of(point.chord2(&Point::of(LatLng::from(region))));
    if centre <= km + side * 0.5 {
        return true;
    }
    if centre > km + side * 1.7 {
        return false;
    }
    let border: Vec<Point> = region.boundary().iter().map(|corner| Point::of(*corner)).collect();
    let sides = border.iter().zip(border.iter().cycle().skip(1));
    let mut samples =
        sides.flat_map(|(from, to)| (0..SAMPLES).map(|sample| Point::between(from, to, sample, SAMPLES)));
    let reach = step(near);
    samples.any(|sample| {
        let chord2 = point.chord2(&sample);
        chord2 <= reach || km_of(chord2) <= km + side * MARGIN
    })
}

/// About the longest side of regions, in kilometres.
fn side_km(resolution: Resolution) -> f64 {
    resolution.edge_length_km()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn centre(lat: f64, lon: f64) -> Point {
        Point::of(LatLng::from(LatLng::new(lat, lon).unwrap().to_cell(Resolution::Six)))
    }

    fn takes(interest: &[(Range, Region)], tx: Range, talker: &Point) -> bool {
        interest.contains(&(tx, Region::Any)) || interest.contains(&(tx, region_of(talker, tx)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn whoever_is_heard_is_in_a_region_of_the_interest(
            // As likely near a pole as anywhere.
            a in (-90.0..90.0, -180.0..180.0),
            bearing in 0.0..std::f64::consts::TAU,
            share in 0.8..1.0_f64,
            tx in 0..8_usize,
            rx in 0..8_usize,
        ) {
            let (tx, rx) = (Range::ALL[tx], Range::ALL[rx]);
            let listener = centre(a.0, a.1);
            // Just in range: the rim is where regions are missed.
            let arc = tx.min(rx).km().map_or(20_000.0, f64::from) * share / 6371.0;
            let (lat, lon) = (f64::to_radians(a.0), f64::to_radians(a.1));
            let lat2 = (lat.sin() * arc.cos() + lat.cos() * arc.sin() * f64::cos(bearing)).asin();
            let lon2 = lon + (f64::sin(bearing) * arc.sin() * lat.cos()).atan2(arc.cos() - lat.sin() * lat2.sin());
            let talker = centre(lat2.to_degrees(), (lon2.to_degrees() + 540.0).rem_euclid(360.0) - 180.0);
            let hears = listener.chord2(&talker) <= step(tx.min(rx));
            let interest = interest(Some(&listener), rx);
            prop_assert!(!hears || takes(&interest, tx, &talker), "{tx} {rx} {a:?} {bearing} {share}");
        }

        #[test]
        fn a_centre_gives_its_cell_back(lat in -90.0..90.0, lon in -180.0..180.0) {
            let cell = LatLng::new(lat, lon).unwrap().to_cell(Resolution::Six);
            prop_assert_eq!(Point::of(LatLng::from(cell)).position().to_cell(Resolution::Six), cell);
        }
    }

    #[test]
    fn an_interest_is_a_handful_of_regions() {
        for (lat, lon) in [(44.8, 20.46), (-22.9, -43.2), (89.9, 0.0), (-10.445, 58.158)] {
            let interest = interest(Some(&centre(lat, lon)), Range::Unlimited);
            let of = |tx| interest.iter().filter(|(range, _)| *range == tx).count();
            assert!(of(Range::Km10) <= 12 && of(Range::Km25) <= 26, "{lat} {lon}: {}", of(Range::Km10));
            assert!(interest.len() < 420, "{}", interest.len());
        }
        assert_eq!(super::interest(None, Range::Unlimited), [(Range::Unlimited, Region::Any)]);
        assert_eq!(super::interest(None, Range::Km10), []);
    }
}
