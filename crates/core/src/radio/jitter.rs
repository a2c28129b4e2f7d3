//! The jitter buffer of one burst. It evens out the network's pace, and learns how much sound it must hold for that.
//!
//! Position is media time, so a pause of the talker (DTX) is silence and only a missing sequence number is a loss.
//! After a stall the buffer holds more. In pauses and quiet frames it gets shorter again, so that a stall does not
//! delay sound for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::{BUNDLE_FRAMES, BUNDLE_TIME, SAMPLE_RATE};

use super::limits::{CONCEALED, JITTER_CALM, JITTER_LONGEST, JITTER_START, JITTER_STEP, LOSS_LONGEST};
use super::{Payload, SoundKind};
use crate::Time;

/// A DTX frame has a byte or two, and is silent.
const DTX_BYTES: usize = 3;

/// How the frames of a burst come in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Sound in one frame.
    pub(super) frame_ms: FrameTime,
    /// Frames that come together.
    bundle: u8,
}

impl Pace {
    /// A live burst: the server sends `told` frames at once, or more to a client that asked for `economy`.
    pub(super) fn live(frame_ms: FrameTime, told: Option<u8>, economy: bool) -> Self {
        let wished = if economy { BUNDLE_FRAMES } else { 1 };
        let most = BUNDLE_TIME.as_millis() / u128::from(frame_ms.millis());
        let most = u8::try_from(most).unwrap_or(BUNDLE_FRAMES).clamp(1, BUNDLE_FRAMES);
        Self { frame_ms, bundle: told.unwrap_or(1).max(wished).clamp(1, most) }
    }

    /// From memory, all of it at once.
    pub(super) fn remembered(frame_ms: FrameTime) -> Self {
        Self { frame_ms, bundle: 1 }
    }

    /// Fewest samples to hold before playing: frames that come together come rarely.
    fn least(self) -> u32 {
        let together = self.frame_ms.samples() * u32::from(self.bundle);
        samples(JITTER_START).max(together + samples(JITTER_STEP))
    }
}

pub(super) struct JitterBuffer {
    frames: BTreeMap<u16, Frame>,
    /// Bytes of voice in `frames`.
    bytes: usize,
    /// Samples in one frame.
    frame: u32,
    /// Samples held before playing.
    target: u32,
    /// What `target` never goes below.
    least: u32,
    state: State,
    /// Media time of the next sample to play.
    at: u32,
    /// Sequence number of the next frame to play.
    next: u16,
    ended: bool,
    /// Whether the burst is live, so that it may be shortened to keep up. A burst that waited is played whole.
    live: bool,
    /// Last stall, or last time the target shrank.
    calm_since: Time,
    /// Samples of concealment and silence played since the last real sound.
    concealed: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing came yet.
    Empty,
    /// Filling up since then.
    Filling(Time),
    Playing,
    /// Ran dry.
    Dry,
}

struct Frame {
    media_time: u32,
    payload: Payload,
}

impl JitterBuffer {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            frames: BTreeMap::new(),
            bytes: 0,
            frame: pace.frame_ms.samples(),
            target: pace.least(),
            least: pace.least(),
            state: State::Empty,
            at: 0,
            next: 0,
            ended: false,
            live: true,
            calm_since: Time::ZERO,
            concealed: 0,
        }
    }

    /// A frame came; one that is too late to be heard is dropped.
    pub(super) fn push(&mut self, seq: u16, media_time: u32, payload: Payload, now: Time) {
        match self.state {
            State::Empty => {
                (self.at, self.next) = (media_time, seq);
                self.state = State::Filling(now);
                self.calm_since = now;
            }
            _ if seq < self.next => return,
            State::Dry => {
                self.came_back(media_time > self.at, now);
                self.at = self.at.max(media_time);
                self.next = seq;
                self.state = State::Filling(now);
            }
            State::Filling(_) | State::Playing => {}
        }
        self.bytes += payload.len();
        let twice = self.frames.insert(seq, Frame { media_time, payload });
        self.bytes -= twice.map_or(0, |frame| frame.payload.len());
    }

    /// No more comes.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// The burst has to wait for another, so it is no longer live.
    pub(super) fn waited(&mut self) {
        self.live = false;
    }

    /// Bytes of voice held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What to play next, and how many samples of it; `None` when the burst is over.
    pub(super) fn pull(&mut self, now: Time) -> Option<(SoundKind, u32)> {
        if self.ended && self.frames.is_empty() {
            return None;
        }
        if !self.may_play(now) {
            return Some(self.wait());
        }
        self.state = State::Playing;
        self.calm_down(now);
        self.shorten();
        let Some(first) = self.frames.first_entry() else {
            self.state = State::Dry;
            return Some(self.wait());
        };
        let missing = first.key().saturating_sub(self.next);
        if missing > 0 {
            self.at = self.at.max(first.get().media_time.saturating_sub(samples(LOSS_LONGEST)));
        }
        let hole = first.get().media_time.saturating_sub(self.at);
        if hole > 0 {
            let step = hole.min(self.frame);
            self.at += step;
            self.next += u16::from(missing > 0);
            return Some((if missing > 0 { self.conceal(step) } else { SoundKind::Silence }, step));
        }
        self.concealed = 0;
        let (seq, Frame { media_time, payload }) = first.remove_entry();
        self.next = seq.saturating_add(1);
        self.at = media_time.saturating_add(self.frame);
        self.bytes -= payload.len();
        Some((SoundKind::Frame(payload), self.frame))
    }

    fn may_play(&self, now: Time) -> bool {
        match self.state {
            State::Playing => true,
            State::Filling(since) => {
                let enough = duration(self.target.saturating_sub(self.frame));
                self.ended || self.depth() >= self.target || now.since(since) >= enough
            }
            State::Empty | State::Dry => false,
        }
    }

    /// Nothing can be played now.
    fn wait(&mut self) -> (SoundKind, u32) {
        let kind = if self.state == State::Dry { self.conceal(self.frame) } else { SoundKind::Silence };
        (kind, self.frame)
    }

    /// A short loss or stall is concealed, the rest of a longer one is silence.
    fn conceal(&mut self, length: u32) -> SoundKind {
        let kind = if self.concealed < samples(CONCEALED) { SoundKind::Conceal } else { SoundKind::Silence };
        self.concealed = self.concealed.saturating_add(length);
        kind
    }

    /// Sound comes again after the buffer ran dry. After a stall it holds more from now on, after a pause of the
    /// talker less.
    fn came_back(&mut self, pause: bool, now: Time) {
        let step = samples(JITTER_STEP);
        self.target = if pause { self.target.saturating_sub(step) } else { self.target + step }
            .clamp(self.least, samples(JITTER_LONGEST));
        self.calm_since = now;
    }

    fn calm_down(&mut self, now: Time) {
        if now.since(self.calm_since) >= JITTER_CALM {
            self.calm_since = now;
            self.target = self.target.saturating_sub(samples(JITTER_STEP)).max(self.least);
        }
    }

    /// If the buffer holds more than it needs, leaves out silent frames.
    fn shorten(&mut self) {
        if !self.live || self.ended || self.depth() <= self.target + 2 * self.frame {
            return;
        }
        let mean = self.bytes / self.frames.len();
        let Some(first) = self.frames.first_entry() else { return };
        if *first.key() != self.next {
            return;
        }
        let quiet = first.get().payload.len() <= DTX_BYTES.max(mean / 4);
        self.at = self.at.max(first.get().media_time);
        if quiet {
            self.bytes -= first.remove().payload.len();
            self.next = self.next.saturating_add(1);
            self.at = self.at.saturating_add(self.frame);
        }
    }

    /// Samples held, from the next one to play to the last one that came.
    fn depth(&self) -> u32 {
        let end = self.frames.last_key_value().map_or(self.at, |(_, last)| last.media_time + self.frame);
        end.saturating_sub(self.at)
    }
}

fn samples(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).expect("under a second") * (SAMPLE_RATE / 1000)
}

fn duration(samples: u32) -> Duration {
    Duration::from_micros(u64::from(samples) * 1_000_000 / u64::from(SAMPLE_RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_is_waited_for() {
        let least =
            |frame_ms, told, economy| Pace::live(frame_ms, told, economy).least() / (SAMPLE_RATE / 1000);
        assert_eq!(least(FrameTime::Ms20, None, false), 40);
        assert_eq!(least(FrameTime::Ms20, Some(2), false), 60);
        assert_eq!(least(FrameTime::Ms20, Some(3), false), 80);
        assert_eq!(least(FrameTime::Ms20, Some(2), true), 80, "who wishes for more gets more");
        assert_eq!(least(FrameTime::Ms60, Some(3), true), 80, "large frames come one by one");
        assert_eq!(least(FrameTime::Ms20, Some(200), false), 80, "whatever a server says");
    }
}
