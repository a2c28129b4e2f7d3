//! What people do, and what their radios may tell them.

use std::time::Duration;

use tenfour_core::Time;
use tenfour_core::radio::limits::{JITTER_LONGEST, LAG_LIMIT};
use tenfour_core::radio::{HeardEnd, HeardNo};
use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::limits::{HEARD_AHEAD, SAMPLE_RATE};
use tenfour_protocol::{BurstNo, ChannelId, SignalGrade};

use super::{Hearing, Kind, Model, Press, Trouble};
use crate::voice::Mark;

impl Model {
    /// A button goes down.
    pub fn pressed(&mut self, client: usize, local: BurstNo, channel: ChannelId) {
        self.seen.presses += 1;
        let press = Press { channel, receipts: 0, aired: None };
        let twice = self.presses.insert((client, local), press).is_some();
        self.must(!twice, || format!("client {client} uses number {local} twice"));
    }

    /// A press gets its receipt.
    pub fn receipt(&mut self, client: usize, local: BurstNo, outcome: &Outcome) {
        let Some(press) = self.presses.get_mut(&(client, local)) else {
            return self
                .must(false, || format!("client {client} gets a receipt for a press {local} it never made"));
        };
        press.receipts += 1;
        let receipts = press.receipts;
        match outcome {
            Outcome::Aired { frames, .. } => {
                press.aired = Some(*frames);
                self.seen.aired += 1;
            }
            Outcome::Refused { .. } => self.seen.refused += 1,
        }
        self.must(receipts == 1, || format!("press {local} of {client} gets {receipts} receipts"));
    }

    /// Something happens to a client's link, from now on for `time`.
    pub fn troubled(&mut self, client: usize, kind: Kind, now: Time, time: Duration) {
        self.troubles.entry(client).or_default().push(Trouble { kind, start: now, end: now + time });
    }

    /// A client stops or starts hearing somebody: the model no longer predicts what it hears.
    pub fn mutes(&mut self, client: usize) {
        self.muters.insert(client);
    }

    /// A burst begins for a listener, with this grade.
    pub fn begins(
        &mut self,
        client: usize,
        heard: HeardNo,
        (burst, channel): (BurstNo, ChannelId),
        grade: Option<SignalGrade>,
    ) {
        self.is_announced(client, burst, grade);
        // Opened, and perhaps never admitted: the talker may have gone in between.
        let right = self.opening.get(&burst).map(|(opened, _)| *opened == channel);
        self.must(right == Some(true), || format!("client {client} is told of burst {burst} on {channel}"));
        let hearing = Hearing { burst, channel, last: None, came: None, ended: false, played: false };
        let twice = self.hearing.insert((client, heard), hearing).is_some();
        self.must(!twice, || format!("client {client} hears {heard:?} begin twice"));
    }

    /// A frame comes to a listener.
    pub fn heard(&mut self, client: usize, heard: HeardNo, seq: u16, payload: &[u8]) {
        let Some(hearing) = self.hearing.get_mut(&(client, heard)) else {
            return self.must(false, || format!("client {client} hears {heard:?} before it begins"));
        };
        let (burst, last, ended) = (hearing.burst, hearing.last.replace(seq), hearing.ended);
        self.must(last < Some(seq), || format!("client {client}, burst {burst}: {seq} after {last:?}"));
        self.must(!ended, || format!("client {client} hears burst {burst} after its end"));
        let once = self.frames.insert((client, burst, seq));
        self.must(once, || format!("client {client} hears frame {seq} of burst {burst} twice"));
        let truth = self.bursts.get(&burst).map(|state| (state.talker as u16, state.local));
        let said = Mark::of(payload).map(|mark| (mark.talker, mark.local));
        self.must(said.is_some() && said == truth, || format!("burst {burst} says {said:?}, not {truth:?}"));
        let number = Mark::of(payload).map(|mark| mark.seq);
        self.must(number == Some(seq), || format!("frame {seq} of burst {burst} holds frame {number:?}"));
        self.seen.heard += 1;
    }

    /// Frames are told as lost.
    pub fn missed(&mut self, client: usize, heard: HeardNo, from: u16, to: u16) {
        self.must(from < to, || format!("client {client} is told of a gap from {from} to {to}"));
        let Some(hearing) = self.hearing.get(&(client, heard)) else {
            return self.must(false, || format!("client {client}: a gap before {heard:?} begins"));
        };
        let frames = usize::from(to.saturating_sub(from));
        *self.gaps.entry((client, hearing.burst)).or_default() += frames;
        self.seen.gaps += frames;
    }

    /// A talker's clock says that so many samples are silence, and they are not.
    pub fn lied(&mut self, samples: u32) {
        self.seen.lies += samples as usize;
    }

    /// A burst has come so far for a listener, in samples.
    pub fn reaches(&mut self, client: usize, heard: HeardNo, samples: u32, now: Time) {
        if let Some(hearing) = self.hearing.get_mut(&(client, heard)) {
            hearing.came.get_or_insert(now);
        }
        let most = (self.talk_limit + HEARD_AHEAD).as_millis() as u32 * (SAMPLE_RATE / 1000);
        self.must(samples <= most, || format!("client {client} has {samples} samples of {heard:?}"));
    }

    /// A burst is over for a listener.
    pub fn ends(&mut self, client: usize, heard: HeardNo, reason: HeardEnd) {
        let burst = self.hearing.get(&(client, heard)).map(|hearing| hearing.burst);
        if let (Some(burst), HeardEnd::Ended(EndReason::OutOfRange)) = (burst, reason) {
            self.goes_out_of_range(client, burst);
        }
        let twice =
            self.hearing.get_mut(&(client, heard)).map(|hearing| std::mem::replace(&mut hearing.ended, true));
        self.must(twice == Some(false), || format!("client {client}: {heard:?} ends twice or never began"));
    }

    /// A client leaves a channel: what waits there is not played.
    pub fn silenced(&mut self, client: usize, channel: &ChannelId) {
        self.playing.remove(&(client, channel.clone()));
        let all = self.hearing.range_mut((client, HeardNo(0))..=(client, HeardNo(u32::MAX)));
        all.filter(|(_, hearing)| hearing.channel == *channel).for_each(|(_, hearing)| hearing.played = true);
    }

    /// Whether something is left to play on a channel.
    pub fn is_hearing(&self, client: usize, channel: &ChannelId) -> bool {
        let mut all = self.hearing.range((client, HeardNo(0))..=(client, HeardNo(u32::MAX)));
        all.any(|(_, hearing)| hearing.channel == *channel && !hearing.is_over())
    }

    /// A burst begins to play.
    pub fn plays(&mut self, client: usize, heard: HeardNo, again: bool, now: Time) {
        let Some(hearing) = self.hearing.get(&(client, heard)) else {
            return self.must(false, || format!("client {client} plays {heard:?}, which never began"));
        };
        let (channel, came) = (hearing.channel.clone(), hearing.came);
        let talker = self.bursts.get(&hearing.burst).map(|burst| burst.talker);
        let other = self.playing.insert((client, channel.clone()), heard);
        self.must(other.is_none(), || format!("client {client} plays {heard:?} over {other:?}"));
        if !again {
            let in_time = came.is_some_and(|came| now.since(came) <= LAG_LIMIT + JITTER_LONGEST);
            self.must(in_time, || {
                format!("client {client} plays {heard:?} at {now:?}, which came at {came:?}")
            });
            let before = self.last_played.insert((client, channel, talker), heard);
            self.must(before < Some(heard), || format!("client {client} plays {heard:?} after {before:?}"));
        }
    }

    /// A burst is not played, since it had to wait for too long.
    pub fn unplayed(&mut self, client: usize, heard: HeardNo, now: Time) {
        self.seen.unplayed += 1;
        // It may have been said again while it waited, and so be played.
        let came = self.hearing.get_mut(&(client, heard)).and_then(|hearing| {
            hearing.played = true;
            hearing.came
        });
        let late = came.is_some_and(|came| now.since(came) >= LAG_LIMIT);
        self.must(late, || {
            format!("client {client} does not play {heard:?} at {now:?}, which came at {came:?}")
        });
    }

    /// A burst was played.
    pub fn played(&mut self, client: usize, heard: HeardNo, _again: bool) {
        let Some(hearing) = self.hearing.get_mut(&(client, heard)) else {
            return self.must(false, || format!("client {client} ends {heard:?}, which never began"));
        };
        hearing.played = true;
        let key = (client, hearing.channel.clone());
        let playing = self.playing.remove(&key);
        self.must(playing == Some(heard), || {
            format!("client {client} stops {heard:?} and played {playing:?}")
        });
    }
}
