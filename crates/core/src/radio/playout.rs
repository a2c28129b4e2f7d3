//! Playout: one queue for each channel, bursts one after the other in the order of their
//! announcement.

use std::collections::{BTreeMap, VecDeque};

use tenfour_protocol::ChannelId;
use tenfour_protocol::control::FrameTime;

use super::jitter::{JitterBuffer, Pace};
use super::limits::{QUEUED_BURSTS, QUEUED_BYTES};
use super::{Event, HeardNo, Output, Payload, Sound, SoundKind};
use crate::Time;

#[derive(Default)]
pub(super) struct Playout {
    channels: BTreeMap<ChannelId, VecDeque<Item>>,
    /// Voice held in all channels.
    bytes: usize,
}

struct Item {
    heard: HeardNo,
    again: bool,
    started: bool,
    buffer: JitterBuffer,
}

impl Playout {
    /// A burst was announced: it plays after those before it.
    pub(super) fn open(&mut self, channel: &ChannelId, heard: HeardNo, pace: Pace) {
        let item = Item { heard, again: false, started: false, buffer: JitterBuffer::new(pace) };
        let queue = self.channels.entry(channel.clone()).or_default();
        queue.push_back(item);
        self.bytes -= trim(queue);
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
        self.bytes -= queue.iter().map(|item| item.buffer.bytes()).sum::<usize>();
    }

    /// Plays a whole burst again, next on its channel.
    pub(super) fn again(
        &mut self,
        channel: &ChannelId,
        heard: HeardNo,
        frame_ms: FrameTime,
        frames: &[(u16, u32, Payload)],
        now: Time,
    ) {
        let mut buffer = JitterBuffer::new(Pace::remembered(frame_ms));
        buffer.waited();
        for (seq, media_time, payload) in frames {
            buffer.push(*seq, *media_time, payload.clone(), now);
        }
        buffer.end();
        self.bytes += buffer.bytes();
        let queue = self.channels.entry(channel.clone()).or_default();
        let at = queue.iter().take_while(|item| item.started || item.again).count();
        queue.insert(at, Item { heard, again: true, started: false, buffer });
        self.bytes -= trim(queue);
    }

    /// What to play next on `channel`.
    pub(super) fn pull(&mut self, channel: &ChannelId, now: Time, out: &mut VecDeque<Output>) -> Sound {
        let quiet = Sound { heard: None, samples: FrameTime::Ms20.samples(), kind: SoundKind::Silence };
        let Some(queue) = self.channels.get_mut(channel) else { return quiet };
        while let Some(item) = queue.front_mut() {
            let (heard, again, before) = (item.heard, item.again, item.buffer.bytes());
            let pulled = item.buffer.pull(now);
            self.bytes -= before - item.buffer.bytes();
            let Some((kind, samples)) = pulled else {
                if item.started {
                    out.push_back(Output::Event(Event::PlayEnded { heard, again }));
                }
                queue.pop_front();
                continue;
            };
            if matches!(kind, SoundKind::Frame(_)) && !std::mem::replace(&mut item.started, true) {
                out.push_back(Output::Event(Event::PlayStarted { heard, again }));
            }
            queue.iter_mut().skip(1).for_each(|later| later.buffer.waited());
            return Sound { heard: Some(heard), samples, kind };
        }
        self.channels.remove(channel);
        quiet
    }

    fn find(&mut self, channel: &ChannelId, heard: HeardNo) -> Option<&mut Item> {
        self.channels.get_mut(channel)?.iter_mut().find(|item| item.heard == heard && !item.again)
    }
}

/// Too many bursts wait: drops the oldest that has not begun. Returns how many bytes it had.
fn trim(queue: &mut VecDeque<Item>) -> usize {
    if queue.len() <= QUEUED_BURSTS {
        return 0;
    }
    let oldest = queue.iter().position(|item| !item.started).unwrap_or(0);
    queue.remove(oldest).map_or(0, |item| item.buffer.bytes())
}
