//! A particle filter: many invented drivers, of whom each known cell keeps those that were in it. They drive by the
//! target's own model, and each minute is answered in hindsight.

use std::time::Duration;

use fastrand::Rng;
use h3o::CellIndex;

use crate::geo::{Spot, centre, centroid};
use crate::path::{Driver, STEP, normal};

const DRIVERS: usize = 1200;
/// Later cells that are waited for before a time is answered.
const HINDSIGHT: usize = 2;
/// The weight of a driver at the edge of the cell, outside: not zero, so that some driver is always left.
const STRAY: f64 = 1e-3;
/// At this distance from the edge it is less by a factor of e.
const STRAY_KM: f64 = 2.0;
/// Drivers who are kept are moved this far, or all would soon be the same one.
const JITTER_KM: f64 = 0.1;

/// A cell in which the target was at a time.
#[derive(Debug, Clone, Copy)]
pub struct Sighting {
    /// Since the start.
    pub at: Duration,
    /// Where.
    pub cell: CellIndex,
}

#[derive(Clone)]
struct Track {
    driver: Driver,
    way: Vec<Spot>,
}

/// Where a target was at each of `times`, after `sightings` in their order, the first at the
/// start, on a way that turns so much.
pub fn smooth(sightings: &[Sighting], times: &[Duration], turn: f64, rng: &mut Rng) -> Vec<(Duration, Spot)> {
    let Some(first) = sightings.first() else { return Vec::new() };
    let mut tracks: Vec<_> = (0..DRIVERS).map(|_| Track::starting_in(first.cell, turn, rng)).collect();
    let mut judged = vec![None; times.len()];
    for next in 1..=sightings.len() {
        let end = sightings.get(next).map(|sighting| sighting.at).or(times.last().copied());
        let steps = end.map_or(0, |end| end.as_secs().div_ceil(STEP.as_secs()) as usize);
        for track in &mut tracks {
            track.drive(steps, rng);
        }
        if let Some(sighting) = sightings.get(next) {
            tracks = keep(&tracks, sighting, rng);
        }
        let ripe = (next + 1).checked_sub(HINDSIGHT).and_then(|ripe| sightings.get(ripe));
        let ripe =
            if next == sightings.len() { Duration::MAX } else { ripe.map_or(Duration::ZERO, |s| s.at) };
        for (time, spot) in times.iter().zip(&mut judged) {
            if *time < ripe && spot.is_none() {
                *spot = Spot::mean(tracks.iter().map(|track| track.at(*time)));
            }
        }
    }
    let fallback = centroid(first.cell);
    times.iter().zip(judged).map(|(&time, place)| (time, place.unwrap_or(fallback))).collect()
}

impl Track {
    fn starting_in(cell: CellIndex, turn: f64, rng: &mut Rng) -> Self {
        let middle = centroid(cell);
        let anywhere =
            |rng: &mut Rng| middle.towards(rng.f64() * std::f64::consts::TAU, 5.0 * rng.f64().sqrt());
        let mut spot = anywhere(rng);
        for _ in 0..20 {
            if spot.cell() == cell {
                break;
            }
            spot = anywhere(rng);
        }
        Self { driver: Driver::new(spot, turn, rng), way: vec![spot] }
    }

    fn drive(&mut self, steps: usize, rng: &mut Rng) {
        while self.way.len() <= steps {
            self.driver.step(rng);
            self.way.push(self.driver.spot);
        }
    }

    fn at(&self, time: Duration) -> Spot {
        let step = (time.as_secs() / STEP.as_secs()) as usize;
        self.way[step.min(self.way.len() - 1)]
    }
}

/// Draws anew: who was in the cell is drawn often.
fn keep(tracks: &[Track], sighting: &Sighting, rng: &mut Rng) -> Vec<Track> {
    let middle = centre(sighting.cell);
    let weight = |track: &Track| {
        let spot = track.at(sighting.at);
        if spot.cell() == sighting.cell { 1.0 } else { STRAY * (-spot.km_to(middle) / STRAY_KM).exp() }
    };
    let weights: Vec<f64> = tracks.iter().map(weight).collect();
    let step = weights.iter().sum::<f64>() / DRIVERS as f64;
    let (mut reach, mut kept) = (step * rng.f64(), Vec::with_capacity(DRIVERS));
    let mut sum = 0.0;
    for (track, weight) in tracks.iter().zip(weights) {
        sum += weight;
        while reach < sum && kept.len() < DRIVERS {
            let mut track = track.clone();
            track.driver.spot = track.driver.spot.shifted(JITTER_KM * normal(rng), JITTER_KM * normal(rng));
            kept.push(track);
            reach += step;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::{WANDERING, drive};

    #[test]
    fn hindsight_follows_a_driver_whose_cell_is_known_every_minute() {
        let mut rng = Rng::with_seed(8);
        let way = drive(Spot::at(50.0, 8.0), Duration::from_secs(1800), WANDERING, &mut rng);
        let spot = |at: Duration| way[(at.as_secs() / STEP.as_secs()) as usize];
        let times: Vec<_> = (0..=30).map(|minute| Duration::from_secs(60 * minute)).collect();
        let sightings: Vec<_> = times.iter().map(|&at| Sighting { at, cell: spot(at).cell() }).collect();
        let mut errors: Vec<_> = smooth(&sightings, &times, WANDERING, &mut rng)
            .iter()
            .map(|(at, place)| place.km_to(spot(*at)))
            .collect();
        errors.sort_by(f64::total_cmp);
        assert!(errors[15] < 1.2, "{errors:?}");
    }
}
