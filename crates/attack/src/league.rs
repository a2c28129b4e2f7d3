//! A match: one program against many targets, and how far off its answers were.

use std::time::Duration;

use fastrand::Rng;
use tenfour_core::hub::HubConfig;
use tenfour_core::mutants::Mutants;

use crate::air::Air;
use crate::borders::country_at;
use crate::geo::Spot;
use crate::hunt::{Clue, RUMOUR_KM};
use crate::over_hub::OverHub;
use crate::over_sockets::Stand;
use crate::path::{MOTORWAY, STEP, WANDERING, drive};
use crate::programs::{Doors, Kind, Program};
use crate::target::Target;

/// How long a drive is: longer than any program follows it.
const DRIVE: Duration = Duration::from_secs(4800);
/// How often a dropping link drops.
const DROPS: Duration = Duration::from_secs(100);
/// How near a border is to a target of the country border.
const BORDER_KM: f64 = 3.0;

/// Where a match is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// The hub, in virtual time.
    Hub,
    /// A server, over sockets of loopback.
    Sockets,
}

/// Errors in metres, sorted.
#[derive(Debug, Clone)]
pub struct Score {
    /// One for each target; of movers one for each of their minutes.
    pub errors: Vec<f64>,
}

impl Score {
    fn new(mut errors: Vec<f64>) -> Self {
        errors.sort_by(f64::total_cmp);
        Self { errors }
    }

    /// The error below which a share of the answers is.
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.errors.len().saturating_sub(1);
        self.errors.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The error of every other answer.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// Plays `program` against `targets` with these doors open, on two threads in virtual time and
/// on one over sockets. The same seed gives the same score.
pub fn play(program: &Program, open: Doors, ground: Ground, targets: u64, seed: u64) -> Score {
    let threads = if ground == Ground::Hub { 2 } else { 1 };
    let errors = std::thread::scope(|scope| {
        let share = |thread: u64| {
            move || {
                let stand = (ground == Ground::Sockets).then(|| Stand::start(broken(open)));
                let own = (0..targets).filter(|number| number % threads == thread);
                own.flat_map(|number| one(program, open, stand.as_ref(), number, seed)).collect::<Vec<_>>()
            }
        };
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(share(thread))).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("a program ends")).collect()
    });
    Score::new(errors)
}

/// One target: the errors of the program's answers.
fn one(program: &Program, open: Doors, stand: Option<&Stand>, number: u64, seed: u64) -> Vec<f64> {
    let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let home = if program.kind == Kind::Border { near_a_border(&mut rng) } else { anywhere(&mut rng) };
    let turn = if program.kind == Kind::Motorway { MOTORWAY } else { WANDERING };
    let way = if program.kind.moves() { drive(home, DRIVE, turn, &mut rng) } else { vec![home] };
    let drops = (program.kind == Kind::Dropping).then_some(DROPS);
    let target = Target { way, drops, hasty: open.moves };
    let rumour = home.towards(rng.f64() * std::f64::consts::TAU, RUMOUR_KM * rng.f64().sqrt());
    let clue = Clue { rumour, turn, seed: rng.u64(..) };
    let mut secret = [0; 32];
    rng.fill(&mut secret);
    let config = HubConfig {
        secret: tenfour_core::reach::Secret::new(secret),
        // Any time within an epoch.
        unix_at_zero: STEP * rng.u32(..90),
        mutants: broken(open),
        ..HubConfig::default()
    };
    let mut air: Box<dyn Air + '_> = match stand {
        Some(stand) => Box::new(stand.air(&target)),
        None => Box::new(OverHub::new(config, target.clone())),
    };
    let answers = (program.hunt)(&mut *air, &clue);
    answers.into_iter().map(|(at, spot)| 1000.0 * spot.km_to(target.spot(at))).collect()
}

fn anywhere(rng: &mut Rng) -> Spot {
    Spot::at(rng.f64() * 130.0 - 60.0, rng.f64() * 360.0 - 180.0)
}

/// A place with another country no farther than [`BORDER_KM`].
fn near_a_border(rng: &mut Rng) -> Spot {
    loop {
        let spot = anywhere(rng);
        let Some(country) = country_at(spot) else { continue };
        let around = (0..6).map(|side| country_at(spot.towards(f64::from(side), BORDER_KM)));
        if around.flatten().any(|other| other != country) {
            return spot;
        }
    }
}

/// How a hub with these doors is broken.
#[cfg(feature = "mutants")]
fn broken(open: Doors) -> Mutants {
    use tenfour_core::mutants::Mutant;
    let doors = [
        (open.distance, Mutant::RawDistance),
        (open.session_grid, Mutant::SessionGrid),
        (open.country, Mutant::RawCountry),
        (open.list, Mutant::ListByRange),
        (open.order, Mutant::SortedFanOut),
        (open.moves, Mutant::MovesAtOnce),
    ];
    Mutants::of(&doors.into_iter().filter(|(open, _)| *open).map(|(_, mutant)| mutant).collect::<Vec<_>>())
}

/// None can be opened without the feature.
#[cfg(not(feature = "mutants"))]
fn broken(open: Doors) -> Mutants {
    assert_eq!(open, Doors::SHUT, "the defence is taken out in a build with the feature `mutants` only");
    Mutants::default()
}
