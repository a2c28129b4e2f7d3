//! People spread like on Earth, and what they do with a radio.

use std::f64::consts::TAU;

use fastrand::Rng;
use tenfour_protocol::{ChannelId, Range, Ranges};

use super::places::{CITIES, COUNTRYSIDE};
use crate::place::Position;

/// How many of a hundred choose a range for talking, from the shortest; the rest is unlimited.
const TX: [(Range, f64); 7] = [
    (Range::Km10, 20.0),
    (Range::Km25, 40.0),
    (Range::Km50, 20.0),
    (Range::Km100, 10.0),
    (Range::Km250, 5.0),
    (Range::Km500, 3.0),
    (Range::Km1000, 2.0),
];
/// Share of people on a named channel.
const NAMED: f64 = 0.2;

/// One of them.
pub(super) struct Someone {
    /// Where they are, unless they share no place.
    pub(super) place: Option<Position>,
    pub(super) ranges: Ranges,
    pub(super) channel: ChannelId,
}

/// Draws people.
pub(super) struct People {
    pub(super) rng: Rng,
    /// Share of those who reach and hear without limit; half of them share no place.
    unlimited: f64,
    millions: f64,
}

impl People {
    pub(super) fn new(seed: u64, unlimited: f64) -> Self {
        let millions = CITIES.iter().chain(COUNTRYSIDE).map(|place| place.3).sum();
        Self { rng: Rng::with_seed(seed), unlimited, millions }
    }

    pub(super) fn draw(&mut self) -> Someone {
        let channel = self.channel();
        if self.rng.f64() < self.unlimited {
            let place = self.rng.bool().then(|| self.place());
            return Someone { place, ranges: Ranges::default(), channel };
        }
        // One hears as far as one reaches, or a step further.
        let tx = self.range();
        let further = Range::ALL[(tx as usize + 1).min(Range::Km1000 as usize)];
        let rx = if self.rng.bool() { tx } else { further };
        Someone { place: Some(self.place()), ranges: Ranges { tx, rx }, channel }
    }

    fn range(&mut self) -> Range {
        let mut lot = self.rng.f64() * 100.0;
        let chosen = TX.iter().find(|(_, share)| {
            lot -= share;
            lot < 0.0
        });
        chosen.map_or(Range::Km1000, |(range, _)| *range)
    }

    /// One of 40 numbered channels, the first as often as the second two times, the third three times, and
    /// so on; or one of a thousand with a name.
    fn channel(&mut self) -> ChannelId {
        if self.rng.f64() < NAMED {
            return format!("talk-{}", self.rng.u32(0..1000)).parse().expect("a name");
        }
        let sum: f64 = (1..=40).map(|rank| 1.0 / f64::from(rank)).sum();
        let mut lot = self.rng.f64() * sum;
        let rank = (1..=40_u8).find(|&rank| {
            lot -= 1.0 / f64::from(rank);
            lot < 0.0
        });
        // Channel 19 is the one that everybody calls on.
        ChannelId::numbered((rank.unwrap_or(40) + 17) % 40 + 1).expect("of the band")
    }

    fn place(&mut self) -> Position {
        let mut lot = self.rng.f64() * self.millions;
        let all =
            CITIES.iter().map(|place| (place, true)).chain(COUNTRYSIDE.iter().map(|place| (place, false)));
        let mut chosen = (&CITIES[0], true);
        for place in all {
            chosen = place;
            lot -= place.0.3;
            if lot < 0.0 {
                break;
            }
        }
        let (&(lat, lon, radius, _), dense) = chosen;
        let share = self.rng.f64();
        let km = radius * if dense { share } else { share.sqrt() };
        Position::new(lat, lon).towards(self.rng.f64() * TAU, km)
    }
}
