//! The entrance for one talking connection: checks and counts frames, and keeps them until the burst is admitted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::control::{Dropped, EndReason, FrameTime};
use tenfour_protocol::limits::{SILENT_BURST, STALLED_LINK};
use tenfour_protocol::{BurstNo, Refusal, VoiceFrame, opus};
use zeroize::Zeroizing;

use super::budget::Budget;
use super::fault::Fault;
use super::{Framing, Packet};
use crate::Time;
use crate::mutants::Mutants;
use crate::timeline::Timeline;

/// Most bursts of one connection that wait for the hub. The hub refuses presses long before that.
const MAX_OPEN_BURSTS: usize = 16;
/// Silence after which the link is asked whether it works.
const ASK_INTERVAL: Duration = SILENT_BURST.checked_div(2).expect("not by 0");
/// How often a talker is told that frames of a burst are dropped for one reason.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// What the shell does for an uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UplinkOutput {
    /// Appends a frame to the deck of every worker.
    Frame {
        /// The server's number of the burst.
        burst: BurstNo,
        /// The frame.
        packet: Packet,
    },
    /// Tells the hub, as [`Input::BurstClosed`](crate::hub::Input::BurstClosed), that the last
    /// frame was passed on. Comes once for each admitted burst.
    Closed {
        /// The talker's number.
        local: BurstNo,
        /// Frames that were passed on.
        frames: u32,
        /// Frames that were not.
        dropped: Option<Box<Dropped>>,
        /// Why it ended.
        reason: EndReason,
    },
    /// Tells the client that voice was dropped, of which burst, and why. At most once a second for each reason
    /// and burst.
    Refused(Refusal),
    /// Asks the client's end of the connection for a sign of life, to be told with [`Uplink::alive`].
    Ask,
}

/// Takes the frames of one connection that talks.
///
/// The shell calls [`Uplink::start`] before it passes `burst.start` to the hub, and
/// [`Uplink::release`] for `burst.end`. Then it drains [`Uplink::poll`] after each call.
#[derive(Debug)]
pub struct Uplink {
    framing: Framing,
    bursts: BTreeMap<BurstNo, Burst>,
    newest: Option<BurstNo>,
    budget: Budget,
    /// When the client was last told of dropped frames that belong to no burst.
    told: Told,
    /// When the link was last asked, and when it last gave a sign of life other than a frame.
    asked: Time,
    alive: Time,
    outputs: VecDeque<UplinkOutput>,
}

#[derive(Debug)]
struct Burst {
    frame_time: FrameTime,
    /// The server's number, once it is admitted.
    admitted: Option<BurstNo>,
    /// Frames that came before that.
    waiting: Vec<Waiting>,
    passed_on: u32,
    dropped: Option<Box<Dropped>>,
    told: Told,
    last: Option<(u16, u32)>,
    timeline: Timeline,
    last_sign: Time,
    ended: Option<EndReason>,
}

/// When the client was last told that frames are dropped, by the kind of the reason.
type Told = BTreeMap<u8, Time>;

/// A frame in a buffer that is wiped on drop.
struct Waiting {
    bytes: Zeroizing<Box<[u8]>>,
    arrived: Time,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({} bytes)", self.bytes.len())
    }
}

impl Uplink {
    /// For a connection to a server whose transport frames messages with `framing`.
    pub fn new(framing: Framing, now: Time) -> Self {
        Self {
            framing,
            bursts: BTreeMap::new(),
            newest: None,
            budget: Budget::new(now),
            told: Told::new(),
            asked: now,
            alive: now,
            outputs: VecDeque::new(),
        }
    }

    /// The same, with these mutants.
    pub fn broken(mut self, mutants: Mutants) -> Self {
        self.budget.mutants = mutants;
        self
    }

    /// A press: frames of burst `local` may come from now on. Ignores a number that is not larger than the last; the
    /// hub refuses it.
    pub fn start(&mut self, local: BurstNo, frame_time: FrameTime, now: Time) {
        if self.newest.is_some_and(|newest| local <= newest) || self.bursts.len() >= MAX_OPEN_BURSTS {
            return;
        }
        self.newest = Some(local);
        self.bursts.insert(local, Burst::new(frame_time, now));
    }

    /// A binary message of the client. Frames of a burst that is not open are dropped without
    /// a word. The media time that is passed on never runs ahead of the frames' arrival by more than
    /// [`VOICE_AHEAD`](tenfour_protocol::limits::VOICE_AHEAD), whatever the talker says.
    pub fn frame(&mut self, bytes: &[u8], now: Time) {
        let frame = match VoiceFrame::parse(bytes) {
            Ok(frame) => frame,
            Err(error) => return self.drop_frame(self.meant_by(bytes), Fault::Unreadable(error), now),
        };
        let Some(burst) = self.bursts.get_mut(&frame.burst).filter(|burst| burst.ended.is_none()) else {
            return;
        };
        let said = (frame.media_time, burst.frame_time.samples(), frame.payload.len() as u32);
        let taken = burst
            .check(&frame)
            .and_then(|()| self.budget.pay(&mut burst.timeline, said, now).ok_or(Fault::TooMuch));
        match taken {
            Ok(media_time) => {
                burst.last = Some((frame.seq, frame.media_time));
                burst.last_sign = now;
                let frame = VoiceFrame { media_time, ..frame };
                match burst.admitted {
                    Some(admitted) => {
                        burst.passed_on += 1;
                        let packet = Packet::new(self.framing, &VoiceFrame { burst: admitted, ..frame }, now);
                        self.outputs.push_back(UplinkOutput::Frame { burst: admitted, packet });
                    }
                    None => {
                        let bytes = Zeroizing::new(frame.to_bytes().into());
                        burst.waiting.push(Waiting { bytes, arrived: now });
                    }
                }
            }
            Err(fault) => self.drop_frame(Some(frame.burst), fault, now),
        }
        if frame.last {
            self.end(frame.burst, EndReason::Released, now);
        }
    }

    /// `burst.end` of the client.
    pub fn release(&mut self, local: BurstNo, now: Time) {
        self.end(local, EndReason::Released, now);
    }

    /// The hub admits burst `local` under the server's number `burst`: passes on the frames that wait.
    pub fn admit(&mut self, local: BurstNo, burst: BurstNo, now: Time) {
        let Some(open) = self.bursts.get_mut(&local) else {
            // Every admitted burst must be closed, or it would count on the channel for ever.
            let closed = UplinkOutput::Closed { local, frames: 0, dropped: None, reason: EndReason::Silent };
            return self.outputs.push_back(closed);
        };
        open.admitted = Some(burst);
        open.last_sign = open.last_sign.max(now);
        for waiting in std::mem::take(&mut open.waiting) {
            let frame = VoiceFrame::parse(&waiting.bytes).expect("parsed before it was kept");
            let packet = Packet::new(self.framing, &VoiceFrame { burst, ..frame }, waiting.arrived);
            open.passed_on += 1;
            self.outputs.push_back(UplinkOutput::Frame { burst, packet });
        }
        self.close_if_over(local);
    }

    /// The hub refuses burst `local`: wipes the frames that wait. A burst that was admitted goes on.
    pub fn refuse(&mut self, local: BurstNo) {
        if self.bursts.get(&local).is_some_and(|burst| burst.admitted.is_none()) {
            self.bursts.remove(&local);
        }
    }

    /// Ends burst `local`, if it is open: for `burst.end` and
    /// [`Output::EndBurst`](crate::hub::Output::EndBurst).
    pub fn end(&mut self, local: BurstNo, reason: EndReason, _now: Time) {
        if let Some(burst) = self.bursts.get_mut(&local) {
            burst.ended.get_or_insert(reason);
            self.close_if_over(local);
        }
    }

    /// The connection ended: its bursts are over, and what was not admitted is wiped. The shell
    /// drains the outputs before it tells the hub
    /// [`Input::Disconnected`](crate::hub::Input::Disconnected).
    pub fn disconnect(&mut self, now: Time) {
        self.bursts.retain(|_, burst| burst.admitted.is_some());
        for local in self.bursts.keys().copied().collect::<Vec<_>>() {
            self.end(local, EndReason::TalkerLost, now);
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<UplinkOutput> {
        self.outputs.pop_front()
    }

    /// The client answered a ping, or sent anything other than a frame.
    pub fn alive(&mut self, now: Time) {
        self.alive = now;
    }

    /// When [`Uplink::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let open = self.bursts.values().filter(|burst| burst.ended.is_none());
        open.map(|burst| if self.asked < burst.ask_at() { burst.ask_at() } else { burst.over(self.alive).0 })
            .min()
    }

    /// Ends bursts that have been silent for [`SILENT_BURST`], and for [`STALLED_LINK`] where the link does not
    /// answer.
    pub fn handle_timeout(&mut self, now: Time) {
        let mut over = Vec::new();
        let mut ask = false;
        for (&local, burst) in self.bursts.iter().filter(|(_, burst)| burst.ended.is_none()) {
            let (at, reason) = burst.over(self.alive);
            ask |= burst.ask_at() <= now && self.asked < burst.ask_at();
            over.extend((at <= now).then_some((local, reason)));
        }
        if ask {
            self.asked = now;
            self.outputs.push_back(UplinkOutput::Ask);
        }
        for (local, reason) in over {
            self.end(local, reason, now);
        }
    }

    /// Bursts that are open or wait for the hub's answer, and frames that wait for it.
    pub fn figures(&self) -> (usize, usize) {
        (self.bursts.len(), self.bursts.values().map(|burst| burst.waiting.len()).sum())
    }

    fn close_if_over(&mut self, local: BurstNo) {
        let Some(burst) = self.bursts.get_mut(&local) else { return };
        if let (Some(_), Some(reason)) = (burst.admitted, burst.ended) {
            let (frames, dropped) = (burst.passed_on, burst.dropped.take());
            self.bursts.remove(&local);
            self.outputs.push_back(UplinkOutput::Closed { local, frames, dropped, reason });
        }
    }

    /// For bytes that are no frame, the burst for which they were meant: the one that they name, or else the newest.
    fn meant_by(&self, bytes: &[u8]) -> Option<BurstNo> {
        let is_open = |local: &BurstNo| self.bursts.get(local).is_some_and(|burst| burst.ended.is_none());
        let named = VoiceFrame::burst_of(bytes).filter(is_open);
        named.or_else(|| self.bursts.keys().copied().rev().find(is_open))
    }

    /// A frame is dropped: counts it for the receipt, and tells the client.
    fn drop_frame(&mut self, local: Option<BurstNo>, fault: Fault, now: Time) {
        let told = match local.and_then(|local| self.bursts.get_mut(&local)) {
            Some(burst) => {
                match &mut burst.dropped {
                    Some(dropped) => dropped.frames += 1,
                    None => burst.dropped = Some(Box::new(Dropped { frames: 1, refusal: fault.refusal() })),
                }
                &mut burst.told
            }
            None => &mut self.told,
        };
        if told.get(&fault.kind()).is_none_or(|&told| now.since(told) >= TELL_INTERVAL) {
            told.insert(fault.kind(), now);
            self.outputs.push_back(UplinkOutput::Refused(fault.refusal().of_burst(local)));
        }
    }
}

impl Burst {
    fn new(frame_time: FrameTime, now: Time) -> Self {
        Self {
            frame_time,
            admitted: None,
            waiting: Vec::new(),
            passed_on: 0,
            dropped: None,
            told: Told::new(),
            last: None,
            timeline: Timeline::default(),
            last_sign: now,
            ended: None,
        }
    }

    fn ask_at(&self) -> Time {
        self.last_sign + ASK_INTERVAL
    }

    /// When silence ends the burst, and why. If the link answers, the talker is just silent.
    fn over(&self, alive: Time) -> (Time, EndReason) {
        if alive >= self.ask_at() {
            (self.last_sign + SILENT_BURST, EndReason::Silent)
        } else {
            (self.last_sign + STALLED_LINK, EndReason::TalkerLost)
        }
    }

    /// Checks the order, and that the payload is an Opus packet of the announced length. A hole in the numbers is a
    /// frame that was lost on the way, or dropped here.
    fn check(&self, frame: &VoiceFrame<'_>) -> Result<(), Fault> {
        // The number after the last frame must fit as well.
        if frame.seq == u16::MAX {
            return Err(Fault::Uncountable);
        }
        if let Some((seq, media_time)) = self.last {
            if frame.seq <= seq {
                return Err(Fault::Number);
            }
            // Media time may wrap, so a step counts as forward if that way is shorter.
            if !(1..1 << 31).contains(&frame.media_time.wrapping_sub(media_time)) {
                return Err(Fault::MediaTime);
            }
        }
        let holds = opus::check(frame.payload).map_err(Fault::NoOpus)?;
        let announced = Duration::from_millis(self.frame_time.millis().into());
        match holds == announced {
            true => Ok(()),
            false => Err(Fault::Length { holds, announced: self.frame_time }),
        }
    }
}
