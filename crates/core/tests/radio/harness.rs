//! A radio on a harness: the test is its server, its hand and its clock.

use std::time::Duration;

use tenfour_core::radio::{Config, Event, HeardNo, Input, Output, Radio, Sound};
use tenfour_core::{Time, mutant};
use tenfour_protocol::control::{ChannelInfo, Codec, EndReason, FrameTime, Outcome};
use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, Code, Handle, Participant, ParticipantNo, Person, Refusal,
    ServerMessage, UserId, VoiceFrame,
};

pub(crate) struct Harness {
    pub(crate) radio: Radio,
    pub(crate) now: Time,
    /// The radio has asked for a connection that is not open yet.
    asks: bool,
}

impl Harness {
    /// A radio that has just been switched on.
    pub(crate) fn new(seed: u64) -> (Self, Vec<Output>) {
        Self::with(Config { seed, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> (Self, Vec<Output>) {
        let config = broken(Config { client: "harness 1".into(), playout: true, ..config });
        let mut harness = Self { radio: Radio::new(config, Time::ZERO), now: Time::ZERO, asks: false };
        let first = harness.drain();
        (harness, first)
    }

    /// On the air and tuned to channel 19.
    pub(crate) fn on_the_air() -> Self {
        let (mut harness, _) = Self::new(1);
        harness.give(Input::Tune { channel: ch("19"), catch_up: false });
        harness.give(Input::Opened);
        harness.say(welcome(false, &[]));
        harness.say(tuned("19"));
        harness
    }

    pub(crate) fn drain(&mut self) -> Vec<Output> {
        let out: Vec<_> = std::iter::from_fn(|| self.radio.poll()).collect();
        self.asks |= out.contains(&Output::Connect);
        out
    }

    pub(crate) fn give(&mut self, input: Input) -> Vec<Output> {
        self.radio.handle(input, self.now);
        self.drain()
    }

    /// The server says something.
    pub(crate) fn say(&mut self, message: ServerMessage) -> Vec<Output> {
        self.give(Input::Message(message))
    }

    /// Lets time pass, waking the radio whenever it wants.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Output> {
        let end = self.now + time;
        let mut out = Vec::new();
        while let Some(due) = self.radio.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.radio.handle_timeout(self.now);
            out.extend(self.drain());
        }
        self.now = end;
        out
    }

    pub(crate) fn drop_link(&mut self) -> Vec<Output> {
        self.asks = false;
        self.give(Input::Closed { refusal: None })
    }

    /// Waits until the radio asks for a connection, and opens it. What it says then.
    pub(crate) fn reconnect(&mut self) -> Vec<Output> {
        if !self.asks {
            self.pass(Duration::from_secs(1));
        }
        assert!(std::mem::take(&mut self.asks), "no connection is asked for");
        self.give(Input::Opened)
    }

    /// Whether the radio has asked for a connection that is not open yet.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    pub(crate) fn press(&mut self) -> Vec<Output> {
        self.give(Input::Press { channel: ch("19"), frame_ms: FrameTime::Ms20 })
    }

    /// The `n`th frame of the microphone.
    pub(crate) fn speak(&mut self, n: u32) -> Vec<Output> {
        self.give(Input::Frame { media_time: n * 960, payload: vec![8, n as u8] })
    }

    /// The server announces a burst.
    pub(crate) fn start(&mut self, burst: u32) -> Vec<Output> {
        self.say(started(burst, "19"))
    }

    /// The same in a channel so large that frames come `frames` at once.
    pub(crate) fn start_bundled(&mut self, burst: u32, frames: u8) -> Vec<Output> {
        let mut message = started(burst, "19");
        if let ServerMessage::BurstStarted { bundle, .. } = &mut message {
            *bundle = Some(frames);
        }
        self.say(message)
    }

    /// Frame `seq` of a burst comes.
    pub(crate) fn hear(&mut self, burst: u32, seq: u16) -> Vec<Output> {
        self.hear_at(burst, seq, u32::from(seq) * 960, 40)
    }

    pub(crate) fn hear_at(&mut self, burst: u32, seq: u16, media_time: u32, bytes: usize) -> Vec<Output> {
        let payload = vec![seq as u8; bytes];
        let frame = VoiceFrame { burst: BurstNo(burst), seq, media_time, last: false, payload: &payload };
        self.give(Input::Voice(frame.to_bytes()))
    }

    pub(crate) fn end(&mut self, burst: u32, frames: u32) -> Vec<Output> {
        self.say(ServerMessage::BurstEnded { burst: BurstNo(burst), frames, reason: EndReason::Released })
    }

    pub(crate) fn pull(&mut self) -> (Sound, Vec<Output>) {
        let sound = self.radio.pull(&ch("19"), self.now);
        (sound, self.drain())
    }

    /// Plays for `time`: a letter for each pull. Digits are the first byte of a frame modulo 10,
    /// `~` is concealment, `.` silence within a burst and `_` a quiet channel.
    pub(crate) fn play(&mut self, time: Duration) -> String {
        let end = self.now + time;
        let mut heard = String::new();
        while self.now < end {
            let (sound, _) = self.pull();
            heard.push(letter(&sound));
            self.now += Duration::from_micros(u64::from(sound.samples) * 1000 / 48);
        }
        heard
    }
}

/// What the environment asks to be broken: a test must notice.
#[cfg(feature = "mutants")]
pub(crate) fn mutants() -> tenfour_core::mutants::Mutants {
    use tenfour_core::mutants::{Mutants, VARIABLE};
    let named = std::env::var_os(VARIABLE);
    Mutants::of_process(named.as_ref().and_then(|named| named.to_str()))
}

pub(crate) fn letter(sound: &Sound) -> char {
    use tenfour_core::radio::SoundKind;
    match (&sound.kind, sound.heard) {
        (SoundKind::Frame(payload), _) => char::from(b'0' + payload[0] % 10),
        (SoundKind::Conceal, _) => '~',
        (SoundKind::Silence, Some(_)) => '.',
        (SoundKind::Silence, None) => '_',
    }
}

pub(crate) fn events(out: &[Output]) -> Vec<&Event> {
    out.iter().filter_map(|o| if let Output::Event(event) = o { Some(event) } else { None }).collect()
}

pub(crate) fn sent(out: &[Output]) -> Vec<&ClientMessage> {
    out.iter().filter_map(|o| if let Output::Send(message) = o { Some(message) } else { None }).collect()
}

/// Sequence numbers of the voice frames sent.
pub(crate) fn voice_sent(out: &[Output]) -> Vec<u16> {
    out.iter()
        .filter_map(|o| if let Output::SendVoice(bytes) = o { Some(bytes) } else { None })
        .map(|bytes| VoiceFrame::parse(bytes).expect("a frame").seq)
        .collect()
}

/// Sequence numbers heard.
pub(crate) fn heard(out: &[Output]) -> Vec<u16> {
    events(out)
        .into_iter()
        .filter_map(|event| if let Event::Voice { seq, .. } = event { Some(*seq) } else { None })
        .collect()
}

/// Receipts: the burst, and the code when it was refused.
pub(crate) fn receipts(out: &[Output]) -> Vec<(u32, Option<Code>)> {
    let receipt = |event: &&Event| match event {
        Event::Receipt { burst, outcome: Outcome::Aired { .. } } => Some((burst.0, None)),
        Event::Receipt { burst, outcome: Outcome::Refused { refusal } } => {
            Some((burst.0, Some(refusal.code)))
        }
        _ => None,
    };
    events(out).iter().filter_map(receipt).collect()
}

pub(crate) fn aired(burst: u32, frames: u32, ended: EndReason) -> ServerMessage {
    let outcome = Outcome::Aired { frames, ended, dropped: None };
    ServerMessage::Receipt { burst: BurstNo(burst), late: false, outcome }
}

pub(crate) fn refused(burst: u32, code: Code) -> ServerMessage {
    let outcome = Outcome::Refused { refusal: code.into() };
    ServerMessage::Receipt { burst: BurstNo(burst), late: false, outcome }
}

pub(crate) fn started(burst: u32, channel: &str) -> ServerMessage {
    ServerMessage::BurstStarted {
        burst: BurstNo(burst),
        channel: ch(channel),
        talker: person(7),
        codec: Codec::Opus,
        frame_ms: FrameTime::Ms20,
        grade: None,
        bundle: None,
    }
}

pub(crate) fn welcome(resumed: bool, tuned: &[&str]) -> ServerMessage {
    welcome_before(300_000, resumed, tuned)
}

/// With the time to the next boundary.
pub(crate) fn welcome_before(epoch_in_ms: u32, resumed: bool, tuned: &[&str]) -> ServerMessage {
    ServerMessage::Welcome {
        you: person(1),
        resume: "token".into(),
        resumed,
        tuned: tuned.iter().map(|channel| ch(channel)).collect(),
        hold_ms: 10_000,
        talk_limit_ms: 60_000,
        limits: tenfour_protocol::control::AirLimits::default(),
        epoch_in_ms,
        host: "Harness".into(),
        server: "test".into(),
    }
}

pub(crate) fn tuned(channel: &str) -> ServerMessage {
    let info = ChannelInfo { channel: ch(channel), label: None, count: 1 };
    ServerMessage::Tuned { info, participants: vec![person(1)], pages: 1 }
}

pub(crate) fn error(code: Code) -> ServerMessage {
    ServerMessage::Error { refusal: code.into() }
}

pub(crate) fn closed(code: Code) -> Input {
    Input::Closed { refusal: Some(Refusal::from(code)) }
}

pub(crate) fn ch(text: &str) -> ChannelId {
    text.parse().expect("a channel")
}

pub(crate) fn person(n: u8) -> Participant {
    let tag = UserId::of_key(&[n; 32]).tag();
    let person = Person {
        handle: Handle::parse(&format!("Person {n}")).expect("a handle"),
        tag,
        description: None,
        country: None,
    };
    Participant { id: ParticipantNo(n.into()), person }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn no(n: u32) -> HeardNo {
    HeardNo(n)
}

fn broken(config: Config) -> Config {
    mutant!(let config = Config { mutants: mutants(), ..config });
    config
}
