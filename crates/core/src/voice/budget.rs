//! What a talking connection may send: bytes and media time.

use tenfour_protocol::limits::{SAMPLE_RATE, VOICE_AHEAD, VOICE_BITS_PER_SECOND};

use crate::bucket::Bucket;
use crate::mutants::Mutants;
use crate::timeline::Timeline;
use crate::{Time, mutant};

const AHEAD_SECONDS: u32 = VOICE_AHEAD.as_secs() as u32;
const VOICE_BYTES_PER_SECOND: u32 = VOICE_BITS_PER_SECOND / 8;

/// Both budgets fill with time, and hold at most [`VOICE_AHEAD`]. No frame is shorter than 20 ms, so media time also
/// bounds the number of frames.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: Bucket,
    /// Samples, for the whole connection. A budget for each burst would allow many short presses, each with
    /// [`VOICE_AHEAD`] of silence in it, to fill the listeners' queues.
    media: Bucket,
    pub(super) mutants: Mutants,
}

impl Budget {
    pub(super) fn new(now: Time) -> Self {
        let bucket = |per_second: u32| Bucket::new(per_second * AHEAD_SECONDS, per_second, now);
        let (bytes, media) = (bucket(VOICE_BYTES_PER_SECOND), bucket(SAMPLE_RATE));
        Self { bytes, media, mutants: Mutants::default() }
    }

    /// Pays for a frame of `frame` samples and `bytes` bytes, and for as much of the silence before it as the budget
    /// allows. Puts the frame on `timeline` and returns its media time there. A frame that cannot be paid for gets
    /// none, and costs nothing.
    #[inline]
    pub(super) fn pay(
        &mut self,
        timeline: &mut Timeline,
        (media_time, frame, bytes): (u32, u32, u32),
        now: Time,
    ) -> Option<u32> {
        if !self.bytes.has(bytes, now) {
            return None;
        }
        let placed = timeline.fit(media_time, frame, self.room(now))?;
        self.bytes.spend(bytes);
        self.media.spend(placed.length);
        Some(placed.media_time)
    }

    fn room(&mut self, now: Time) -> u32 {
        mutant!(self.mutants, BelieveClock => return u32::MAX);
        self.media.level(now)
    }
}
