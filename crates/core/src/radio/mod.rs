//! The radio: one for each native client. Link, button, hearing, playout, say again.
//!
//! It follows the contract of the [crate]. In addition, the shell pulls sound: each time a channel's loudspeaker has
//! played what it had, the shell calls [`Radio::pull`]. A pull counts as an input, so drain [`Radio::poll`] after it.
//!
//! ```
//! use tenfour_core::Time;
//! use tenfour_core::radio::{Config, Output, Radio};
//!
//! let config = Config { client: "example 1".into(), playout: true, seed: 7, ..Config::default() };
//! let mut radio = Radio::new(config, Time::ZERO);
//! while let Some(output) = radio.poll() {
//!     if output == Output::Connect { /* open a socket, then tell Input::Opened */ }
//! }
//! ```

mod button;
mod input;
mod jitter;
pub mod limits;
mod link;
mod memory;
mod output;
mod payload;
mod place;
mod playout;
mod ranging;
mod reception;
mod tuning;

use std::collections::VecDeque;
use std::time::Duration;

use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, Code, Device, GeoCell, Participant, Ranges, ServerMessage,
    SignalGrade, VoiceFrame,
};
use zeroize::Zeroizing;

pub use input::Input;
pub use output::{Event, HeardEnd, HeardNo, LinkState, Output, Sound, SoundKind};
pub use payload::Payload;

use crate::Time;
use crate::mutants::Mutants;
use button::Button;
use jitter::Pace;
use link::Link;
use memory::Memory;
use place::Whereabouts;
use playout::Playout;
use reception::{Ended, Gap, Receiver};
use tuning::Tuning;

/// How a radio is set up. The default shares no place. `client` must be set.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Program and version, told to the server: 1 to 64 bytes.
    pub client: String,
    /// Asks the server for fewer, larger packets.
    pub economy: bool,
    /// Hears what other radios of the same user say.
    pub hear_self: bool,
    /// False if the shell never pulls sound. Then no sound is kept, neither to be played nor to be played again.
    pub playout: bool,
    /// A burst that could not begin to play within this time of its first frame is not played. None for
    /// [`LAG_LIMIT`](limits::LAG_LIMIT); clamped to [`LAG_LIMIT_RANGE`](limits::LAG_LIMIT_RANGE).
    pub lag_limit: Option<Duration>,
    /// Random number from the shell, so that clients do not come back all at once.
    pub seed: u64,
    /// The cell that the person is in, to be shared from the first connection on.
    pub place: Option<GeoCell>,
    /// How far the person reaches and hears. Limited ranges need a place.
    pub ranges: Ranges,
    /// The device, for the server's connection log.
    pub device: Option<Device>,
    /// What is broken on purpose.
    pub mutants: Mutants,
}

/// The state machine of a client.
pub struct Radio {
    link: Link,
    tuning: Tuning,
    place: Whereabouts,
    button: Button,
    receiver: Receiver,
    /// Gets fewer, larger packets.
    economy: bool,
    /// Whether sound is pulled, and so kept.
    plays: bool,
    playout: Playout,
    memory: Memory,
    out: VecDeque<Output>,
}

impl Radio {
    /// A radio that asks for its connection at once.
    pub fn new(config: Config, now: Time) -> Self {
        let mut out = VecDeque::new();
        Self {
            economy: config.economy,
            plays: config.playout,
            link: Link::new(&config, now, &mut out),
            receiver: Receiver::new(&config),
            tuning: Tuning::default(),
            button: Button::default(),
            playout: Playout::new(config.lag_limit),
            memory: Memory::default(),
            place: Whereabouts::new(config),
            out,
        }
    }

    /// Tells what happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        match input {
            Input::Opened => {
                let hello = self.link.opened(|token| self.receiver.resume(token), &mut self.place, now);
                self.out.extend(hello);
            }
            Input::Message(message) => self.message(message, now),
            Input::Voice(bytes) => self.voice(&Zeroizing::new(bytes), now),
            Input::Alive => self.link.alive(now),
            Input::Closed { refusal } => {
                if self.link.closed(refusal, now, &mut self.out) {
                    self.link_down();
                }
            }
            Input::Retry => self.link.retry(now, &mut self.out),
            Input::Tune { channel, catch_up } => {
                self.tuning.tune(channel, catch_up, self.link.is_up(), &mut self.out);
            }
            Input::Untune { channel } => {
                if self.tuning.untune(&channel, self.link.is_up(), &mut self.out) {
                    self.left(&channel);
                }
            }
            Input::Locating => self.place.look(),
            Input::Locate(cell) => {
                self.place.locate(cell, now, &mut self.out);
                self.let_go(now);
            }
            Input::Range(ranges) => {
                self.place.range(ranges, &mut self.out);
                self.let_go(now);
            }
            Input::Press { channel, frame_ms } => self.press(channel, frame_ms, now),
            Input::Frame { media_time, payload } => {
                let missing = self.missing();
                self.button.frame(media_time, payload, missing, &mut self.out);
            }
            Input::Release => self.button.release(now, &mut self.out),
            Input::Mute { participant, muted } => self.ask(ClientMessage::Mute { participant, muted }),
            Input::Participants { channel, page } => self.ask(ClientMessage::Participants { channel, page }),
            Input::SayAgain { heard } => self.say_again(heard, now),
        }
    }

    /// The next thing to do, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        let timeouts = [
            self.link.timeout(),
            self.tuning.timeout(),
            self.place.timeout(),
            self.button.timeout(),
            self.open_timeout(),
            self.memory.timeout(),
            self.playout.timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.link.handle_timeout(now, &mut self.out) {
            self.link_down();
        }
        self.tuning.handle_timeout(self.link.is_up(), now, &mut self.out);
        self.place.handle_timeout(now, &mut self.out);
        let missing = self.missing();
        self.button.handle_timeout(missing, now, &mut self.out);
        if self.open_timeout().is_some_and(|due| now >= due) {
            let lost = self.receiver.handle_timeout(now);
            self.tell_ended(lost);
        }
        self.memory.forget(now, &mut self.out);
        self.playout.handle_timeout(now, &mut self.out);
    }

    /// What to play next on `channel`; the time it takes is in the answer.
    pub fn pull(&mut self, channel: &ChannelId, now: Time) -> Sound {
        self.playout.pull(channel, now, &mut self.out)
    }

    /// True while the burst can be said again.
    pub fn remembers(&self, heard: HeardNo) -> bool {
        self.memory.recall(heard).is_some()
    }

    fn message(&mut self, message: ServerMessage, now: Time) {
        self.link.alive(now);
        match message {
            ServerMessage::Welcome {
                you,
                resume,
                resumed,
                tuned,
                hold_ms,
                talk_limit_ms,
                epoch_in_ms,
                host,
                server: _,
                limits: _,
            } => {
                if self.link.welcomed(resume, now) {
                    let (hold, talk_limit) = (millis(hold_ms), millis(talk_limit_ms));
                    self.receiver.told(hold, talk_limit);
                    let link = LinkState::OnTheAir { you, resumed, hold, talk_limit, host };
                    self.event(Event::Link(link));
                    self.link_up(resumed, &tuned, millis(epoch_in_ms), now);
                }
            }
            ServerMessage::Tuned { info, participants, pages } => {
                self.tuning.tuned(&info.channel);
                // It was sent before the server knew that this client left the channel.
                if self.tuning.wants(&info.channel) {
                    self.event(Event::Tuned { info, participants, pages });
                }
            }
            ServerMessage::Untuned { channel } => {
                if self.tuning.untuned(&channel) {
                    self.left(&channel);
                }
            }
            ServerMessage::Presence { channel, count, joined, left, changed }
                if self.tuning.wants(&channel) =>
            {
                self.event(Event::Presence { channel, count, joined, left, changed });
            }
            ServerMessage::Participants { channel, page, pages, count, participants }
                if self.tuning.wants(&channel) =>
            {
                self.event(Event::Participants { channel, page, pages, count, participants });
            }
            ServerMessage::BurstGranted { burst, talk_limit_ms } if self.button.is_due(burst) => {
                self.event(Event::Granted { burst, talk_limit: millis(talk_limit_ms) });
            }
            ServerMessage::OthersWait { burst, others, limit_in_ms } if self.button.is_due(burst) => {
                self.event(Event::OthersWait { burst, others, limit: millis(limit_in_ms) });
            }
            ServerMessage::Presence { .. } | ServerMessage::Participants { .. } => {}
            ServerMessage::BurstGranted { .. }
            | ServerMessage::OthersWait { .. }
            | ServerMessage::Pong { .. } => {}
            ServerMessage::Receipt { burst, late: true, outcome } => {
                self.out.push_back(Output::Event(Event::LateReceipt { burst, outcome }));
            }
            ServerMessage::Receipt { burst, late: false, outcome } => {
                self.button.receipt(burst, outcome, &mut self.out);
            }
            ServerMessage::BurstStarted { burst, channel, talker, codec: _, frame_ms, grade, bundle } => {
                let pace = Pace::live(frame_ms, bundle, self.economy);
                self.started(burst, channel, talker, pace, grade, now);
            }
            ServerMessage::BurstGap { burst, from, to } => {
                let gap = self.receiver.gap(burst, from, to, now);
                self.tell_gap(gap);
            }
            ServerMessage::BurstEnded { burst, frames, reason } => {
                if let Some((gap, ended)) = self.receiver.ended(burst, frames, reason) {
                    self.tell_gap(gap);
                    self.tell_ended(vec![ended]);
                }
            }
            ServerMessage::Error { refusal } => {
                self.place.refused(&refusal, now, &mut self.out);
                let event = self.tuning.refused(refusal, now);
                event.into_iter().for_each(|event| self.event(event));
                self.let_go(now);
            }
            ServerMessage::Located { shared, country, stamp, effective_in_ms } => {
                let effective_in = effective_in_ms.map(millis);
                self.event(Event::Located { shared, country, effective_in });
                self.place.located(shared, stamp, effective_in.is_some(), now, &mut self.out);
                self.let_go(now);
            }
            ServerMessage::Ranged { tx, rx } => self.ranged(Ranges { tx, rx }, now),
            ServerMessage::Island { alone } => self.event(Event::Island { alone }),
            ServerMessage::GoingAway { back_in_ms } => self.link.going_away(millis(back_in_ms)),
        }
    }

    fn link_up(&mut self, resumed: bool, tuned: &[ChannelId], epoch_in: Duration, now: Time) {
        let lost = self.receiver.link_up(resumed, now);
        self.tell_ended(lost);
        self.tuning.link_up(tuned, &mut self.out);
        self.place.welcomed(epoch_in, now, &mut self.out);
        self.let_go(now);
    }

    fn link_down(&mut self) {
        self.place.closed();
        self.button.link_down(&mut self.out);
        if self.link.is_gone() {
            self.button.stop_waiting(Code::LinkLost, &mut self.out);
            let lost = self.receiver.lose_all();
            self.tell_ended(lost);
        }
    }

    fn started(
        &mut self,
        burst: BurstNo,
        channel: ChannelId,
        talker: Participant,
        pace: Pace,
        grade: Option<SignalGrade>,
        now: Time,
    ) {
        let frame_ms = pace.frame_ms;
        if !self.tuning.wants(&channel) {
            return;
        }
        let Some(heard) = self.receiver.started(burst, channel.clone(), frame_ms, now) else { return };
        if self.plays {
            let whose = (heard, talker.person.tag);
            self.playout.open(&channel, whose, pace, &mut self.out);
            self.memory.open(whose, channel.clone(), frame_ms, now);
            self.memory.forget(now, &mut self.out);
        }
        self.event(Event::BurstStarted { heard, burst, channel, talker, frame_ms, grade });
    }

    fn voice(&mut self, bytes: &[u8], now: Time) {
        self.link.alive(now);
        let Ok(frame) = VoiceFrame::parse(bytes) else { return };
        let Some(taken) = self.receiver.voice(&frame, now) else { return };
        let (heard, seq, at, payload) = (taken.heard, frame.seq, taken.at, Payload::new(frame.payload));
        self.tell_gap(taken.gap);
        if self.plays {
            self.memory.push(heard, (seq, at, payload.clone()), now);
            self.memory.forget(now, &mut self.out);
            self.playout.push(&taken.channel, heard, (seq, at, payload.clone()), now);
        }
        self.event(Event::Voice { heard, seq, media_time: at, payload });
    }

    fn say_again(&mut self, heard: HeardNo, now: Time) {
        if let Some(burst) = self.memory.recall(heard) {
            self.playout.again(burst, now, &mut self.out);
        }
    }

    /// The radio is no longer tuned to `channel`.
    fn left(&mut self, channel: &ChannelId) {
        let ended = self.receiver.untuned(channel);
        self.tell_ended(ended);
        self.playout.drop_channel(channel);
        self.event(Event::Untuned { channel: channel.clone() });
    }

    /// Bursts may be open only while the link is up, or may still be resumed.
    fn open_timeout(&self) -> Option<Time> {
        self.receiver.timeout().filter(|_| self.link.is_up())
    }

    fn ask(&mut self, message: ClientMessage) {
        if self.link.is_up() {
            self.out.push_back(Output::Send(message));
        }
    }

    fn tell_gap(&mut self, gap: Option<Gap>) {
        if let Some(Gap { heard, from, to }) = gap {
            self.event(Event::Gap { heard, from, to });
        }
    }

    fn tell_ended(&mut self, bursts: Vec<Ended>) {
        for Ended { heard, channel, received, lost, reason } in bursts {
            self.playout.end(&channel, heard);
            self.event(Event::BurstEnded { heard, received, lost, reason });
        }
    }

    fn event(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}
