//! The button: press, voice, release, and one receipt for each press.

use std::collections::{BTreeMap, VecDeque};

use tenfour_protocol::control::{Codec, FrameTime, Outcome};
use tenfour_protocol::limits::VOICE_PAYLOAD_BYTES;
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, Code, Refusal, VoiceFrame};
use zeroize::Zeroizing;

use super::limits::{PRE_ROLL, RECEIPT_TIMEOUT, RECEIPTS_DUE};
use super::{Event, Output, Radio};
use crate::Time;

impl Radio {
    pub(super) fn press(&mut self, channel: ChannelId, frame_ms: FrameTime, now: Time) {
        let way = if self.link.is_gone() {
            Way::Closed(Code::LinkLost)
        } else if !self.tuning.wants(&channel) {
            Way::Closed(Code::NotTuned)
        } else if self.link.is_up() {
            self.place.way()
        } else {
            Way::Wait
        };
        self.button.press(channel, frame_ms, way, now, &mut self.out);
        // Somebody wants to talk, so try to connect at once.
        if !self.link.is_gone() {
            self.link.retry(now, &mut self.out);
        }
    }

    /// The code that refuses a press which has waited too long.
    pub(super) fn missing(&self) -> Code {
        if self.link.is_up() { Code::LocationNeeded } else { Code::LinkLost }
    }

    /// Sends a waiting press as soon as the server has confirmed the range that was chosen.
    pub(super) fn let_go(&mut self, now: Time) {
        match self.place.way() {
            _ if !self.link.is_up() => {}
            Way::Open => self.button.go(now, &mut self.out),
            Way::Closed(code) => self.button.stop_waiting(code, &mut self.out),
            Way::Wait => {}
        }
    }
}

#[derive(Default)]
pub(super) struct Button {
    /// Number of the last press.
    last: u32,
    /// Takes frames: the button is down and the burst has not ended.
    held: Option<Held>,
    /// Waits for the link, or for the range it should have.
    waiting: Option<Waiting>,
    /// Bursts that were sent, with the time of the release: their receipts are due.
    due: BTreeMap<BurstNo, Option<Time>>,
}

struct Held {
    burst: BurstNo,
    frames: u32,
    /// Smallest media time that the next frame may have.
    from: u32,
}

struct Waiting {
    burst: BurstNo,
    channel: ChannelId,
    frame_ms: FrameTime,
    since: Time,
    voice: Vec<Zeroizing<Vec<u8>>>,
    /// How many frames it had, once the button is up.
    released: Option<u32>,
}

/// Whether a press can go out.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Open,
    /// The link may come in time, or the range.
    Wait,
    Closed(Code),
}

impl Button {
    pub(super) fn press(
        &mut self,
        channel: ChannelId,
        frame_ms: FrameTime,
        way: Way,
        now: Time,
        out: &mut VecDeque<Output>,
    ) {
        self.last += 1;
        let burst = BurstNo(self.last);
        out.push_back(Output::Event(Event::Pressed { burst, channel: channel.clone() }));
        if self.held.is_some() || self.waiting.is_some() || self.due.len() >= RECEIPTS_DUE {
            return refuse(burst, Code::AlreadyTalking, out);
        }
        match way {
            Way::Closed(code) => return refuse(burst, code, out),
            Way::Open => self.start(burst, channel, frame_ms, out),
            Way::Wait => {
                let (voice, released) = (Vec::new(), None);
                self.waiting = Some(Waiting { burst, channel, frame_ms, since: now, voice, released });
            }
        }
        self.held = Some(Held { burst, frames: 0, from: 0 });
    }

    /// A frame of the microphone. A press whose voice has waited for long enough is refused with
    /// what is `missing`.
    pub(super) fn frame(
        &mut self,
        media_time: u32,
        payload: Vec<u8>,
        missing: Code,
        out: &mut VecDeque<Output>,
    ) {
        let payload = Zeroizing::new(payload);
        let Some(held) = &mut self.held else { return };
        let Ok(seq) = u16::try_from(held.frames) else { return };
        if media_time < held.from || payload.is_empty() || payload.len() > VOICE_PAYLOAD_BYTES {
            let refusal = Refusal::from(Code::MalformedFrame);
            return out.push_back(Output::Event(Event::Refused { refusal }));
        }
        held.frames += 1;
        held.from = media_time + 1;
        let frame = VoiceFrame { burst: held.burst, seq, media_time, last: false, payload: &payload };
        match &mut self.waiting {
            Some(waiting) => waiting.voice.push(Zeroizing::new(frame.to_bytes())),
            None => out.push_back(Output::SendVoice(frame.to_bytes())),
        }
        if self.waiting.as_ref().is_some_and(Waiting::is_full) {
            self.stop_waiting(missing, out);
        }
    }

    pub(super) fn release(&mut self, now: Time, out: &mut VecDeque<Output>) {
        let Some(Held { burst, frames, .. }) = self.held.take() else { return };
        match &mut self.waiting {
            Some(waiting) => waiting.released = Some(frames),
            None => self.end(burst, frames, now, out),
        }
    }

    /// What is waiting goes out.
    pub(super) fn go(&mut self, now: Time, out: &mut VecDeque<Output>) {
        let Some(waiting) = self.waiting.take() else { return };
        let Waiting { burst, channel, frame_ms, voice, released, .. } = waiting;
        self.start(burst, channel, frame_ms, out);
        for mut frame in voice {
            out.push_back(Output::SendVoice(std::mem::take(&mut *frame)));
        }
        if let Some(frames) = released {
            self.end(burst, frames, now, out);
        }
    }

    /// The receipts of bursts that were sent will never come.
    pub(super) fn link_down(&mut self, out: &mut VecDeque<Output>) {
        for (burst, _) in std::mem::take(&mut self.due) {
            self.let_go(burst);
            refuse(burst, Code::LinkLost, out);
        }
    }

    /// What a press waits for will not come.
    pub(super) fn stop_waiting(&mut self, code: Code, out: &mut VecDeque<Output>) {
        if let Some(Waiting { burst, .. }) = self.waiting.take() {
            self.let_go(burst);
            refuse(burst, code, out);
        }
    }

    pub(super) fn is_due(&self, burst: BurstNo) -> bool {
        self.due.contains_key(&burst)
    }

    pub(super) fn receipt(&mut self, burst: BurstNo, outcome: Outcome, out: &mut VecDeque<Output>) {
        if self.due.remove(&burst).is_some() {
            self.let_go(burst);
            out.push_back(Output::Event(Event::Receipt { burst, outcome }));
        }
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        let waiting = self.waiting.as_ref().map(|waiting| waiting.since + PRE_ROLL);
        let due = self.due.values().flatten().map(|released| *released + RECEIPT_TIMEOUT);
        due.chain(waiting).min()
    }

    pub(super) fn handle_timeout(&mut self, missing: Code, now: Time, out: &mut VecDeque<Output>) {
        if self.waiting.as_ref().is_some_and(|waiting| now >= waiting.since + PRE_ROLL) {
            self.stop_waiting(missing, out);
        }
        let late = |released: &mut Option<Time>| released.is_some_and(|at| now >= at + RECEIPT_TIMEOUT);
        for (burst, _) in self.due.extract_if(.., |_, released| late(released)) {
            refuse(burst, Code::LinkLost, out);
        }
    }

    fn start(&mut self, burst: BurstNo, channel: ChannelId, frame_ms: FrameTime, out: &mut VecDeque<Output>) {
        self.due.insert(burst, None);
        let start = ClientMessage::BurstStart { channel, burst, codec: Codec::Opus, frame_ms };
        out.push_back(Output::Send(start));
    }

    fn end(&mut self, burst: BurstNo, frames: u32, now: Time, out: &mut VecDeque<Output>) {
        self.due.insert(burst, Some(now));
        out.push_back(Output::Send(ClientMessage::BurstEnd { burst, frames }));
    }

    /// The burst is over: drops what the microphone still gives until the release.
    fn let_go(&mut self, burst: BurstNo) {
        self.held.take_if(|held| held.burst == burst);
    }
}

impl Waiting {
    fn is_full(&self) -> bool {
        let frames = u128::try_from(self.voice.len()).expect("fits");
        frames * u128::from(self.frame_ms.millis()) > PRE_ROLL.as_millis()
    }
}

fn refuse(burst: BurstNo, code: Code, out: &mut VecDeque<Output>) {
    let outcome = Outcome::Refused { refusal: code.into() };
    out.push_back(Output::Event(Event::Receipt { burst, outcome }));
}
