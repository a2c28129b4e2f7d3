//! Where the frames of a burst lie in time, without trusting the talker's clock.
//!
//! On the wire a frame has a media time that its sender may have made up. A timeline gives it a position: the first
//! frame of a burst is at 0. Each later frame is behind the one before, after as much silence as its media time says
//! and the caller's room allows. So positions grow, frames never overlap, nothing wraps, and the caller bounds the
//! length of a burst.

use tenfour_protocol::limits::{SAMPLE_RATE, SILENT_BURST};

/// Room in samples that silence must leave for sound. Otherwise a clock that runs too fast would use up all room, and
/// sound that the network delayed would not fit. What a longer stall delays is dropped if it does not fit, and the
/// talker is told.
const LEFT_BY_SILENCE: u32 = SILENT_BURST.as_secs() as u32 * SAMPLE_RATE;

/// The frames of one burst so far, in samples at 48 kHz.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// The media time at which the last frame ended, as the talker said. None before the first frame.
    told: Option<u32>,
    /// Media time of the first frame that got a position.
    begun: u32,
    /// Position behind the last frame.
    end: u32,
}

/// A frame that got a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Position of its first sample, from 0.
    pub(crate) at: u32,
    /// Media time of its first sample: what the talker said, minus the silence that was cut before it.
    pub(crate) media_time: u32,
    /// Samples that it takes, with the silence before it.
    pub(crate) length: u32,
}

impl Timeline {
    /// Gives a position to a frame of `frame` samples that says `media_time`. `room` bounds the frame and the silence
    /// before it. If both do not fit, silence is cut. If the frame itself does not fit, it gets no position. Later
    /// frames are measured from what the talker said last, so that a clock which ran ahead once does not stay ahead.
    #[inline]
    pub(crate) fn fit(&mut self, media_time: u32, frame: u32, room: u32) -> Option<Placed> {
        // Media time may wrap. A step that is shorter backwards counts as no silence.
        let told = self.told.map_or(0, |told| media_time.wrapping_sub(told).cast_signed());
        self.told = Some(media_time.wrapping_add(frame));
        let quiet = room.checked_sub(frame)?.saturating_sub(LEFT_BY_SILENCE);
        let silence = u32::try_from(told).unwrap_or(0).min(quiet);
        if self.end == 0 {
            self.begun = media_time;
        }
        let at = self.end.saturating_add(silence);
        self.end = at.saturating_add(frame);
        Some(Placed { at, media_time: self.begun.wrapping_add(at), length: silence + frame })
    }

    /// Position behind the last frame: how long the burst is so far.
    pub(crate) fn end(&self) -> u32 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: u32 = u32::MAX;

    fn placed(frames: &[(u32, u32)]) -> Vec<Option<u32>> {
        let mut timeline = Timeline::default();
        frames.iter().map(|&(told, room)| timeline.fit(told, 960, room).map(|placed| placed.at)).collect()
    }

    #[test]
    fn a_burst_begins_at_nothing_wherever_its_clock_stands() {
        let frames = [(u32::MAX - 959, ROOM), (0, ROOM), (960 + 480, ROOM)];
        assert_eq!(placed(&frames), [Some(0), Some(960), Some(960 * 2 + 480)]);
    }

    #[test]
    fn silence_is_left_out_where_there_is_no_room_and_a_frame_is_never_cut() {
        let frames = [(0, ROOM), (48_000, 960 + 100 + 48_000), (50_000, 2000), (50_960, 959), (51_920, ROOM)];
        assert_eq!(placed(&frames), [Some(0), Some(1060), Some(2020), None, Some(2980)]);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_puts_frames_behind_each_other() {
        let frames = [(5000, ROOM), (5000, ROOM), (5001, ROOM), (0, ROOM), (1 << 31, ROOM)];
        let places = placed(&frames);
        assert_eq!(places[..4], [Some(0), Some(960), Some(1920), Some(2880)]);
        assert_eq!(places[4], Some(3840 + (1 << 31) - 960));
    }

    #[test]
    fn there_is_no_end_at_which_it_breaks() {
        let frames = [(0, ROOM), (1 << 31, ROOM), (u32::MAX - 960, ROOM), (1 << 30, ROOM), (1 << 31, ROOM)];
        assert!(placed(&frames).is_sorted());
    }
}
