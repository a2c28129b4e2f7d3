//! What does not come whole, or comes whole and then nothing: presses whose talker only answers pings, frames,
//! messages and records that stop in the middle, what is garbled and what is against the rules. None of it is
//! in the server's memory a second after the hold, though the sockets are open; and what cannot become whole
//! any more takes its connection along.

use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use tenfour_protocol::limits::{CONTROL_BYTES, VOICE_PAYLOAD_BYTES};

use crate::canary::{Canaries, start};
use crate::forms::{Position, cell_needles};
use crate::line::{Mode, PIECE};
use crate::search::{Found, Needle, Search};
use crate::server::{Server, Setup};
use crate::socket::{
    Account, BINARY, CONTINUATION, FINAL_BINARY, FINAL_CONTINUATION, FINAL_TEXT, Hello, PING, Socket, TEXT,
    frame, voice,
};
use crate::table::{Row, in_every_mode};

/// A search that begins so long after the hold, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);
/// Frames of a pre-roll: a second.
const PRE_ROLL: u16 = 50;
/// Talkers that do not come to an end say something this often.
const OFTEN: Duration = Duration::from_millis(100);
/// Who has one input has secrets with numbers from here on.
const SECRETS: usize = 1_000_000;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    /// A press and its pre-roll in one packet. After that pings only, and new keys where TLS has them.
    PreRoll,
    /// A press, frames and half a frame. After that nothing.
    HalfFrame,
    /// The same, and a byte of the frame now and then.
    SlowFrame,
    /// A frame of voice in fragments, of which the last never comes. Pings stand between them.
    Fragments,
    /// Half a record of frames. After that nothing.
    HalfRecord,
    /// The same, and a byte of the record now and then.
    SlowRecord,
    /// A record of frames, and behind it one whose code of authentication is garbled.
    GarbledRecord,
    /// Frames and half a frame; then neither program nor kernel of the talker is heard of again.
    Tunnel,
    /// A frame, and behind it what is against the rules.
    Nonsense,
    /// The beginning of a frame that is too large.
    TooLarge,
    /// Half a message that has a cell in it.
    HalfText,
    /// The same in fragments, with pings between them.
    TextFragments,
    /// Half a hello that has a cell in it.
    HalfHello,
}

use Input::{
    Fragments, GarbledRecord, HalfFrame, HalfHello, HalfRecord, HalfText, Nonsense, PreRoll, SlowFrame,
    SlowRecord, TextFragments, TooLarge, Tunnel,
};

impl Input {
    const ALL: [Self; 13] = [
        PreRoll,
        HalfFrame,
        SlowFrame,
        Fragments,
        HalfRecord,
        SlowRecord,
        GarbledRecord,
        Tunnel,
        Nonsense,
        TooLarge,
        HalfText,
        TextFragments,
        HalfHello,
    ];

    fn name(self) -> &'static str {
        match self {
            PreRoll => "pre-roll in one packet, then pings",
            HalfFrame => "half a frame, then nothing",
            SlowFrame => "half a frame, a byte now and then",
            Fragments => "fragments without a last, pings",
            HalfRecord => "half a record, then nothing",
            SlowRecord => "half a record, a byte now and then",
            GarbledRecord => "a garbled record behind a good one",
            Tunnel => "half a frame, then a tunnel",
            Nonsense => "a frame, then against the rules",
            TooLarge => "a frame that is too large",
            HalfText => "half a message with a cell",
            TextFragments => "a message in fragments, pings",
            HalfHello => "half a hello with a cell",
        }
    }

    /// Whether there is such a thing.
    fn is_in(self, mode: Mode) -> bool {
        mode.is_secure() || !matches!(self, HalfRecord | SlowRecord | GarbledRecord)
    }

    /// Whether the server has it in a form that is looked for while it waits for more.
    fn is_held(self) -> bool {
        !matches!(self, HalfRecord | SlowRecord | GarbledRecord | Nonsense | TooLarge)
    }

    /// Whether the connection stays, because what came of it was whole. Of one in a tunnel that is not told.
    fn stays(self) -> Option<bool> {
        (self != Tunnel).then_some(self == PreRoll)
    }
}

/// How much is done.
struct Plan {
    hold: Duration,
    /// Talkers with each kind of input.
    talkers: usize,
}

#[test]
fn what_never_comes_whole_is_gone_a_second_after_its_hold_though_its_socket_is_open() {
    let plan = Plan { hold: Duration::from_secs(2), talkers: 2 };
    in_every_mode("What does not come whole, a second after its hold", |mode| look(&plan, mode));
}

/// At length: `cargo xtask canary`.
#[test]
#[ignore = "takes long: cargo xtask canary"]
fn at_length() {
    let plan = Plan { hold: Duration::from_secs(10), talkers: 20 };
    in_every_mode("What does not come whole, a second after its hold", |mode| look(&plan, mode));
}

fn look(plan: &Plan, mode: Mode) -> Vec<Row> {
    let hold = format!("{}s", plan.hold.as_secs());
    let server =
        Server::start_with(mode, Setup { variables: &[("TENFOUR_HOLD", &hold)], ..Setup::default() });
    let mut rng = Rng::with_seed(0xa2);
    let inputs: Vec<_> = Input::ALL.into_iter().filter(|input| input.is_in(mode)).collect();
    let (mut talkers, mut needles) = (Vec::new(), Vec::new());
    for number in 0..plan.talkers {
        for (kind, input) in inputs.iter().enumerate() {
            let channel = u32::try_from((number * inputs.len() + kind) % 40 + 1).expect("a channel");
            let first = SECRETS * kind + 100 * number;
            talkers.push(Talker::begin(*input, &server, channel, first, &mut rng, &mut needles));
        }
    }
    let last = Instant::now();
    let search = Search::new(needles.iter().cloned());
    let held = search.process(server.pid());
    for (kind, input) in inputs.iter().enumerate().filter(|(_, input)| input.is_held()) {
        assert!(held.hits.iter().any(|hit| hit.owner / SECRETS == kind), "{input:?} is somewhere: {mode:?}");
    }
    while last.elapsed() < plan.hold + PROMISE {
        talkers.iter_mut().for_each(Talker::go_on);
        std::thread::sleep(OFTEN);
    }
    let mut left = search.process(server.pid());
    left.add(search.bytes("log", &server.log()));
    rows(mode, &inputs, &needles, &left, talkers)
}

/// One for each kind of input, and two of the connections.
fn rows(mode: Mode, inputs: &[Input], needles: &[Needle], left: &Found, talkers: Vec<Talker>) -> Vec<Row> {
    let bytes = left.bytes;
    let mut rows: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(kind, input)| {
            let mut owners: Vec<_> = needles.iter().map(|needle| needle.owner).collect();
            owners.retain(|owner| owner / SECRETS == kind);
            owners.dedup();
            let hits = left.hits.iter().filter(|hit| hit.owner / SECRETS == kind).cloned().collect();
            Row::new(mode, input.name(), owners.len(), &Found { bytes, hits })
        })
        .collect();
    let (mut cut, mut wait) = ([0; 2], [0; 2]);
    for Talker { input, mut socket } in talkers {
        match input.stays() {
            Some(true) => cut = [cut[0] + 1, cut[1] + usize::from(!socket.is_alive())],
            Some(false) => wait = [wait[0] + 1, wait[1] + usize::from(!socket.is_over())],
            None => {}
        }
    }
    rows.push(Row::counted(mode, "connections cut that were whole", cut));
    rows.push(Row::counted(mode, "connections kept that cannot be", wait));
    rows
}

/// Somebody who says it.
struct Talker {
    input: Input,
    socket: Socket,
}

impl Talker {
    /// Sends it, and waits until the server has it where that can be known.
    fn begin(
        input: Input,
        server: &Server,
        channel: u32,
        first: usize,
        rng: &mut Rng,
        needles: &mut Vec<Needle>,
    ) -> Self {
        let account = Account::register(server.door(), rng, &format!("Talker {first}"));
        let mut socket = if input == HalfHello {
            Socket::upgraded(&account)
        } else {
            let mut socket = account.open(Hello::InTurn, &json!({}));
            socket.ask(&json!({ "type": "tune", "channel": channel.to_string() }), "tuned");
            socket
        };
        let cell = Position::random(rng).cell();
        let mut canaries = Canaries::new(rng, first);
        match input {
            HalfText | TextFragments | HalfHello => {
                send_text(input, &mut socket, &cell);
                needles.extend(cell_needles(first, &cell));
            }
            _ => {
                socket.write(FINAL_TEXT, start(1, channel).to_string().as_bytes());
                send_voice(input, &mut socket, &mut canaries);
                needles.append(&mut canaries.needles);
            }
        }
        match input {
            // The server says nothing to half a record, and to the others that it is over.
            HalfRecord | SlowRecord | GarbledRecord | Nonsense | TooLarge => {}
            Tunnel => {
                socket.await_pong();
                socket.hear_nothing();
            }
            _ => socket.await_pong(),
        }
        Self { input, socket }
    }

    /// What somebody says who does not come to an end. The server may have had enough.
    fn go_on(&mut self) {
        if self.input == PreRoll {
            self.socket.line.update_keys();
        }
        let more = match self.input {
            PreRoll => frame(PING, b""),
            Fragments | TextFragments => [frame(CONTINUATION, b" "), frame(PING, b"")].concat(),
            SlowFrame => vec![0],
            SlowRecord => return drop(self.socket.line.write_raw(&[0])),
            _ => return,
        };
        self.socket.try_send(&more).ok();
    }
}

/// A ping comes before what never ends: the answer to it tells that the rest was read with it.
fn send_voice(input: Input, socket: &mut Socket, canaries: &mut Canaries<'_>) {
    let ping = frame(PING, b"");
    let some = spoken(canaries, 0..10);
    let half = |whole: &[u8]| whole[..whole.len() - 8].to_vec();
    match input {
        PreRoll => socket.send_raw(&[some, spoken(canaries, 10..PRE_ROLL), ping].concat()),
        HalfFrame | Tunnel => socket.send_raw(&[some, ping, half(&spoken(canaries, 10..11))].concat()),
        SlowFrame => {
            // As long as a frame can be: at its pace it is never whole.
            let longest = [&canaries.payload()[..], &[0; VOICE_PAYLOAD_BYTES]].concat();
            let longest = frame(FINAL_BINARY, &voice(1, 10, &longest[..VOICE_PAYLOAD_BYTES]));
            socket.send_raw(&[some, ping, longest[..100].to_vec()].concat());
        }
        Fragments => {
            let message = voice(1, 10, &canaries.payload());
            let (one, two) = message.split_at(message.len() / 2);
            socket
                .send_raw(&[some, frame(BINARY, one), ping.clone(), frame(CONTINUATION, two), ping].concat());
        }
        HalfRecord | SlowRecord => {
            let sealed = socket.line.seal(&some);
            let half = &sealed[..sealed.len() / 2];
            // Who has the memory has the key to it.
            canaries.is_also("half a sealed record", &half[half.len() - PIECE..]);
            socket.line.write_raw(half).expect("the server reads");
        }
        GarbledRecord => {
            let good = socket.line.seal(&some);
            let mut bad = socket.line.seal(&spoken(canaries, 10..20));
            *bad.last_mut().expect("a record") ^= 1;
            socket.line.write_raw(&[good, bad].concat()).expect("the server reads");
        }
        Nonsense => {
            socket.send_raw(&[some, frame(FINAL_CONTINUATION | 0x3, &spoken(canaries, 10..11))].concat());
        }
        TooLarge => {
            let large = [spoken(canaries, 10..11), vec![0; CONTROL_BYTES]].concat();
            socket.send_raw(&[some, frame(FINAL_BINARY, &large)].concat());
        }
        HalfText | TextFragments | HalfHello => unreachable!("it is not voice"),
    }
}

/// These frames, as they are sent.
fn spoken(canaries: &mut Canaries<'_>, frames: std::ops::Range<u16>) -> Vec<u8> {
    frames.flat_map(|seq| frame(FINAL_BINARY, &voice(1, seq, &canaries.payload()))).collect()
}

fn send_text(input: Input, socket: &mut Socket, cell: &str) {
    let ping = frame(PING, b"");
    let message = match input {
        HalfHello => json!({ "client": "secrets 1", "place": { "cell": cell }, "type": "hello" }),
        _ => json!({ "cell": cell, "type": "locate" }),
    };
    let message = message.to_string();
    let (one, two) = message.split_at(message.find("type").expect("a type"));
    assert!(one.contains(cell), "{message} begins with the cell");
    let (one, two) = (one.as_bytes(), two.as_bytes());
    if input == TextFragments {
        socket.send_raw(&[frame(TEXT, one), ping.clone(), frame(CONTINUATION, &two[..2]), ping].concat());
    } else {
        let whole = frame(FINAL_TEXT, message.as_bytes());
        socket.send_raw(&[&ping, &whole[..whole.len() - two.len()]].concat());
    }
}
