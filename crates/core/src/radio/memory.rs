//! Bursts that were heard lately, to play them again. They are kept in memory only, bounded, and wiped.

use std::collections::VecDeque;

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{ChannelId, Tag};

use super::limits::{MEMORY_BURSTS, MEMORY_BYTES, MEMORY_TIME};
use super::{Event, HeardNo, Output, Payload};
use crate::Time;

#[derive(Default)]
pub(super) struct Memory {
    bursts: VecDeque<Remembered>,
    bytes: usize,
}

pub(super) struct Remembered {
    pub(super) heard: HeardNo,
    pub(super) talker: Tag,
    pub(super) channel: ChannelId,
    pub(super) frame_ms: FrameTime,
    /// Sequence number, media time, payload.
    pub(super) frames: Vec<(u16, u32, Payload)>,
    touched: Time,
}

impl Memory {
    pub(super) fn open(
        &mut self,
        (heard, talker): (HeardNo, Tag),
        channel: ChannelId,
        frame_ms: FrameTime,
        now: Time,
    ) {
        let (frames, touched) = (Vec::new(), now);
        self.bursts.push_back(Remembered { heard, talker, channel, frame_ms, frames, touched });
    }

    pub(super) fn push(&mut self, heard: HeardNo, frame: (u16, u32, Payload), now: Time) {
        if let Some(burst) = self.bursts.iter_mut().rev().find(|burst| burst.heard == heard) {
            self.bytes += frame.2.len();
            burst.touched = now;
            burst.frames.push(frame);
        }
    }

    pub(super) fn recall(&self, heard: HeardNo) -> Option<&Remembered> {
        self.bursts.iter().find(|burst| burst.heard == heard)
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        self.bursts.front().map(|oldest| oldest.touched + MEMORY_TIME)
    }

    /// Forgets bursts that are too old or too many.
    pub(super) fn forget(&mut self, now: Time, out: &mut VecDeque<Output>) {
        while self.bursts.len() > MEMORY_BURSTS
            || self.bytes > MEMORY_BYTES
            || self.timeout().is_some_and(|due| now >= due)
        {
            let Some(oldest) = self.bursts.pop_front() else { return };
            self.bytes -= oldest.frames.iter().map(|(.., payload)| payload.len()).sum::<usize>();
            out.push_back(Output::Event(Event::Forgotten { heard: oldest.heard }));
        }
    }
}
