//! How far the media time of a burst runs ahead of the arrival of its frames: docs/protocol.md 2.3.

use tenfour_core::Time;
use tenfour_protocol::limits::{SAMPLE_RATE, VOICE_AHEAD};

/// Samples of a frame of the simulated world.
const FRAME: u32 = SAMPLE_RATE / 50;
/// Parts of a sample, so that a microsecond is a whole number of them.
const PARTS: u64 = 1_000_000;

/// The clock of one burst, as it is passed on.
#[derive(Default)]
pub(super) struct Clock {
    /// Arrival of the last frame, and media time behind it.
    last: Option<(Time, u32)>,
    /// Parts of samples that were not yet due when it came. What was not used is not saved.
    ahead: u64,
}

impl Clock {
    /// A frame that arrived at `arrived` is passed on.
    pub(super) fn frame(&mut self, media_time: u32, arrived: Time) -> Result<(), String> {
        let (before, end) = self.last.unwrap_or((arrived, media_time));
        let Some(silence) = media_time.checked_sub(end) else {
            return Err(format!("a frame at {media_time} begins before {end}, where the one before it ends"));
        };
        let due = (arrived - before).as_micros() as u64 * u64::from(SAMPLE_RATE);
        self.ahead = self.ahead.saturating_sub(due) + u64::from(silence + FRAME) * PARTS;
        self.last = Some((arrived, media_time + FRAME));
        let most = VOICE_AHEAD.as_secs() * u64::from(SAMPLE_RATE) * PARTS;
        if self.ahead > most {
            return Err(format!("{} samples ahead of their arrival are passed on", self.ahead / PARTS));
        }
        Ok(())
    }
}
