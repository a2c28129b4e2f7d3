//! Noise for counts: whole numbers from the two-sided geometric distribution, which is Laplace's
//! over the whole numbers. `P(n)` goes with `exp(-epsilon * |n|)`, so a count and the count with one
//! person more answer the same with odds that differ by `exp(epsilon)` at most. Whole numbers
//! because a count is one: with fractions, the last digits would tell what was added.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenfour_core::mutant;

/// Noise for the answer to a question. The same secret, question and count give the same noise, so
/// asking again tells nothing new; another count gives noise that has nothing to do with it, so
/// that the difference of two answers is not the difference of the counts.
pub(super) fn noise(secret: &[u8; 32], question: &[&[u8]], count: u64, epsilon: f64) -> i64 {
    mutant!(crate::mutants::active(), NoNoise => return 0);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let what: [&[u8]; 3] = [b"tenfour noise 1", &count.to_be_bytes(), &epsilon.to_be_bytes()];
    for part in what.iter().chain(question) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    let bytes = mac.finalize().into_bytes();
    let half = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    geometric(half(0), epsilon) - geometric(half(8), epsilon)
}

/// How likely somebody who is alone in a cell makes it appear: what epsilon does not cover.
pub(super) fn delta(epsilon: f64, threshold: u64) -> f64 {
    (-epsilon * (threshold.saturating_sub(1)) as f64).exp() / (1.0 + (-epsilon).exp())
}

/// How often a coin that falls with probability `exp(-epsilon)` falls in a row.
fn geometric(random: u64, epsilon: f64) -> i64 {
    // 53 bits, above 0 and up to 1.
    let uniform = ((random >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    (-uniform.ln() / epsilon).floor() as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const DRAWS: u64 = 400_000;

    /// How often each answer comes for a true count, over many secrets.
    fn answers(count: u64, epsilon: f64) -> BTreeMap<i64, u64> {
        let mut answers = BTreeMap::new();
        for draw in 0..DRAWS {
            let mut secret = [7; 32];
            secret[..8].copy_from_slice(&draw.to_be_bytes());
            *answers.entry(count as i64 + noise(&secret, &[b"cell"], count, epsilon)).or_default() += 1;
        }
        answers
    }

    #[test]
    fn noise_is_centred_and_as_wide_as_epsilon_says() {
        for epsilon in [0.25, 0.5, 1.0, 2.0] {
            let answers = answers(0, epsilon);
            let mean = |of: &dyn Fn(f64) -> f64| {
                answers.iter().map(|(n, times)| of(*n as f64) * *times as f64).sum::<f64>() / DRAWS as f64
            };
            let q = (-epsilon).exp();
            let deviation = (2.0 * q).sqrt() / (1.0 - q);
            // Five times what chance allows.
            let chance = 5.0 * deviation / (DRAWS as f64).sqrt();
            assert!(mean(&|n| n).abs() < chance, "epsilon {epsilon}: mean {}", mean(&|n| n));
            let wide = mean(&f64::abs);
            assert!((wide - 2.0 * q / (1.0 - q * q)).abs() < chance, "epsilon {epsilon}: width {wide}");
            let squared = mean(&|n| n * n) / deviation.powi(2);
            assert!(
                (squared - 1.0).abs() < 0.03,
                "epsilon {epsilon}: variance {squared} of what it should be"
            );
        }
    }

    /// The promise itself, seen from outside: no answer is much likelier with one person more.
    #[test]
    fn one_person_more_changes_the_odds_of_no_answer_by_more_than_epsilon() {
        for epsilon in [0.5, 1.0] {
            let (without, with) = (answers(60, epsilon), answers(61, epsilon));
            let mut compared = 0;
            for (answer, times) in &without {
                let other = with.get(answer).copied().unwrap_or(0);
                // Rarer ones say more about chance than about the noise.
                if *times.min(&other) < 2_000 {
                    continue;
                }
                compared += 1;
                let odds = (*times as f64 / other as f64).ln().abs();
                assert!(odds < epsilon + 0.08, "epsilon {epsilon}, answer {answer}: {odds}");
                assert!(odds > epsilon - 0.08, "the noise is wider than it has to be: {odds}");
            }
            assert!(compared >= 6, "{compared} answers compared");
        }
    }

    #[test]
    fn the_same_question_has_the_same_noise_and_another_has_another() {
        let ask =
            |secret: u8, question: &[&[u8]], count, epsilon| noise(&[secret; 32], question, count, epsilon);
        // Few differ by chance only: of 64, wide noise repeats seldom.
        let differs = |other: &dyn Fn(u8) -> i64| {
            (0..64).filter(|secret| other(*secret) != ask(*secret, &[b"a", b"b"], 60, 0.05)).count() > 48
        };
        assert!(!differs(&|secret| ask(secret, &[b"a", b"b"], 60, 0.05)));
        assert!(differs(&|secret| ask(secret + 64, &[b"a", b"b"], 60, 0.05)), "another day");
        assert!(differs(&|secret| ask(secret, &[b"ab", b""], 60, 0.05)), "another cell");
        assert!(differs(&|secret| ask(secret, &[b"a", b"b"], 61, 0.05)), "another count");
        assert!(differs(&|secret| ask(secret, &[b"a", b"b"], 60, 0.0500001)), "another epsilon");
    }

    #[test]
    fn delta_is_how_often_somebody_alone_appears() {
        let (epsilon, threshold) = (0.5, 6);
        let seen: u64 = answers(1, epsilon).range(threshold..).map(|(_, times)| times).sum();
        let seen = seen as f64 / DRAWS as f64;
        assert!((seen / delta(epsilon, threshold as u64) - 1.0).abs() < 0.03, "{seen}");
        assert!(delta(1.0, 50) < 1e-21);
    }
}
