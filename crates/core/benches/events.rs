//! How many control events the hub handles in a second, on one core.
//!
//! `cargo bench -p tenfour-core --bench events` prints JSON lines: all kinds together, then each
//! alone. An event is one input and its drained orders; timers are in the time too.
//! 10,000 participants are spread over 1,000 channels.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark reads the clock")]

use std::time::{Duration, Instant};

use tenfour_core::hub::{Hub, HubConfig, Input, LoginId, ResumeToken};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Codec, EndReason, FrameTime};
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, Handle, ParticipantNo, Person, UserId};

const PARTICIPANTS: u64 = 10_000;
const CHANNELS: u64 = 1_000;
/// Everybody does the same once in a round.
const ROUNDS: u32 = 50;
/// Between two rounds: everybody keeps within the budget of control messages.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A press, admitted, and its end.
    Press,
    /// Mute, and unmute in the next round.
    Mute,
    /// Leaves the channel and comes back.
    Tune,
    Ping,
}

const KINDS: [Kind; 4] = [Kind::Press, Kind::Mute, Kind::Tune, Kind::Ping];

fn main() {
    report("all", |conn| KINDS[conn as usize % KINDS.len()]);
    for kind in KINDS {
        report(&format!("{kind:?}").to_lowercase(), |_| kind);
    }
}

fn report(name: &str, kind: impl Fn(u64) -> Kind) {
    let mut hub = Hub::new(HubConfig::default());
    let mut now = Time::from_micros(1_000_000);
    for number in 1..=PARTICIPANTS {
        join(&mut hub, number, now);
    }
    let (mut events, mut took) = (0, Duration::ZERO);
    for round in 1..=ROUNDS {
        now += PAUSE;
        let inputs: Vec<_> = (1..=PARTICIPANTS).flat_map(|conn| inputs(kind(conn), conn, round)).collect();
        events += inputs.len();
        let start = Instant::now();
        hub.handle_timeout(now);
        drain(&mut hub);
        for input in inputs {
            hub.handle(input, now);
            drain(&mut hub);
        }
        took += start.elapsed();
    }
    let second = events as f64 / took.as_secs_f64();
    println!(
        "{{\"kind\":\"{name}\",\"participants\":{PARTICIPANTS},\"channels\":{CHANNELS},\"events\":{events},\
         \"events_per_second\":{second:.0}}}"
    );
}

fn inputs(kind: Kind, number: u64, round: u32) -> Vec<Input> {
    let conn = ConnId(number);
    let message = |message| Input::Message { conn, message };
    let channel = channel(number);
    match kind {
        Kind::Press => {
            let (burst, local, reason) = (BurstNo(round), BurstNo(round), EndReason::Released);
            let start =
                ClientMessage::BurstStart { channel, burst, codec: Codec::Opus, frame_ms: FrameTime::Ms20 };
            vec![message(start), Input::BurstClosed { conn, local, frames: 1, dropped: None, reason }]
        }
        Kind::Mute => {
            let participant = ParticipantNo((number % PARTICIPANTS) as u32 + 1);
            vec![message(ClientMessage::Mute { participant, muted: round % 2 == 1 })]
        }
        Kind::Tune => {
            let untune = ClientMessage::Untune { channel: channel.clone() };
            vec![message(untune), message(ClientMessage::Tune { channel, catch_up: false })]
        }
        Kind::Ping => vec![message(ClientMessage::Ping { n: round })],
    }
}

fn join(hub: &mut Hub, number: u64, now: Time) {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let user = UserId::of_key(&key);
    let handle = Handle::parse(&format!("Listener {number}")).expect("a handle");
    let person = Person { handle, tag: user.tag(), description: None, country: None };
    let (conn, login) = (ConnId(number), LoginId(number));
    hub.handle(Input::Connected { conn, login, user, address: None, person, token: ResumeToken(key) }, now);
    let client = "bench 1".into();
    let hello = ClientMessage::Hello {
        client,
        resume: None,
        economy: false,
        hear_self: false,
        place: None,
        range: None,
        device: None,
    };
    hub.handle(Input::Message { conn, message: hello }, now);
    let tune = ClientMessage::Tune { channel: channel(number), catch_up: false };
    hub.handle(Input::Message { conn, message: tune }, now);
    drain(hub);
}

fn channel(number: u64) -> ChannelId {
    format!("bench-{}", number % CHANNELS).parse().expect("a channel")
}

fn drain(hub: &mut Hub) {
    while let Some(output) = hub.poll() {
        std::hint::black_box(output);
    }
}
