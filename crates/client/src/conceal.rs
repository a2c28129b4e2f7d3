//! Sound for packets that are lost: the last pitch period goes on and fades.
//!
//! The codec has a concealment of its own, but the one of the speech mode in the Rust
//! translation (unsafe-libopus 0.2) answers a loss with full-scale noise.

/// Samples that are looked at to find the pitch, 10 ms.
const WINDOW: usize = 480;
/// Pitch periods that are tried, 2.5 to 15 ms: 66 to 400 Hz.
const LAGS: std::ops::RangeInclusive<usize> = 120..=720;
/// Samples until the repeated period has faded, 60 ms.
const FADE: usize = 2880;
/// Samples over which sound that came takes over from sound that was made up, 2.5 ms.
const CROSS: usize = 120;
const KEPT: usize = WINDOW + 720;

#[derive(Default)]
pub(crate) struct Concealment {
    /// The last sound that came.
    tail: Vec<f32>,
    /// Samples made up since.
    made: usize,
}

impl Concealment {
    /// Sound came: makes its beginning follow on what was made up, and keeps its end.
    pub(crate) fn heard(&mut self, pcm: &mut [f32]) {
        if self.made > 0 {
            let bridge = self.make(CROSS.min(pcm.len()));
            for (i, (sample, made)) in pcm.iter_mut().zip(&bridge).enumerate() {
                let share = i as f32 / CROSS as f32;
                *sample = *sample * share + made * (1.0 - share);
            }
        }
        self.made = 0;
        self.tail.extend_from_slice(&pcm[pcm.len().saturating_sub(KEPT)..]);
        self.tail.drain(..self.tail.len().saturating_sub(KEPT));
    }

    /// `samples` samples in place of sound that did not come.
    pub(crate) fn make(&mut self, samples: usize) -> Vec<f32> {
        if self.tail.len() < KEPT {
            return vec![0.0; samples];
        }
        let lag = self.pitch();
        let period = &self.tail[KEPT - lag..];
        let begin = self.made;
        self.made += samples;
        (begin..begin + samples).map(|i| period[i % lag] * (1.0 - i as f32 / FADE as f32).max(0.0)).collect()
    }

    /// The period at which the end is most like what came before it.
    fn pitch(&self) -> usize {
        let end = &self.tail[KEPT - WINDOW..];
        let likeness = |lag: usize| {
            let before = &self.tail[KEPT - WINDOW - lag..KEPT - lag];
            let (mut product, mut energy) = (0.0, 1e-9);
            for (a, b) in end.iter().zip(before) {
                product += a * b;
                energy += b * b;
            }
            product / f32::sqrt(energy)
        };
        LAGS.map(|lag| (lag, likeness(lag))).max_by(|a, b| a.1.total_cmp(&b.1)).map_or(WINDOW, |best| best.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(samples: std::ops::Range<usize>) -> Vec<f32> {
        samples.map(|i| (i as f32 * 200.0 * std::f32::consts::TAU / 48_000.0).sin()).collect()
    }

    #[test]
    fn a_short_loss_in_a_tone_is_hardly_heard_and_a_long_one_fades() {
        let mut concealment = Concealment::default();
        concealment.heard(&mut tone(0..1920));
        let made = concealment.make(480);
        let worst = made.iter().zip(tone(1920..2400)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 0.25, "{worst}");
        concealment.make(2880);
        assert!(concealment.make(960).iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn nothing_is_made_up_out_of_nothing() {
        assert_eq!(Concealment::default().make(960), vec![0.0; 960]);
    }
}
