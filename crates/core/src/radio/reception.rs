//! Bursts on the air, as they come in: in order, at most once, with the losses counted.

use std::collections::BTreeMap;
use std::time::Duration;

use tenfour_protocol::control::{EndReason, FrameTime, Heard, Resume};
use tenfour_protocol::limits::{
    HEARD_AHEAD, HOLD, HOLD_RANGE, RESUME_BURSTS, SAMPLE_RATE, TALK_LIMIT, TALK_LIMIT_RANGE,
};
use tenfour_protocol::{BurstNo, ChannelId, VoiceFrame};

use super::limits::{BURST_LOST, BURSTS_DONE, HEARD_AT_ONCE, HEARD_LATE};
use super::{Config, HeardEnd, HeardNo};
use crate::bucket::Bucket;
use crate::mutants::Mutants;
use crate::timeline::Timeline;
use crate::{Time, mutant};

pub(super) struct Receiver {
    /// At most [`RESUME_BURSTS`], so that a resume can name them all.
    open: BTreeMap<BurstNo, Reception>,
    /// Bursts of which no more comes.
    done: BTreeMap<BurstNo, Done>,
    newest: Option<BurstNo>,
    last: u32,
    hold: Duration,
    /// The longest that a burst may last.
    longest: Duration,
    /// How many samples all bursts together may still have.
    sound: Bucket,
    mutants: Mutants,
}

/// Why no more of a burst comes, with the sequence number that would have been next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It is over.
    Over,
    /// The radio left its channel. What comes until the radio is back is lost.
    Left(u16),
    /// It is out of range. What is said until it is back in range is not meant for this listener.
    Beyond(u16),
}

struct Reception {
    heard: HeardNo,
    channel: ChannelId,
    next: Option<u16>,
    /// A resume asks for nothing before this one.
    from: u16,
    received: u32,
    lost: u32,
    since: Time,
    touched: Time,
    /// Samples in one frame.
    frame: u32,
    timeline: Timeline,
    /// How many samples media time may still run ahead of arrival.
    ahead: Bucket,
}

/// A frame that was taken.
pub(super) struct Taken {
    pub(super) heard: HeardNo,
    pub(super) channel: ChannelId,
    /// Position of its first sample on the burst's timeline, from 0.
    pub(super) at: u32,
    /// What is missing before it.
    pub(super) gap: Option<Gap>,
}

#[derive(Clone, Copy)]
/// Sequence numbers that will not come: `from` inclusive, `to` exclusive.
pub(super) struct Gap {
    pub(super) heard: HeardNo,
    pub(super) from: u16,
    pub(super) to: u16,
}

/// A burst of which no more comes.
pub(super) struct Ended {
    pub(super) heard: HeardNo,
    pub(super) channel: ChannelId,
    pub(super) received: u32,
    pub(super) lost: u32,
    pub(super) reason: HeardEnd,
}

impl Receiver {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            open: BTreeMap::new(),
            done: BTreeMap::new(),
            newest: None,
            last: 0,
            hold: HOLD,
            longest: TALK_LIMIT + HEARD_AHEAD,
            sound: Bucket::of_time(HEARD_LATE, HEARD_AT_ONCE * SAMPLE_RATE),
            mutants: config.mutants,
        }
    }

    /// A burst was announced. None if it continues after a resume, was heard before, or is one too many.
    pub(super) fn started(
        &mut self,
        burst: BurstNo,
        channel: ChannelId,
        frame_ms: FrameTime,
        now: Time,
    ) -> Option<HeardNo> {
        self.newest = self.newest.max(Some(burst));
        let over = self.done.get(&burst) == Some(&Done::Over);
        if self.open.contains_key(&burst) || over || self.open.len() >= RESUME_BURSTS {
            return None;
        }
        let (next, from) = match self.done.remove(&burst) {
            Some(Done::Left(next)) => (Some(next), next),
            Some(Done::Beyond(next)) => (None, next),
            Some(Done::Over) | None => (None, 0),
        };
        self.last += 1;
        let heard = HeardNo(self.last);
        let reception = Reception {
            heard,
            channel,
            next,
            from,
            received: 0,
            lost: 0,
            since: now,
            touched: now,
            frame: frame_ms.samples(),
            timeline: Timeline::default(),
            ahead: Bucket::of_time(HEARD_AHEAD, SAMPLE_RATE),
        };
        self.open.insert(burst, reception);
        Some(heard)
    }

    /// A frame came. It is dropped if no honest server would send it: if the burst has more sound than the talk limit
    /// allows, or the frame comes later than it can be held. Silence that runs ahead of time is cut. Sound is not,
    /// since what was held comes all at once.
    pub(super) fn voice(&mut self, frame: &VoiceFrame<'_>, now: Time) -> Option<Taken> {
        let sound = self.sound.level(now);
        // A frame can be held for the hold, and then be in the network for as long again before the link is given up.
        let (longest, late) = (self.longest, self.longest + self.hold * 2);
        let reception = self.open.get_mut(&frame.burst).filter(|open| now <= open.since + late)?;
        reception.touched = now;
        if frame.seq < reception.next.unwrap_or(reception.from) {
            return None;
        }
        let room = sound.min(reception.room(longest, now));
        mutant!(self.mutants, BelieveClock => let room = u32::MAX);
        let placed = reception.timeline.fit(frame.media_time, reception.frame, room)?;
        reception.ahead.spend(placed.length);
        self.sound.spend(placed.length);
        let gap = reception.next.and_then(|next| reception.lose(next, frame.seq));
        reception.next = Some(frame.seq.saturating_add(1));
        reception.received += 1;
        Some(Taken { heard: reception.heard, channel: reception.channel.clone(), at: placed.at, gap })
    }

    pub(super) fn gap(&mut self, burst: BurstNo, from: u16, to: u16, now: Time) -> Option<Gap> {
        let reception = self.open.get_mut(&burst)?;
        reception.touched = now;
        let from = reception.next.unwrap_or(from);
        reception.lose(from, to)
    }

    /// A burst is over after `frames` frames. What is missing at its end is returned as a gap. A burst that went out
    /// of range may come back as a new one.
    pub(super) fn ended(
        &mut self,
        burst: BurstNo,
        frames: u32,
        reason: EndReason,
    ) -> Option<(Option<Gap>, Ended)> {
        let mut reception = self.open.remove(&burst)?;
        if reason == EndReason::OutOfRange {
            self.finish(burst, Done::Beyond(reception.next.unwrap_or(reception.from)));
            return Some((None, reception.end(HeardEnd::Ended(reason))));
        }
        let total = u16::try_from(frames).unwrap_or(u16::MAX);
        let gap = reception.next.and_then(|next| reception.lose(next, total));
        self.finish(burst, Done::Over);
        Some((gap, reception.end(HeardEnd::Ended(reason))))
    }

    /// The radio left the channel. What comes of its bursts after that is not heard. If the radio comes back while
    /// they last, they continue as new ones.
    pub(super) fn untuned(&mut self, channel: &ChannelId) -> Vec<Ended> {
        let left: Vec<_> = self.open.extract_if(.., |_, open| open.channel == *channel).collect();
        left.into_iter()
            .map(|(burst, reception)| {
                self.finish(burst, Done::Left(reception.next.unwrap_or(reception.from)));
                reception.end(HeardEnd::Untuned)
            })
            .collect()
    }

    pub(super) fn resume(&self, token: String) -> Resume {
        let have = self.open.iter().map(|(burst, reception)| Heard {
            burst: *burst,
            // Nothing came yet: from the oldest that is held.
            next: reception.next.unwrap_or(reception.from),
        });
        Resume { token, newest: self.newest, have: have.collect() }
    }

    /// The server told its hold and talk limit. They are clamped to the ranges that any server may have.
    pub(super) fn told(&mut self, hold: Duration, talk_limit: Duration) {
        self.hold = hold.clamp(*HOLD_RANGE.start(), *HOLD_RANGE.end());
        self.longest = talk_limit.clamp(*TALK_LIMIT_RANGE.start(), *TALK_LIMIT_RANGE.end()) + HEARD_AHEAD;
    }

    /// The link is up. Unless the session was resumed, all open bursts are lost, and the server's numbers may begin
    /// again.
    pub(super) fn link_up(&mut self, resumed: bool, now: Time) -> Vec<Ended> {
        self.open.values_mut().for_each(|open| open.touched = now);
        if resumed { Vec::new() } else { self.lose_all() }
    }

    /// The link will not come back by itself.
    pub(super) fn lose_all(&mut self) -> Vec<Ended> {
        self.newest = None;
        self.done.clear();
        std::mem::take(&mut self.open).into_values().map(|open| open.end(HeardEnd::LinkLost)).collect()
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        self.open.values().map(|open| open.touched + self.hold + BURST_LOST).min()
    }

    /// Bursts that the server forgot to end.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Vec<Ended> {
        let patience = self.hold + BURST_LOST;
        let lost: Vec<_> = self.open.extract_if(.., |_, open| now >= open.touched + patience).collect();
        lost.into_iter()
            .map(|(burst, reception)| {
                self.finish(burst, Done::Over);
                reception.end(HeardEnd::LinkLost)
            })
            .collect()
    }

    fn finish(&mut self, burst: BurstNo, done: Done) {
        self.done.insert(burst, done);
        while self.done.len() > BURSTS_DONE {
            self.done.pop_first();
        }
    }
}

impl Reception {
    /// How many samples there is room for: at least one frame, unless the burst is as long as it may be.
    fn room(&mut self, longest: Duration, now: Time) -> u32 {
        let longest = u32::try_from(longest.as_millis()).map_or(u32::MAX, |ms| ms * (SAMPLE_RATE / 1000));
        self.ahead.level(now).max(self.frame).min(longest.saturating_sub(self.timeline.end()))
    }

    /// The frames between `from` and `to` will not come.
    fn lose(&mut self, from: u16, to: u16) -> Option<Gap> {
        let frames = to.checked_sub(from).filter(|frames| *frames > 0)?;
        self.lost += u32::from(frames);
        self.next = Some(to);
        Some(Gap { heard: self.heard, from, to })
    }

    fn end(self, reason: HeardEnd) -> Ended {
        let Self { heard, channel, received, lost, .. } = self;
        Ended { heard, channel, received, lost, reason }
    }
}
