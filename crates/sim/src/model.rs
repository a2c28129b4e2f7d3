//! The reference model: it watches what goes in and what comes out, knows what must be true
//! of it, and complains. It is simple where the real thing is fast.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenfour_core::hub::{Output, Recipients};
use tenfour_core::radio::HeardNo;
use tenfour_core::voice::Packet;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::limits::SILENT_BURST;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo, ServerMessage, VoiceFrame};

use crate::voice::Mark;

/// Two moments are the same when they are this near: a message may lie in a queue.
const SLACK: Duration = Duration::from_millis(20);

/// From when to when; open when it lasts.
type Span = (Time, Option<Time>);

/// What a run showed.
#[derive(Debug)]
pub struct Report {
    /// What was not true, in words. Empty when all is well.
    pub violations: Vec<String>,
    /// The log, when it was kept.
    pub log: Vec<String>,
    /// What happened, in numbers.
    pub seen: Seen,
}

/// What happened, in numbers: shows that a run was worth something.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    /// Presses of a button.
    pub presses: usize,
    /// Bursts that were relayed.
    pub aired: usize,
    /// Presses that were refused.
    pub refused: usize,
    /// Frames that were heard.
    pub heard: usize,
    /// Frames that were told as gaps.
    pub gaps: usize,
    /// Links that went on where they had ended.
    pub resumed: usize,
    /// Bursts that had to be heard whole, and were.
    pub whole: usize,
}

struct Press {
    channel: ChannelId,
    receipts: u32,
    aired: Option<u32>,
}

struct Burst {
    talker: usize,
    local: BurstNo,
    channel: ChannelId,
    opened: Time,
    frames: BTreeMap<u16, Time>,
    closed: Option<(Time, u32, EndReason)>,
}

struct Hearing {
    burst: BurstNo,
    channel: ChannelId,
    last: Option<u16>,
    ended: bool,
    played: bool,
}

impl Hearing {
    /// Nothing is left to come or to play. A burst of which no frame came is never played.
    fn is_over(&self) -> bool {
        self.ended && (self.played || self.last.is_none())
    }
}

/// The model.
pub struct Model {
    hold: Duration,
    talk_limit: Duration,
    /// Clients whose voice travels as datagrams.
    datagrams: Vec<bool>,
    presses: BTreeMap<(usize, BurstNo), Press>,
    bursts: BTreeMap<BurstNo, Burst>,
    admitted: BTreeMap<(usize, BurstNo), BurstNo>,
    opening: BTreeMap<BurstNo, (ChannelId, Time)>,
    /// From when to when a client was tuned to a channel, by the server's word.
    tuned: BTreeMap<(usize, ChannelId), Vec<Span>>,
    /// When things happened to a client's link that may cost frames.
    disturbances: BTreeMap<usize, Vec<(Time, Time)>>,
    muters: BTreeSet<usize>,
    hearing: BTreeMap<(usize, HeardNo), Hearing>,
    frames: BTreeSet<(usize, BurstNo, u16)>,
    playing: BTreeMap<(usize, ChannelId), HeardNo>,
    last_played: BTreeMap<(usize, ChannelId), HeardNo>,
    violations: Vec<String>,
    seen: Seen,
}

impl Model {
    /// A model that has seen nothing.
    pub fn new(hold: Duration, talk_limit: Duration, datagrams: Vec<bool>) -> Self {
        Self {
            hold,
            talk_limit,
            datagrams,
            presses: BTreeMap::new(),
            bursts: BTreeMap::new(),
            admitted: BTreeMap::new(),
            opening: BTreeMap::new(),
            tuned: BTreeMap::new(),
            disturbances: BTreeMap::new(),
            muters: BTreeSet::new(),
            hearing: BTreeMap::new(),
            frames: BTreeSet::new(),
            playing: BTreeMap::new(),
            last_played: BTreeMap::new(),
            violations: Vec::new(),
            seen: Seen::default(),
        }
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violations.len() < 50 {
            self.violations.push(what());
        }
    }
}

/// What the server does.
impl Model {
    /// The hub puts out something.
    pub fn hub_says(&mut self, output: &Output, client_of: impl Fn(ConnId) -> Option<usize>, now: Time) {
        match output {
            Output::Open(route) => {
                let newest = self.opening.keys().next_back().copied();
                self.must(newest < Some(route.burst), || format!("burst numbers grow: {newest:?}"));
                self.opening.insert(route.burst, (route.channel.clone(), now));
            }
            Output::Admit { conn, local, burst } => {
                let Some(talker) = client_of(*conn) else { return };
                self.admit(talker, *local, *burst);
            }
            Output::Send { to: Recipients::One(conn), message } => {
                if let Some(client) = client_of(*conn) {
                    self.server_tells(client, message, now);
                }
            }
            Output::Close { burst, ended } => self.hub_closes(*burst, ended, now),
            Output::Send { .. }
            | Output::Join { .. }
            | Output::Leave { .. }
            | Output::Bundle { .. }
            | Output::Refuse { .. }
            | Output::EndBurst { .. }
            | Output::Disconnect { .. } => {}
        }
    }

    fn hub_closes(&mut self, number: BurstNo, ended: &ServerMessage, now: Time) {
        let Some(burst) = self.bursts.get_mut(&number) else { return };
        let ServerMessage::BurstEnded { frames, reason, .. } = ended else {
            return self.must(false, || format!("burst {number} ends with {ended:?}"));
        };
        let relayed = burst.frames.len();
        // An uplink that went with its connection before it was admitted relayed nothing.
        let closed = *burst.closed.get_or_insert((now, *frames, *reason));
        self.must((closed.1, closed.2) == (*frames, *reason), || {
            format!("burst {number} ends as {ended:?}, not {closed:?}")
        });
        self.must(relayed == *frames as usize, || {
            format!("burst {number}: {relayed} relayed, {frames} told")
        });
    }

    fn admit(&mut self, talker: usize, local: BurstNo, burst: BurstNo) {
        let Some((channel, opened)) = self.opening.get(&burst).cloned() else {
            return self.must(false, || format!("burst {burst} is admitted before it is opened"));
        };
        let pressed = self.presses.get(&(talker, local)).map(|press| press.channel.clone());
        self.must(pressed == Some(channel.clone()), || format!("burst {burst} airs where it was pressed"));
        let twice = self.admitted.insert((talker, local), burst);
        self.must(twice.is_none(), || format!("press {local} of {talker} is admitted twice"));
        let frames = BTreeMap::new();
        self.bursts.insert(burst, Burst { talker, local, channel, opened, frames, closed: None });
    }

    fn server_tells(&mut self, client: usize, message: &ServerMessage, now: Time) {
        match message {
            ServerMessage::Tuned { info, .. } => {
                let spans = self.tuned.entry((client, info.channel.clone())).or_default();
                if spans.last().is_none_or(|(_, end)| end.is_some()) {
                    spans.push((now, None));
                }
            }
            ServerMessage::Untuned { channel } => self.untuned(client, channel, now),
            ServerMessage::Welcome { resumed: true, .. } => self.seen.resumed += 1,
            ServerMessage::Welcome { resumed: false, .. } => {
                let channels: Vec<_> = self
                    .tuned
                    .keys()
                    .filter(|(who, _)| *who == client)
                    .map(|(_, channel)| channel.clone())
                    .collect();
                for channel in channels {
                    self.untuned(client, &channel, now);
                }
            }
            _ => {}
        }
    }

    fn untuned(&mut self, client: usize, channel: &ChannelId, now: Time) {
        let spans = self.tuned.get_mut(&(client, channel.clone()));
        if let Some((_, end @ None)) = spans.and_then(|spans| spans.last_mut()) {
            *end = Some(now);
        }
    }

    /// An uplink passes on a frame.
    pub fn relayed(&mut self, burst: BurstNo, seq: u16, now: Time) {
        let Some(state) = self.bursts.get_mut(&burst) else {
            return self
                .must(false, || format!("a frame of burst {burst}, which was never admitted, is relayed"));
        };
        let (closed, opened) = (state.closed.is_some(), state.opened);
        let again = state.frames.insert(seq, now).is_some();
        self.must(!closed, || format!("burst {burst} is relayed after its end"));
        self.must(!again, || format!("frame {seq} of burst {burst} is relayed twice"));
        let longest = self.talk_limit + SLACK;
        self.must(now - opened <= longest, || format!("burst {burst} is over the talk limit"));
    }

    /// An uplink says that a burst is over.
    pub fn closed(&mut self, talker: usize, local: BurstNo, frames: u32, reason: EndReason, now: Time) {
        let Some(burst) = self.admitted.get(&(talker, local)).copied() else {
            return self.must(false, || format!("press {local} of {talker} ends and was never admitted"));
        };
        let state = self.bursts.get_mut(&burst).expect("admitted bursts are known");
        let relayed = state.frames.len();
        let last = state.frames.values().next_back().copied().unwrap_or(state.opened);
        let twice = state.closed.replace((now, frames, reason)).is_some();
        self.must(!twice, || format!("burst {burst} ends twice"));
        self.must(relayed == frames as usize, || format!("burst {burst}: {relayed} relayed, {frames} told"));
        let silent = now - last;
        self.must(silent <= SILENT_BURST + SLACK, || format!("burst {burst} stayed silent for {silent:?}"));
    }

    /// A worker writes a frame to a listener's socket.
    pub fn written(&mut self, client: usize, packet: &Packet, now: Time) {
        let age = now - packet.arrived();
        self.must(age <= self.hold, || format!("a frame is sent {age:?} after it came"));
        let frame = VoiceFrame::parse(packet.message()).expect("the server writes voice frames");
        let Some(burst) = self.bursts.get(&frame.burst) else {
            return self.must(false, || format!("burst {} is heard and was never admitted", frame.burst));
        };
        let (talker, channel) = (burst.talker, burst.channel.clone());
        self.must(talker != client, || format!("client {client} hears itself"));
        let on = self.was_tuned(client, &channel, now);
        self.must(on, || format!("client {client} hears {channel} without being tuned to it"));
    }

    fn was_tuned(&self, client: usize, channel: &ChannelId, now: Time) -> bool {
        let spans = self.tuned.get(&(client, channel.clone()));
        spans.is_some_and(|spans| {
            spans.iter().any(|(start, end)| *start <= now && end.is_none_or(|end| now <= end + SLACK))
        })
    }

    /// The oldest frame that any worker holds arrived at `oldest`.
    pub fn holds(&mut self, oldest: Option<Time>, now: Time) {
        let age = oldest.map_or(Duration::ZERO, |oldest| now - oldest);
        self.must(age <= self.hold, || format!("at {now:?} a frame is held for {age:?}"));
    }
}

/// What people and their radios do.
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
    pub fn disturbed(&mut self, client: usize, now: Time, time: Duration) {
        self.disturbances.entry(client).or_default().push((now, now + time));
    }

    /// A client stops or starts hearing somebody: what it hears is no longer foretold.
    pub fn mutes(&mut self, client: usize) {
        self.muters.insert(client);
    }

    /// A client's session begins anew: what was not heard by then is lost.
    pub fn fresh_session(&mut self, client: usize, now: Time) {
        self.disturbed(client, now, SLACK);
    }

    /// A burst begins for a listener.
    pub fn begins(&mut self, client: usize, heard: HeardNo, burst: BurstNo, channel: ChannelId) {
        let right = self.bursts.get(&burst).map(|burst| burst.channel == channel);
        self.must(right == Some(true), || format!("client {client} is told of burst {burst} on {channel}"));
        let hearing = Hearing { burst, channel, last: None, ended: false, played: false };
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
        self.must(self.hearing.contains_key(&(client, heard)), || format!("a gap before {heard:?} begins"));
        self.seen.gaps += usize::from(to.saturating_sub(from));
    }

    /// A burst is over for a listener.
    pub fn ends(&mut self, client: usize, heard: HeardNo) {
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
    pub fn plays(&mut self, client: usize, heard: HeardNo, again: bool) {
        let Some(channel) = self.hearing.get(&(client, heard)).map(|hearing| hearing.channel.clone()) else {
            return self.must(false, || format!("client {client} plays {heard:?}, which never began"));
        };
        let key = (client, channel);
        let other = self.playing.insert(key.clone(), heard);
        self.must(other.is_none(), || format!("client {client} plays {heard:?} over {other:?}"));
        if !again {
            let before = self.last_played.insert(key, heard);
            self.must(before < Some(heard), || format!("client {client} plays {heard:?} after {before:?}"));
        }
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

/// What each client believes: its number, and who is on its channels.
pub type Belief<'a> = (Option<ParticipantNo>, Vec<(&'a ChannelId, &'a BTreeSet<ParticipantNo>)>);

/// What must be true in the end.
impl Model {
    /// Nothing is on its way any more.
    pub fn settled(&mut self, beliefs: &[Belief<'_>]) {
        self.receipts_are_complete();
        self.bursts_are_complete();
        self.beliefs_agree(beliefs);
        self.bursts_were_heard_whole();
    }

    fn receipts_are_complete(&mut self) {
        for ((client, local), press) in std::mem::take(&mut self.presses) {
            let receipts = press.receipts;
            self.must(receipts == 1, || format!("press {local} of {client} has {receipts} receipts"));
            let Some(told) = press.aired else { continue };
            let burst = self.admitted.get(&(client, local)).and_then(|burst| self.bursts.get(burst));
            let relayed = burst.map(|burst| burst.frames.len());
            self.must(relayed == Some(told as usize), || {
                format!("press {local} of {client}: receipt says {told}, {relayed:?} were relayed")
            });
        }
    }

    fn bursts_are_complete(&mut self) {
        let open: Vec<_> =
            self.bursts.iter().filter(|(_, burst)| burst.closed.is_none()).map(|(no, _)| *no).collect();
        self.must(open.is_empty(), || format!("bursts {open:?} never ended"));
        let heard: Vec<_> =
            self.hearing.iter().filter(|(_, hearing)| !hearing.ended).map(|(key, _)| *key).collect();
        self.must(heard.is_empty(), || format!("never ended for their listeners: {heard:?}"));
        let silent: Vec<_> =
            self.hearing.iter().filter(|(_, hearing)| !hearing.is_over()).map(|(key, _)| *key).collect();
        self.must(silent.is_empty(), || format!("never played to their end: {silent:?}"));
    }

    fn beliefs_agree(&mut self, beliefs: &[Belief<'_>]) {
        let mut truth = BTreeMap::<&ChannelId, BTreeSet<ParticipantNo>>::new();
        for (you, channels) in beliefs {
            for (channel, _) in channels {
                truth.entry(channel).or_default().extend(*you);
            }
        }
        for (client, (_, channels)) in beliefs.iter().enumerate() {
            for (channel, believed) in channels {
                let there = &truth[*channel];
                self.must(*believed == there, || {
                    format!("client {client} sees {believed:?} on {channel}, there are {there:?}")
                });
            }
        }
    }

    /// Who was tuned all the time, and whose link did nothing that costs frames, heard all of it.
    fn bursts_were_heard_whole(&mut self) {
        for (number, burst) in std::mem::take(&mut self.bursts) {
            let Some((closed, frames, _)) = burst.closed else { continue };
            for client in 0..self.datagrams.len() {
                let exempt =
                    client == burst.talker || self.datagrams[client] || self.muters.contains(&client);
                if exempt || !self.was_steady(client, &burst.channel, burst.opened, closed) {
                    continue;
                }
                let heard = self.frames.range((client, number, 0)..=(client, number, u16::MAX)).count();
                self.must(heard == frames as usize, || {
                    format!("client {client} heard {heard} of {frames} frames of burst {number}")
                });
                self.seen.whole += 1;
            }
        }
    }

    fn was_steady(&self, client: usize, channel: &ChannelId, from: Time, to: Time) -> bool {
        // A link that comes back within the hold costs nothing: frames lost with it are sent
        // again. What may cost is an outage or a stall near the hold, or a session that ended.
        let short = self.hold / 2;
        let spans = self.tuned.get(&(client, channel.clone()));
        let tuned = spans.is_some_and(|spans| {
            spans.iter().any(|(start, end)| *start < from && end.is_none_or(|end| to + self.hold < end))
        });
        let disturbed = self.disturbances.get(&client).is_some_and(|all| {
            let near = |(start, end): &&(Time, Time)| *start <= to + self.hold && from <= *end + self.hold;
            let mut near = all.iter().filter(near).peekable();
            let fresh = |span: &(Time, Time)| span.1 - span.0 <= SLACK;
            // Two in a row may add up.
            near.peek().is_some()
                && (near.clone().count() > 1 || near.any(|span| fresh(span) || span.1 - span.0 > short))
        });
        tuned && !disturbed
    }

    /// Everyone has gone; `leftovers` is what the server still has.
    pub fn left(&mut self, leftovers: Vec<String>) {
        for left in leftovers {
            self.must(false, || format!("left behind: {left}"));
        }
    }

    /// The end.
    pub fn report(self, log: Vec<String>) -> Report {
        Report { violations: self.violations, log, seen: self.seen }
    }
}
