//! Does the moment at which a frame comes tell whether somebody else hears it?
//!
//! An attacker has a talker and two listeners on a channel, where the target only listens. Whether the target is in
//! range changes from block to block, in pairs of blocks whose order is drawn; the times that the attacker can measure
//! of a press are compared by permutation. In a null run the target is out of range in both blocks. In a build with the
//! feature `mutants`, a server that serves only those who hear has to be found out.

mod host;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use fastrand::Rng;

use self::host::Host;
use self::stage::{Ear, Seen, Size, Stage};
use crate::permutation::{Verdict, judge, middle};

pub use self::host::serve;

/// Presses of a block: two on each channel.
const BLOCK: usize = 2 * CHANNELS;
/// Channels, and the talkers of a large one: each talks less than five times a second.
const CHANNELS: usize = 20;
/// The result is chance when p is above this.
const CHANCE: f64 = 0.05;
/// It is no chance when p is below this.
const FOUND: f64 = 0.01;

/// What to play.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Presses a side, at least.
    pub presses: usize,
    /// Everybody tuned to a channel. Up to 64 there are many channels, from there on one.
    pub tuned: usize,
    /// Workers of the server.
    pub workers: usize,
    /// A program to attack, `tenfour`; else a server of this build.
    pub server: Option<PathBuf>,
    /// Seed of the order of blocks.
    pub seed: u64,
    /// One run, instead of all.
    pub only: Option<Run>,
}

/// What a run compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Run {
    /// Somebody in range, and out of range.
    Real,
    /// Out of range, and out of range.
    Null,
    /// As the first, against a server that serves only those who hear.
    AsBefore,
}

/// The figures of a run.
struct Outcome {
    presses: usize,
    lost: usize,
    figures: [(&'static str, Verdict); 4],
}

impl Outcome {
    /// The least p, multiplied by the number of figures, each of which had its chance (Bonferroni).
    fn p(&self) -> f64 {
        let least = self.figures.iter().map(|(_, verdict)| verdict.p).fold(1.0, f64::min);
        (least * self.figures.len() as f64).min(1.0)
    }
}

/// Plays all runs and tells their results. False when a moment tells who hears, or when the attack finds nothing where it
/// should.
pub fn play(plan: &Plan, tell: &mut dyn FnMut(String)) -> bool {
    let mut good = true;
    let all = [Run::Real, Run::Null, Run::AsBefore].into_iter();
    for run in all.filter(|run| plan.only.is_none_or(|only| only == *run)) {
        if run == Run::AsBefore && (cfg!(not(feature = "mutants")) || plan.server.is_some()) {
            tell("as before: not played, this server cannot be broken".into());
            continue;
        }
        let start = Instant::now();
        let outcome = compare(run, plan);
        let (what, held) = match run {
            Run::Real => ("in range, and not", outcome.p() > CHANCE),
            Run::Null => ("null run", outcome.p() > FOUND),
            Run::AsBefore => ("as before", outcome.p() < FOUND),
        };
        good &= held;
        let (presses, lost, p) = (outcome.presses, outcome.lost, outcome.p());
        let took = start.elapsed().as_secs();
        tell(format!(
            "{what}: {presses} presses a side, {lost} lost, {took} s: p = {p:.4}{}",
            if held { "" } else { ": NOT AS IT SHOULD BE" }
        ));
        for (figure, Verdict { one, other, differ, p }) in outcome.figures {
            tell(format!(
                "  {figure}: {one:.2} us and {other:.2} us, within pairs {differ:+.3} us, p = {p:.4}"
            ));
        }
    }
    good
}

fn compare(run: Run, plan: &Plan) -> Outcome {
    let host = Host::start(plan, run == Run::AsBefore);
    let many = plan.tuned > usize::from(tenfour_protocol::limits::TURNS);
    let (channels, talkers) = if many { (1, CHANNELS) } else { (CHANNELS, 1) };
    let mut stage = Stage::set(host.url(), Size { channels, talkers, tuned: plan.tuned });
    let other = if run == Run::Null { Ear::Shuttered } else { Ear::Open };
    let mut rng = Rng::with_seed(plan.seed);
    let pairs = plan.presses.div_ceil(BLOCK);
    let mut lost = 0;
    // The first presses warm up and do not count.
    for _ in 0..BLOCK {
        stage.press();
    }
    let mut blocks = Vec::new();
    for _ in 0..pairs {
        let mut block = |ear| {
            stage.listen(ear);
            let seen: Vec<Seen> = (0..BLOCK).filter_map(|_| stage.press()).collect();
            lost += BLOCK - seen.len();
            let of = |figure: fn(&Seen) -> f64| middle(&seen.iter().map(figure).collect::<Vec<_>>());
            [of(|seen| seen.late), of(|seen| seen.apart), of(|seen| seen.begun), of(|seen| seen.busy)]
        };
        blocks.push(if rng.bool() {
            let one = block(other);
            (one, block(Ear::Shut))
        } else {
            let shut = block(Ear::Shut);
            (block(other), shut)
        });
    }
    let judged = |figure: usize| {
        let pairs: Vec<_> = blocks.iter().map(|(one, other)| (one[figure], other[figure])).collect();
        judge(&pairs, plan.seed)
    };
    let names = ["arrival", "between two listeners", "first of a press", "answer to a ping beside"];
    let figures = std::array::from_fn(|figure| (names[figure], judged(figure)));
    Outcome { presses: pairs * BLOCK, lost, figures }
}
