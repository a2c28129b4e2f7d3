//! The link: connect, greet, notice that it is dead, come back.

use std::collections::VecDeque;
use std::time::Duration;

use tenfour_protocol::control::Resume;
use tenfour_protocol::{ClientMessage, Code, Device, Refusal, limits::HANDSHAKE};

use super::limits::{BACK_OFF_FIRST, BACK_OFF_LONGEST, CONNECT_TIMEOUT, DEAD_TIME, QUIET_TIME, STEADY_TIME};
use super::place::Whereabouts;
use super::{Config, Event, LinkState, Output};
use crate::Time;

pub(super) struct Link {
    client: String,
    device: Option<Device>,
    economy: bool,
    hear_self: bool,
    state: State,
    /// Failed tries since the link last was steady.
    failed: u32,
    shares: Shares,
    token: Option<String>,
    /// The server said before that it would close.
    back_in: Option<Duration>,
}

#[derive(Clone, Copy)]
enum State {
    Connecting { until: Time },
    Greeting { until: Time },
    Up { since: Time, alive: Time, asked: bool },
    Down { retry: Time },
    Gone,
}

impl Link {
    pub(super) fn new(config: &Config, now: Time, out: &mut VecDeque<Output>) -> Self {
        let mut link = Self {
            client: config.client.clone(),
            device: config.device.clone(),
            economy: config.economy,
            hear_self: config.hear_self,
            state: State::Gone,
            failed: 0,
            shares: Shares(config.seed),
            token: None,
            back_in: None,
        };
        link.connect(now, out);
        link
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    /// The connection is open: `resume` says what was heard so far.
    pub(super) fn opened(
        &mut self,
        resume: impl FnOnce(String) -> Resume,
        whereabouts: &mut Whereabouts,
        now: Time,
    ) -> Option<Output> {
        let State::Connecting { .. } = self.state else { return None };
        self.state = State::Greeting { until: now + HANDSHAKE };
        // Kept until the next welcome: this connection may end before it.
        let resume = self.token.clone().map(resume);
        let (client, economy, hear_self) = (self.client.clone(), self.economy, self.hear_self);
        let (place, range) = whereabouts.hello(now);
        let device = self.device.clone().map(Box::new);
        Some(Output::Send(ClientMessage::Hello { client, resume, economy, hear_self, place, range, device }))
    }

    /// Returns whether the link was waiting for this welcome.
    pub(super) fn welcomed(&mut self, token: String, now: Time) -> bool {
        let State::Greeting { .. } = self.state else { return false };
        self.state = State::Up { since: now, alive: now, asked: false };
        self.token = Some(token);
        true
    }

    /// Something came.
    pub(super) fn alive(&mut self, now: Time) {
        if let State::Up { alive, asked, .. } = &mut self.state {
            (*alive, *asked) = (now, false);
        }
    }

    pub(super) fn going_away(&mut self, back_in: Duration) {
        self.back_in = Some(back_in);
    }

    /// The connection ended. Returns whether there was one.
    pub(super) fn closed(&mut self, refusal: Option<Refusal>, now: Time, out: &mut VecDeque<Output>) -> bool {
        match self.state {
            State::Down { .. } | State::Gone => return false,
            State::Up { since, .. } if now.since(since) >= STEADY_TIME => self.failed = 0,
            State::Up { .. } | State::Connecting { .. } | State::Greeting { .. } => {}
        }
        if let Some(refusal) = refusal.as_ref().filter(|refusal| is_final(refusal.code)) {
            self.give_up(refusal.clone(), out);
            return true;
        }
        let going_away = self.back_in.is_some();
        let at = now + self.wait(refusal.as_ref());
        self.state = State::Down { retry: at };
        out.push_back(Output::Event(Event::Link(LinkState::ComingBack { at, going_away, refusal })));
        true
    }

    /// Tries now.
    pub(super) fn retry(&mut self, now: Time, out: &mut VecDeque<Output>) {
        if matches!(self.state, State::Down { .. } | State::Gone) {
            self.connect(now, out);
        }
    }

    pub(super) fn timeout(&self) -> Option<Time> {
        match self.state {
            State::Connecting { until } | State::Greeting { until } => Some(until),
            State::Up { alive, asked, .. } => Some(alive + if asked { DEAD_TIME } else { QUIET_TIME }),
            State::Down { retry } => Some(retry),
            State::Gone => None,
        }
    }

    /// Returns whether the connection was given up.
    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut VecDeque<Output>) -> bool {
        if self.timeout().is_none_or(|due| now < due) {
            return false;
        }
        match &mut self.state {
            State::Gone => false,
            State::Down { .. } => {
                self.connect(now, out);
                false
            }
            State::Up { asked, .. } if !*asked => {
                *asked = true;
                out.push_back(Output::Send(ClientMessage::Ping { n: 0 }));
                false
            }
            State::Up { .. } | State::Connecting { .. } | State::Greeting { .. } => {
                out.push_back(Output::Close);
                self.closed(None, now, out)
            }
        }
    }

    fn connect(&mut self, now: Time, out: &mut VecDeque<Output>) {
        self.state = State::Connecting { until: now + CONNECT_TIMEOUT };
        out.push_back(Output::Event(Event::Link(LinkState::Connecting)));
        out.push_back(Output::Connect);
    }

    fn give_up(&mut self, refusal: Refusal, out: &mut VecDeque<Output>) {
        self.state = State::Gone;
        self.token = None;
        self.back_in = None;
        out.push_back(Output::Event(Event::Link(LinkState::Gone { refusal })));
    }

    /// How long to wait before the next try.
    fn wait(&mut self, refusal: Option<&Refusal>) -> Duration {
        if let Some(back_in) = self.back_in.take() {
            self.failed = 0;
            return back_in + self.shares.of(back_in);
        }
        let doubled = BACK_OFF_FIRST * 2u32.pow(self.failed.min(6));
        self.failed = self.failed.saturating_add(1);
        let half = doubled.min(BACK_OFF_LONGEST) / 2;
        let told = refusal.and_then(|r| r.retry_after_ms).unwrap_or(0);
        (half + self.shares.of(half)).max(Duration::from_millis(told.into()))
    }
}

/// Codes after which it is useless to try again without the person.
fn is_final(code: Code) -> bool {
    match code {
        Code::NotLoggedIn
        | Code::LoggedOut
        | Code::Erased
        | Code::ForeignOrigin
        | Code::UnknownSubprotocol
        | Code::UpgradeExpected
        | Code::BadSignature
        | Code::NotRegistered
        | Code::Replaced
        | Code::Displaced
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Unsupported => true,
        Code::MalformedMessage
        | Code::MessageTooLarge
        | Code::MalformedFrame
        | Code::HelloExpected
        | Code::AlreadyGreeted
        | Code::TooManyMessages
        | Code::TooMuchVoice
        | Code::UnknownChannel
        | Code::NotTuned
        | Code::ChannelFull
        | Code::TooManyChannels
        | Code::NoRoomForChannel
        | Code::ChannelBusy
        | Code::Resting
        | Code::SpeechSpent
        | Code::AlreadyTalking
        | Code::BurstNumberUsed
        | Code::NoVoice
        | Code::UnknownParticipant
        | Code::TooManyMuted
        | Code::CellRefused
        | Code::LocationNeeded
        | Code::TooManyMoves
        | Code::NonceExpired
        | Code::WorkNeeded
        | Code::AlreadyRegistered
        | Code::HandleRefused
        | Code::DescriptionRefused
        | Code::ContactRefused
        | Code::TooManyContacts
        | Code::InboxFull
        | Code::ServerFull
        | Code::TooManyRequests
        | Code::StoreUnavailable
        | Code::Stalled
        | Code::GoingAway
        | Code::LinkLost
        | Code::TalkLimit => false,
    }
}

/// Random shares from the shell's seed, so that clients do not all come back at once: `SplitMix64`.
struct Shares(u64);

impl Shares {
    /// From nothing to all of `whole`.
    fn of(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandths = u32::try_from((z ^ (z >> 31)) % 1001).expect("at most 1000");
        whole * thousandths / 1000
    }
}
