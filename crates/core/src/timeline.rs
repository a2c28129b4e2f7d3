//! Where the frames of a burst lie in time, as far as the clock of its talker is believed.
//!
//! On the wire a frame says its media time, and whoever says it may say anything. Here it gets a
//! position: the first frame of a burst lies at 0, each later one behind the one before, with as much
//! silence between as its media time tells and as there is room for. So positions grow, no two frames
//! overlap, nothing wraps, and how far a burst reaches is decided by who gives the room.

use tenfour_protocol::limits::{SAMPLE_RATE, SILENT_BURST};

/// Room that silence leaves, in samples: else a clock that runs away would take the place of sound
/// which a network holds back afterwards. What a longer stall holds back behind such a clock is dropped as far as it does
/// not fit, and its talker is told.
const LEFT_BY_SILENCE: u32 = SILENT_BURST.as_secs() as u32 * SAMPLE_RATE;

/// The frames of one burst so far, in samples at 48 kHz.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// Media time behind the last frame, by the talker's word. None before the first.
    told: Option<u32>,
    /// Media time of the first frame that has a place.
    begun: u32,
    /// Position behind the last frame.
    end: u32,
}

/// A frame that was given its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Position of its first sample, from 0.
    pub(crate) at: u32,
    /// Media time of its first sample: as the talker told it, less what was left out before it.
    pub(crate) media_time: u32,
    /// Samples that it takes, with the silence before it.
    pub(crate) length: u32,
}

impl Timeline {
    /// Places a frame of `frame` samples that says `media_time`. `room` is for the frame and the
    /// silence before it. What does not fit in is left out: of silence as much as that is, or the whole
    /// frame, which then has no place. What comes after it lies where it would have lain, so that who
    /// ran ahead once does not stay ahead.
    #[inline]
    pub(crate) fn fit(&mut self, media_time: u32, frame: u32, room: u32) -> Option<Placed> {
        // Media time may wrap; what is nearer backwards is no silence.
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
