//! How somebody drives: at about 50 km/h along a wandering way. Attackers know this model.

use std::time::Duration;

use fastrand::Rng;

use crate::geo::Spot;

/// A step of a drive.
pub const STEP: Duration = Duration::from_secs(10);
/// Mean speed, kilometres an hour.
pub const SPEED: f64 = 50.0;
/// The speed of a stretch differs from that by up to this much.
const SPEED_SPREAD: f64 = 15.0;
/// Steps of one stretch.
const STRETCH: u32 = 18;
/// A wandering way, by the standard deviation of the turn in one step, in radians: 9 degrees, so
/// about 22 degrees in a minute; its direction is forgotten after some five kilometres.
pub const WANDERING: f64 = 9.0 * std::f64::consts::PI / 180.0;
/// The same of a motorway: 1.5 degrees.
pub const MOTORWAY: f64 = 1.5 * std::f64::consts::PI / 180.0;

/// A driver.
#[derive(Debug, Clone, Copy)]
pub struct Driver {
    /// Where it is.
    pub spot: Spot,
    bearing: f64,
    speed: f64,
    turn: f64,
    steps: u32,
}

impl Driver {
    /// Begins somewhere, in any direction, on a way that turns so much.
    pub fn new(spot: Spot, turn: f64, rng: &mut Rng) -> Self {
        Self { spot, bearing: rng.f64() * std::f64::consts::TAU, speed: speed(rng), turn, steps: 0 }
    }

    /// Drives for one [`STEP`].
    pub fn step(&mut self, rng: &mut Rng) {
        self.steps += 1;
        if self.steps.is_multiple_of(STRETCH) {
            self.speed = speed(rng);
        }
        self.bearing += normal(rng) * self.turn;
        let from = self.spot;
        self.spot = from.towards(self.bearing, self.speed * STEP.as_secs_f64() / 3600.0);
    }
}

fn speed(rng: &mut Rng) -> f64 {
    SPEED + SPEED_SPREAD * (rng.f64() * 2.0 - 1.0)
}

/// A number of the normal distribution.
pub fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (rng.f64() * std::f64::consts::TAU).cos()
}

/// A whole drive, a spot for each step.
pub fn drive(from: Spot, time: Duration, turn: f64, rng: &mut Rng) -> Vec<Spot> {
    let mut driver = Driver::new(from, turn, rng);
    let steps = time.as_secs() / STEP.as_secs();
    let mut way = vec![from];
    for _ in 0..steps {
        driver.step(rng);
        way.push(driver.spot);
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_is_as_long_as_its_speed_says_and_wanders() {
        let mut rng = Rng::with_seed(3);
        let hour = Duration::from_secs(3600);
        let ways: Vec<_> = (0..50).map(|_| drive(Spot::at(45.0, 9.0), hour, WANDERING, &mut rng)).collect();
        let length = |way: &Vec<Spot>| way.windows(2).map(|pair| pair[0].km_to(pair[1])).sum::<f64>();
        let mean = |of: &dyn Fn(&Vec<Spot>) -> f64| ways.iter().map(of).sum::<f64>() / 50.0;
        assert!((mean(&length) - SPEED).abs() < 3.0);
        assert!(mean(&|way| way[0].km_to(way[way.len() - 1])) < 0.7 * SPEED);
    }
}
