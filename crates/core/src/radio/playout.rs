//! Playout: one queue for each channel, bursts one after the other.
//!
//! Next is the burst of the talker whom this listener has heard least on the channel lately. So nobody who talks all
//! the time keeps others waiting. A burst that could not begin before the lag limit is not played.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{ChannelId, Tag};

use super::jitter::{JitterBuffer, Pace};
use super::limits::{HEARD_LATELY, LAG_LIMIT, LAG_LIMIT_RANGE, QUEUED_BURSTS, QUEUED_BYTES};
use super::memory::Remembered;
use super::{Event, HeardNo, Output, Payload, Sound, SoundKind};
use crate::Time;

pub(super) struct Playout {
    channels: BTreeMap<ChannelId, Queue>,
    /// Voice held in all channels.
    bytes: usize,
    lag_limit: Duration,
}

/// The bursts of one channel.
#[derive(Default)]
struct Queue {
    /// The first one plays; the others wait, in the order of their announcement.
    items: VecDeque<Item>,
    /// When a burst was played, of whom, and how many samples.
    played: VecDeque<(Time, Tag, u64)>,
}

struct Item {
    heard: HeardNo,
    talker: Tag,
    again: bool,
    started: bool,
    /// When the first frame came.
    came: Option<Time>,
    /// Samples of voice played so far.
    played: u32,
    buffer: JitterBuffer,
}

impl Playout {
    pub(super) fn new(lag_limit: Option<Duration>) -> Self {
        let lag_limit =
            lag_limit.unwrap_or(LAG_LIMIT).clamp(*LAG_LIMIT_RANGE.start(), *LAG_LIMIT_RANGE.end());
        Self { channels: BTreeMap::new(), bytes: 0, lag_limit }
    }

    /// A burst was announced.
    pub(super) fn open(
        &mut self,
        channel: &ChannelId,
        (heard, talker): (HeardNo, Tag),
        pace: Pace,
        out: &mut VecDeque<Output>,
    ) {
        let queue = self.channels.entry(channel.clone()).or_default();
        queue.items.push_back(Item::new(heard, talker, false, JitterBuffer::new(pace)));
        self.bytes -= queue.trim(out);
    }

    pub(super) fn push(
        &mut self,
        channel: &ChannelId,
        heard: HeardNo,
        (seq, media_time, payload): (u16, u32, Payload),
        now: Time,
    ) {
        if self.bytes + payload.len() > QUEUED_BYTES {
            return;
        }
        let Some(item) = self.find(channel, heard) else { return };
        let before = item.buffer.bytes();
        item.came.get_or_insert(now);
        item.buffer.push(seq, media_time, payload, now);
        let after = item.buffer.bytes();
        self.bytes = self.bytes - before + after;
    }

    pub(super) fn end(&mut self, channel: &ChannelId, heard: HeardNo) {
        if let Some(item) = self.find(channel, heard) {
            item.buffer.end();
        }
    }

    /// Stops playing this channel.
    pub(super) fn drop_channel(&mut self, channel: &ChannelId) {
        let queue = self.channels.remove(channel).unwrap_or_default();
        self.bytes -= queue.items.iter().map(|item| item.buffer.bytes()).sum::<usize>();
    }

    /// Plays a whole burst again, next on its channel.
    pub(super) fn again(&mut self, burst: &Remembered, now: Time, out: &mut VecDeque<Output>) {
        let mut buffer = JitterBuffer::new(Pace::remembered(burst.frame_ms));
        buffer.waited();
        for (seq, media_time, payload) in &burst.frames {
            buffer.push(*seq, *media_time, payload.clone(), now);
        }
        buffer.end();
        self.bytes += buffer.bytes();
        let queue = self.channels.entry(burst.channel.clone()).or_default();
        let at = queue.items.iter().take_while(|item| item.started || item.again).count();
        queue.items.insert(at, Item::new(burst.heard, burst.talker, true, buffer));
        self.bytes -= queue.trim(out);
    }

    /// What to play next on `channel`.
    pub(super) fn pull(&mut self, channel: &ChannelId, now: Time, out: &mut VecDeque<Output>) -> Sound {
        let quiet = Sound { heard: None, samples: FrameTime::Ms20.samples(), kind: SoundKind::Silence };
        let Some(queue) = self.channels.get_mut(channel) else { return quiet };
        while let Some(item) = queue.items.front_mut() {
            let (heard, again, before) = (item.heard, item.again, item.buffer.bytes());
            let pulled = item.buffer.pull(now);
            self.bytes -= before - item.buffer.bytes();
            let Some((kind, samples)) = pulled else {
                if item.started {
                    out.push_back(Output::Event(Event::PlayEnded { heard, again }));
                }
                self.bytes -= queue.next(now, self.lag_limit, out);
                continue;
            };
            if matches!(kind, SoundKind::Frame(_)) {
                item.played += samples;
                if !std::mem::replace(&mut item.started, true) {
                    out.push_back(Output::Event(Event::PlayStarted { heard, again }));
                }
            }
            queue.items.iter_mut().skip(1).for_each(|later| later.buffer.waited());
            return Sound { heard: Some(heard), samples, kind };
        }
        quiet
    }

    /// When a burst has waited for too long.
    pub(super) fn timeout(&self) -> Option<Time> {
        let items = self.channels.values().flat_map(|queue| &queue.items);
        items.filter_map(|item| item.too_late(self.lag_limit)).min()
    }

    /// Gives up bursts that have waited for too long.
    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut VecDeque<Output>) {
        for queue in self.channels.values_mut() {
            self.bytes -= queue.give_up(now, self.lag_limit, out);
        }
    }

    fn find(&mut self, channel: &ChannelId, heard: HeardNo) -> Option<&mut Item> {
        let items = &mut self.channels.get_mut(channel)?.items;
        items.iter_mut().find(|item| item.heard == heard && !item.again)
    }
}

impl Queue {
    /// The first burst is over: brings the one that is next to the front. Returns how many bytes those had that have
    /// waited for too long.
    fn next(&mut self, now: Time, lag_limit: Duration, out: &mut VecDeque<Output>) -> usize {
        if let Some(over) = self.items.pop_front().filter(|over| !over.again) {
            self.played.push_back((now, over.talker, over.played.into()));
        }
        let given_up = self.give_up(now, lag_limit, out);
        while self.played.front().is_some_and(|(when, ..)| *when + HEARD_LATELY <= now) {
            self.played.pop_front();
        }
        let heard = |talker| self.played.iter().filter(|one| one.1 == talker).map(|one| one.2).sum::<u64>();
        // What is to be said again was asked for just now. A burst that was announced and has no frame yet waits.
        let order = |item: &Item| (!item.again, !item.again && item.came.is_none(), heard(item.talker));
        let next = self.items.iter().enumerate().min_by_key(|(_, item)| order(item)).map(|(at, _)| at);
        if let Some(item) = next.and_then(|at| self.items.remove(at)) {
            self.items.push_front(item);
        }
        given_up
    }

    /// Drops bursts that could not begin in time. Returns how many bytes they had.
    fn give_up(&mut self, now: Time, lag_limit: Duration, out: &mut VecDeque<Output>) -> usize {
        let late = |item: &Item| item.too_late(lag_limit).is_some_and(|due| now >= due);
        let mut bytes = 0;
        while let Some(at) = self.items.iter().position(late) {
            bytes += self.drop_item(at, out);
        }
        bytes
    }

    /// Too many bursts wait: drops the oldest that has not begun. Returns how many bytes it had.
    fn trim(&mut self, out: &mut VecDeque<Output>) -> usize {
        if self.items.len() <= QUEUED_BURSTS {
            return 0;
        }
        let oldest = self.items.iter().position(|item| !item.started).unwrap_or(0);
        self.drop_item(oldest, out)
    }

    fn drop_item(&mut self, at: usize, out: &mut VecDeque<Output>) -> usize {
        let Some(item) = self.items.remove(at) else { return 0 };
        if !item.again {
            out.push_back(Output::Event(Event::PlayMissed { heard: item.heard }));
        }
        item.buffer.bytes()
    }
}

impl Item {
    fn new(heard: HeardNo, talker: Tag, again: bool, buffer: JitterBuffer) -> Self {
        Self { heard, talker, again, started: false, came: None, played: 0, buffer }
    }

    /// When it is too late for it to begin, if it has not begun.
    fn too_late(&self, lag_limit: Duration) -> Option<Time> {
        self.came.filter(|_| !self.started && !self.again).map(|came| came + lag_limit)
    }
}
