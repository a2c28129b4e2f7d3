//! Voice is gone from the server in seconds: canaries are sent as voice, heard while they may be, and
//! looked for a second after their time, in memory, on the raw disk, in the log and in the kernel's
//! queues; plain and under TLS, where sealed records are looked for, too. `cargo xtask canary` does it at
//! length. What is not whole is in `unfinished.rs`.

use std::time::{Duration, Instant};

use crate::image::Image;
use crate::line::{Mode, PIECE};
use crate::queues::Queues;
use crate::search::{Found, Needle, Search};
use crate::server::Server;
use crate::socket::{Account, Hello, Socket};
use crate::table::{Row, in_every_mode};
use fastrand::Rng;
use serde_json::{Value, json};

/// CELT, 20 ms, one frame: what follows may be anything.
const TOC: u8 = 0x98;
/// Bytes of one canary.
const CANARY: usize = 32;
/// Bytes of a frame's payload: two canaries fit.
const PAYLOAD: usize = 80;
/// A search that begins so long after the hold, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);

/// How much is done.
struct Plan {
    hold: Duration,
    /// Talkers, each on a channel of its own.
    talkers: usize,
    /// Frames of one burst.
    frames: u16,
    /// Times that everybody talks.
    rounds: usize,
    /// Of each of the five kinds, on each channel.
    listeners: usize,
}

/// Forms of what is looked for.
const VOICE: &str = "voice";
const SEALED: &str = "sealed record";

/// What was found after the promise, wherever it was.
#[derive(Default)]
struct Tally {
    frames: usize,
    records: usize,
    left: Found,
}

#[test]
fn voice_is_gone_a_second_after_its_hold_whoever_has_not_taken_it() {
    let plan = Plan { hold: Duration::from_secs(2), talkers: 3, frames: 100, rounds: 1, listeners: 2 };
    in_every_mode("Voice, a second after its hold", |mode| fly(&plan, mode));
}

/// At length: `cargo xtask canary`.
#[test]
#[ignore = "takes minutes: cargo xtask canary"]
fn at_length() {
    let plan = Plan { hold: Duration::from_secs(10), talkers: 10, frames: 140, rounds: 6, listeners: 10 };
    in_every_mode("Voice, a second after its hold", |mode| fly(&plan, mode));
}

fn fly(plan: &Plan, mode: Mode) -> Vec<Row> {
    let image = Image::mount();
    let server = Server::start_in(mode, image.path(), &format!("{}s", plan.hold.as_secs()));
    let rng = Rng::with_seed(0xca4a);
    let mut flight = Flight { plan, server, image, rng, tally: Tally::default() };
    (0..plan.rounds).for_each(|round| flight.round(round));
    let Tally { frames, records, left } = flight.tally;
    let (voice, sealed): (Vec<_>, Vec<_>) = left.hits.into_iter().partition(|hit| hit.form != SEALED);
    let found = |hits| Found { bytes: left.bytes, hits };
    let mut rows = vec![Row::new(mode, VOICE, frames, &found(voice))];
    if mode.is_secure() {
        rows.push(Row::new(mode, SEALED, records, &found(sealed)));
    }
    rows
}

struct Flight<'a> {
    plan: &'a Plan,
    server: Server,
    image: Image,
    rng: Rng,
    tally: Tally,
}

impl Flight<'_> {
    /// Everybody talks. While voice is held it is found, a second after that it is not.
    fn round(&mut self, round: usize) {
        let mut air = Air::open(&self.server, self.plan, round, &mut self.rng);
        let mut canaries = Canaries::new(&mut self.rng, self.tally.frames);
        let half = self.plan.frames / 2;
        air.press();
        air.say(0..half, &mut canaries);
        air.hear(half);
        air.misuse(&mut canaries);
        air.lose_some();
        air.say(half..self.plan.frames, &mut canaries);
        let last = Instant::now();
        air.hear(self.plan.frames - half);
        let (frames, needles) = (canaries.frames(), canaries.needles);
        self.look_while_held(&Search::new(needles.iter().cloned()));
        air.release(self.plan.frames);
        self.tally.frames += frames;
        let records = air.records();
        let sealed = records.iter().zip(self.tally.records..);
        let sealed = sealed.map(|(record, owner)| Needle::new(owner, SEALED, record));
        self.tally.records += records.len();
        let all = Search::new(needles.into_iter().chain(sealed));
        std::thread::sleep((last + self.plan.hold + PROMISE).saturating_duration_since(Instant::now()));
        self.look_after(&all);
    }

    fn look_while_held(&self, search: &Search) {
        let held = search.process(self.server.pid());
        assert!(
            held.hits.len() >= usize::from(self.plan.frames),
            "{} of the voice are found",
            held.hits.len()
        );
        let queues = Queues::of_port(self.server.door().address.port());
        assert!(queues.bytes > 0, "the kernel has something for those who take nothing");
    }

    fn look_after(&mut self, search: &Search) {
        let memory = search.process(self.server.pid());
        let queues = Queues::of_port(self.server.door().address.port());
        let disk = search.bytes("raw disk", &self.image.raw());
        let log = search.bytes("log", &self.server.log());
        for found in [memory, disk, log] {
            self.tally.left.add(found);
        }
        assert_eq!(queues, Queues::default(), "the kernel keeps voice for nobody");
    }
}

/// Everybody on their channels.
struct Air {
    /// One on each channel.
    talkers: Vec<Socket>,
    /// Who hears them.
    live: Vec<Vec<Socket>>,
    /// Connected, and never read.
    stalled: Vec<Socket>,
    /// Reset in the middle.
    killed: Vec<Socket>,
    /// Not heard of again from the middle on, as in a tunnel: not even their kernel says anything.
    lost: Vec<Socket>,
    /// Whose connection drops, and who resumes.
    late: (Account, Socket),
}

impl Air {
    fn open(server: &Server, plan: &Plan, round: usize, rng: &mut Rng) -> Self {
        let mut account = |what: &str, number: usize| {
            Account::register(server.door(), rng, &format!("{what} {round} {number}"))
        };
        let late = account("Late", 0);
        let socket = tuned(late.open(Hello::InTurn, &json!({})), 0);
        let (talkers, live) = (Vec::new(), Vec::new());
        let (stalled, killed, lost) = (Vec::new(), Vec::new(), Vec::new());
        let mut air = Self { talkers, live, stalled, killed, lost, late: (late, socket) };
        for channel in 0..plan.talkers {
            let talker = account("Talker", channel);
            // Five connections of each: a user has eight at most.
            let numbers = (0..plan.listeners).map(|number| channel * plan.listeners + number);
            let listeners: Vec<_> = numbers.map(|number| account("Listener", number)).collect();
            let open = |account: &Account| tuned(account.open(Hello::InTurn, &json!({})), channel);
            air.talkers.push(open(&talker));
            air.live.push(listeners.iter().map(open).collect());
            for listener in &listeners {
                air.stalled.push(open(listener));
                air.stalled.push(tuned(listener.open_narrow(&json!({})), channel));
                air.killed.push(open(listener));
                air.lost.push(open(listener));
            }
        }
        air
    }

    fn press(&mut self) {
        for (talker, channel) in self.talkers.iter_mut().zip(1..) {
            talker.send(&start(1, channel));
        }
    }

    fn say(&mut self, frames: std::ops::Range<u16>, canaries: &mut Canaries<'_>) {
        for seq in frames {
            for talker in &mut self.talkers {
                talker.voice(1, seq, &canaries.payload());
            }
        }
    }

    /// Those whose talker is there hear the next frames.
    fn hear(&mut self, frames: u16) {
        for listener in self.live.iter_mut().take(self.talkers.len()).flatten() {
            listener.hear(frames.into());
        }
    }

    /// Voice that nobody hears: of a press that is refused, and of none at all.
    fn misuse(&mut self, canaries: &mut Canaries<'_>) {
        let talker = &mut self.talkers[0];
        talker.send(&start(2, 40));
        talker.voice(2, 0, &canaries.payload());
        talker.voice(77, 0, &canaries.payload());
    }

    /// Pieces of what went over the wires of those who talk and listen.
    fn records(&self) -> Vec<[u8; PIECE]> {
        let listeners = self.live.iter().flatten();
        self.talkers.iter().chain(listeners).flat_map(|socket| socket.line.records()).collect()
    }

    /// Listeners and a talker lose their connection; one comes back.
    fn lose_some(&mut self) {
        self.killed.drain(..).for_each(Socket::reset);
        self.lost.iter().for_each(Socket::hear_nothing);
        self.talkers.pop().expect("a talker").reset();
        let (account, late) = &mut self.late;
        let resume = json!({ "token": late.welcome["resume"], "have": [] });
        let back = account.open(Hello::InTurn, &json!({ "resume": resume }));
        std::mem::replace(late, back).reset();
        assert_eq!(late.welcome["resumed"], true);
    }

    fn release(&mut self, frames: u16) {
        for talker in &mut self.talkers {
            talker.send(&json!({ "type": "burst.end", "burst": 1, "frames": frames }));
        }
    }
}

/// Tunes to the channel of that talker.
fn tuned(mut socket: Socket, talker: usize) -> Socket {
    socket.ask(&json!({ "type": "tune", "channel": (talker + 1).to_string() }), "tuned");
    socket
}

pub(crate) fn start(burst: u32, channel: u32) -> Value {
    let channel = channel.to_string();
    json!({ "type": "burst.start", "channel": channel, "burst": burst, "codec": "opus", "frame_ms": 20 })
}

/// Random bytes that are told apart from everything else.
pub(crate) struct Canaries<'a> {
    rng: &'a mut Rng,
    pub(crate) needles: Vec<Needle>,
    /// The number of the first frame, and of the next.
    first: usize,
    next: usize,
}

impl<'a> Canaries<'a> {
    pub(crate) fn new(rng: &'a mut Rng, first: usize) -> Self {
        Self { rng, needles: Vec::new(), first, next: first }
    }

    /// A payload that nobody has seen before, which is looked for from now on.
    pub(crate) fn payload(&mut self) -> [u8; PAYLOAD] {
        let mut payload = [0; PAYLOAD];
        self.rng.fill(&mut payload);
        payload[0] = TOC;
        let owner = self.next;
        self.next += 1;
        for (at, form) in [(1, "begin of a frame"), (PAYLOAD - CANARY, "end of a frame")] {
            self.needles.push(Needle::new(owner, form, &payload[at..at + CANARY]));
        }
        payload
    }

    /// The last one is looked for in this form as well.
    pub(crate) fn is_also(&mut self, form: &str, bytes: &[u8]) {
        self.needles.push(Needle::new(self.next - 1, form, bytes));
    }

    /// How many there were.
    pub(crate) fn frames(&self) -> usize {
        self.next - self.first
    }
}
