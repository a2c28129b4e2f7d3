//! Voice-operated talking: a receiver, a scanner or an open microphone presses the button by being heard.

use std::time::Duration;

use tokio::time::Instant;

/// What counts as loud, and how long a pause may be within one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vox {
    /// Energy above which a sample is loud.
    energy: f32,
    pause: Duration,
}

/// How much sound before the first loud one belongs to a call, since words begin quietly.
pub(crate) const BEFORE: Duration = Duration::from_millis(200);

/// The state of a call.
pub(crate) struct Call {
    vox: Vox,
    /// When the last loud sound came.
    loud: Instant,
    /// Quiet samples since then.
    quiet: u64,
}

impl Vox {
    /// Sound above `level`, in decibels of full scale, is a call until it pauses.
    pub(crate) fn new(level: f32, pause: Duration) -> Self {
        Self { energy: 10f32.powf(level / 10.0), pause }
    }

    pub(crate) fn is_loud(&self, samples: &[f32]) -> bool {
        let energy = samples.iter().map(|sample| sample * sample).sum::<f32>();
        energy > self.energy * samples.len() as f32
    }

    pub(crate) fn begin(self) -> Call {
        Call { vox: self, loud: Instant::now(), quiet: 0 }
    }
}

impl Call {
    /// These were sent.
    pub(crate) fn heard(&mut self, samples: &[f32]) {
        if self.vox.is_loud(samples) {
            (self.loud, self.quiet) = (Instant::now(), 0);
        } else {
            self.quiet += samples.len() as u64;
        }
    }

    /// Whether the call has paused: by the sound that came, or because none comes. A squelch that closes gives no
    /// sound at all.
    pub(crate) fn is_over(&self, comes: bool) -> bool {
        let quiet = Duration::from_micros(self.quiet * 1000 / 48);
        quiet >= self.vox.pause || !comes && self.loud.elapsed() >= self.vox.pause
    }
}
