//! A permutation test: whether pairs of blocks differ by more than chance, judged by turning pairs round.

use fastrand::Rng;

/// Random ways to turn the pairs round.
const TURNS: u32 = 10_000;
/// Share of a block's presses that is left out at each end, where a shared machine paused.
const LEFT_OUT: f64 = 0.2;

/// The result for one figure.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    /// The middle of all blocks of the one side.
    pub one: f64,
    /// The middle of all blocks of the other.
    pub other: f64,
    /// The middle of the differences within pairs.
    pub differ: f64,
    /// How often chance alone makes as much of a difference, of any sign.
    pub p: f64,
}

/// The middle of a block, without its ends.
pub fn middle(presses: &[f64]) -> f64 {
    let mut sorted = presses.to_vec();
    sorted.sort_by(f64::total_cmp);
    let out = (sorted.len() as f64 * LEFT_OUT) as usize;
    let kept = &sorted[out..sorted.len() - out];
    kept.iter().sum::<f64>() / kept.len() as f64
}

/// Judges pairs of blocks by the ranks of their differences, so that a block in which the machine paused counts no more
/// than the largest of the others.
pub fn judge(pairs: &[(f64, f64)], seed: u64) -> Verdict {
    let mut differences: Vec<f64> = pairs.iter().map(|(one, other)| one - other).collect();
    differences.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    let ranks: Vec<f64> =
        differences.iter().zip(1u32..).map(|(differ, rank)| f64::from(rank).copysign(*differ)).collect();
    let seen = ranks.iter().sum::<f64>().abs();
    let mut rng = Rng::with_seed(seed);
    let mut as_much = || {
        let turned: f64 = ranks.iter().map(|rank| if rng.bool() { *rank } else { -rank }).sum();
        turned.abs() >= seen
    };
    let extreme = (0..TURNS).filter(|_| as_much()).count();
    let side = |of: fn(&(f64, f64)) -> f64| median(pairs.iter().map(of).collect());
    Verdict {
        one: side(|pair| pair.0),
        other: side(|pair| pair.1),
        differ: median(differences),
        // The true order is one of the ways, too.
        p: (extreme + 1) as f64 / f64::from(TURNS + 1),
    }
}

/// The middle one.
pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks that drift, with a pause now and then, and `effect` on the one side.
    fn pairs(effect: f64, seed: u64) -> Vec<(f64, f64)> {
        let mut rng = Rng::with_seed(seed);
        let pair = |number: u32| {
            let drift = 40.0 + (f64::from(number) / 20.0).sin() * 5.0;
            let mut block = |effect: f64| {
                let pause = if rng.u8(0..20) == 0 { 500.0 * rng.f64() } else { 0.0 };
                drift + effect + pause + 4.0 * (rng.f64() + rng.f64() + rng.f64() - 1.5)
            };
            (block(effect), block(0.0))
        };
        (0..250).map(pair).collect()
    }

    #[test]
    fn chance_is_chance() {
        let below = |limit: f64| (0..200).filter(|&seed| judge(&pairs(0.0, seed), 1).p < limit).count();
        let (few, half) = (below(0.05), below(0.5));
        assert!((2..=20).contains(&few) && (70..=130).contains(&half), "{few} and {half} of 200");
    }

    #[test]
    fn a_small_effect_is_found() {
        for seed in 0..20 {
            // As large as the spread of a block.
            let verdict = judge(&pairs(2.0, seed), 1);
            assert!(verdict.p < 0.01 && verdict.differ > 1.2 && verdict.differ < 2.8, "{verdict:?}");
        }
    }

    #[test]
    fn the_ends_of_a_block_do_not_count() {
        let block: Vec<f64> = (1..=10).map(f64::from).collect();
        let paused: Vec<f64> = block.iter().map(|&at| if at == 10.0 { 1e6 } else { at }).collect();
        assert_eq!(middle(&block), 5.5);
        assert_eq!(middle(&block), middle(&paused));
    }
}
