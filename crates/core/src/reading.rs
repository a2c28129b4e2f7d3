//! How much of one socket is read.

use std::time::Duration;

use tenfour_protocol::limits::{
    READ_AT_ONCE, READ_BEHIND, READ_FRAME_COST, READ_PAUSE, READ_PER_SECOND, READ_TEXT_COST,
};

use crate::Time;
use crate::bucket::Bucket;

/// What a socket may have read of it. A peer pays for bytes and for frames of any kind: a ping, an empty fragment and
/// a TLS record cost the server time too, and no other budget counts them. A socket that owes is not read for a
/// while. The network then holds back what comes, and nothing is lost. A peer that goes on all the same [falls
/// behind](Self::is_flood) and is cut off.
#[derive(Debug)]
pub struct Reading {
    bucket: Bucket,
    owes: bool,
    /// Since when something may wait that was not read in time.
    behind: Option<Time>,
}

impl Reading {
    /// For a socket from which nothing was read yet.
    pub fn new(now: Time) -> Self {
        Self { bucket: Bucket::new(READ_AT_ONCE, READ_PER_SECOND, now), owes: false, behind: None }
    }

    /// Pays for `bytes` that came, in so many frames and records, with so many text messages in them. Returns the
    /// price.
    pub fn pay(&mut self, bytes: usize, frames: u64, texts: u32, now: Time) -> u32 {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX).saturating_mul(READ_FRAME_COST);
        let price = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(frames);
        let price = price.saturating_add(texts.saturating_mul(READ_TEXT_COST));
        self.owes = !self.bucket.has(price, now);
        self.bucket.spend(price);
        price
    }

    /// Whether the socket has to wait before more is read.
    pub fn owes(&self) -> bool {
        self.owes
    }

    /// How long the socket has to wait. When it is read again, it owes nothing.
    pub fn pause(&mut self, now: Time) -> Duration {
        self.owes = false;
        self.behind.get_or_insert(now);
        // While the socket waits, small pieces gather and are then read in one go.
        self.bucket.wait(now).max(READ_PAUSE)
    }

    /// Everything that had come was read.
    pub fn caught_up(&mut self) {
        self.behind = None;
    }

    /// Whether the peer has been over its budget for [`READ_BEHIND`] without a break.
    pub fn is_flood(&self, now: Time) -> bool {
        self.behind.is_some_and(|since| now.since(since) >= READ_BEHIND)
    }
}

#[cfg(test)]
mod tests {
    use tenfour_protocol::limits::{
        CONTROL_BURST, CONTROL_BYTES, CONTROL_PER_SECOND, VOICE_AHEAD, VOICE_BITS_PER_SECOND,
        VOICE_HEADER_BYTES, VOICE_PAYLOAD_BYTES,
    };

    use super::*;

    /// Header and mask of a frame of RFC 6455 that a client sends.
    const FRAMING: usize = 8;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1000)
    }

    /// Reads `size` bytes in `frames` whenever it may, for as long as `until` says. Returns the frames, and
    /// whether it was a flood in the end.
    fn flood(size: usize, frames: u64, texts: u32, until: u64) -> (u64, bool) {
        let (mut reading, mut now, mut read) = (Reading::new(at(0)), at(0), 0);
        while now < at(until) && !reading.is_flood(now) {
            if reading.owes() {
                now += reading.pause(now);
            } else {
                reading.pay(size, frames, texts, now);
                read += frames;
            }
        }
        (read, reading.is_flood(now))
    }

    #[test]
    fn all_that_an_honest_client_may_say_is_read_at_once_and_for_ever() {
        let mut reading = Reading::new(at(0));
        let voice = VOICE_PAYLOAD_BYTES.min(VOICE_BITS_PER_SECOND as usize / 8 / 50);
        let frame = FRAMING + VOICE_HEADER_BYTES + voice;
        // What a stalled network held back, and each control message that is taken.
        for _ in 0..VOICE_AHEAD.as_millis() / 20 {
            reading.pay(frame, 2, 0, at(0));
        }
        for _ in 0..2 * CONTROL_BURST {
            reading.pay(CONTROL_BYTES + FRAMING, 2, 1, at(0));
        }
        for second in 0..600 {
            for message in 0..2 * CONTROL_PER_SECOND {
                reading.pay(CONTROL_BYTES + FRAMING, 2, 1, at(second * 1000));
                assert!(!reading.owes(), "{second} {message}");
            }
            for n in 0..50 {
                reading.pay(frame, 2, 0, at(second * 1000 + n * 20));
                assert!(!reading.owes(), "{second} {n}");
            }
        }
    }

    #[test]
    fn whoever_sends_without_end_is_read_at_a_pace_and_then_no_more() {
        let pings = flood(2048, 2048 / 6, 0, 60_000);
        assert!(pings.1, "it is over");
        assert!((4_000..10_000).contains(&pings.0), "{}", pings.0);
        let large = flood(2048, 1, 0, 60_000);
        assert!(large.1 && (250..400).contains(&large.0), "{}", large.0);
        let presses = flood(2048, 21, 21, 60_000);
        assert!(presses.1 && (200..400).contains(&presses.0), "{}", presses.0);
    }

    #[test]
    fn who_catches_up_is_forgiven() {
        let mut reading = Reading::new(at(0));
        let mut now = at(0);
        for _ in 0..1000 {
            while !reading.owes() {
                reading.pay(2048, 20, 0, now);
            }
            now += reading.pause(now);
            assert!(!reading.is_flood(now));
            reading.caught_up();
        }
        assert!(!reading.is_flood(at(u64::MAX / 2000)));
    }
}
