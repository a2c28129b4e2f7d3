//! The programs that hear and talk keep no secret longer than they need it: while they are connected neither
//! the session token, nor the key of the device, nor the coordinate is in their memory, and a second after it
//! was heard or said no voice.

use std::io::{BufRead, BufReader, Error, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use serde_json::json;
use tenfour_client::opus::Decoder;
use tenfour_client::wav::to_i16;
use tenfour_protocol::VoiceFrame;

use crate::canary::{Canaries, start};
use crate::forms::Position;
use crate::line::Mode;
use crate::search::{Needle, Search};
use crate::server::Server;
use crate::sessions::token_needles;
use crate::socket::{Account, Hello};
use crate::table::{Row, in_every_mode};

/// A search that begins so long after voice was heard or said, or later, finds none of it.
const PROMISE: Duration = Duration::from_secs(1);
/// Frames that are heard, and that are said: a second.
const FRAMES: u16 = 50;
/// Bytes of a second of sound as `talk` reads it: 48 kHz, 16 bit.
const SECOND: usize = 96_000;
/// Samples of a frame: 20 ms.
const FRAME: usize = 960;
/// Bytes of a frame of noise that are looked for: fewer than the smallest has.
const PIECE: usize = 32;

/// What somebody is to be told of who has the memory of a program.
const TOKEN: &str = "token";
const KEY: &str = "key";
const COORDINATE: &str = "coordinate";
const VOICE: &str = "voice";

#[test]
fn a_program_keeps_no_voice_and_no_coordinate() {
    look("Programs, a second after they heard and said something", &[VOICE, COORDINATE]);
}

#[test]
fn a_program_that_is_connected_keeps_neither_token_nor_key() {
    look("Programs, while they are connected", &[TOKEN, KEY]);
}

fn look(title: &str, wanted: &[&str]) {
    in_every_mode(title, |mode| {
        // The recorder knows what was said; under TLS it shows the certificate of the server.
        let behind = if mode.is_secure() { Mode::Tls13 } else { Mode::Plain };
        let server = Server::start_recorded(behind, mode);
        let mut rng = Rng::with_seed(0xc11);
        let mut rows = listen(mode, &server, wanted, &mut rng);
        rows.extend(talk(mode, &server, wanted, &mut rng));
        if wanted.contains(&VOICE) {
            rows.push(aloud(mode, &server, &mut rng));
        }
        rows
    });
}

/// `tenfour listen`, which hears one burst.
fn listen(mode: Mode, server: &Server, wanted: &[&str], rng: &mut Rng) -> Vec<Row> {
    let at = Position::random(rng);
    let mut listen = server.program("listen", "Listener");
    // As an argument, and `talk` as a variable: either is overwritten.
    listen.args(["--rx-range", "25km", "--json", &format!("--at={}", at.text())]);
    let mut listener = Program::start(listen);
    listener.says_on_errors("Ready:");
    let mut secrets = secrets(server, "Listener", at);

    let talker = Account::register(server.door(), rng, "Talker");
    let mut talker = talker.open(Hello::InTurn, &json!({}));
    talker.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
    let mut canaries = Canaries::new(rng, 0);
    // The same place: the listener hears nobody else.
    talker.ask(&json!({ "type": "locate", "cell": at.cell() }), "located");
    talker.send(&start(1, 19));
    (0..FRAMES).for_each(|seq| talker.voice(1, seq, &canaries.payload()));
    talker.send(&json!({ "type": "burst.end", "burst": 1, "frames": FRAMES }));
    let line = listener.says();
    assert!(line.contains(&format!("\"frames\":{FRAMES}")), "{line}");
    std::thread::sleep(PROMISE);
    secrets.push((VOICE, canaries.frames(), canaries.needles));
    listener.search(mode, "listen", wanted, secrets)
}

/// `tenfour talk`, which says a second of noise, and then nothing that one would know again.
fn talk(mode: Mode, server: &Server, wanted: &[&str], rng: &mut Rng) -> Vec<Row> {
    let at = Position::random(rng);
    let mut talk = server.program("talk", "Caller");
    talk.args(["--range", "25km", "-"]).env("TENFOUR_AT", at.text());
    let mut caller = Program::start(talk);
    let mut pipe = caller.pipe.take().expect("piped");
    let mut read = vec![0; SECOND];
    rng.fill(&mut read);
    pipe.write_all(&read).expect("it reads");
    let begun = Instant::now();
    let said = loop {
        // It reads no faster than it talks.
        pipe.write_all(&[0; SECOND / 50]).expect("it reads");
        let said = server.recorder().spoken();
        if said.len() > usize::from(FRAMES) + 10 {
            break said;
        }
        assert!(begun.elapsed() < 10 * PROMISE, "{} frames are said", said.len());
    };
    let last = Instant::now();
    while last.elapsed() < PROMISE {
        pipe.write_all(&[0; SECOND / 50]).expect("it reads");
    }
    let noise = said[1..usize::from(FRAMES) - 1].iter().enumerate().map(|(owner, frame)| {
        let payload = VoiceFrame::parse(frame).expect("a frame").payload;
        Needle::new(owner, "a frame that was said", &payload[payload.len() - PIECE..])
    });
    let (mut noise, frames): (Vec<_>, _) = (noise.collect(), usize::from(FRAMES) - 2);
    noise.extend(read.chunks(SECOND / 50).enumerate().flat_map(|(owner, bytes)| sound(owner, bytes)));
    let mut secrets = secrets(server, "Caller", at);
    secrets.push((VOICE, frames, noise));
    caller.search(mode, "talk", wanted, secrets)
}

/// `tenfour listen --out -`, which plays one burst: what was played is gone a second later. Its packets may be
/// said again, and stay.
fn aloud(mode: Mode, server: &Server, rng: &mut Rng) -> Row {
    let mut listen = server.program("listen", "Player");
    listen.args(["--channel", "7", "--out", "-"]);
    let mut player = Program::start(listen);
    player.says_on_errors("Ready:");
    let (give, played) = channel();
    let mut output = player.output.take().expect("piped");
    std::thread::spawn(move || {
        let mut piece = [0; SECOND / 50];
        while output.read_exact(&mut piece).and_then(|()| give.send(piece).map_err(Error::other)).is_ok() {}
    });
    let talker = Account::register(server.door(), rng, "Singer");
    let mut talker = talker.open(Hello::InTurn, &json!({}));
    talker.ask(&json!({ "type": "tune", "channel": "7" }), "tuned");
    let (mut canaries, mut decoder) = (Canaries::new(rng, 0), Decoder::new().expect("a decoder"));
    talker.send(&start(1, 7));
    let mut needles = Vec::new();
    for seq in 0..FRAMES {
        let payload = canaries.payload();
        talker.voice(1, seq, &payload);
        let samples = decoder.decode(&payload, FRAME).expect("a packet");
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| to_i16(*sample).to_le_bytes()).collect();
        let exact = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>();
        let at = samples.len() / 2;
        needles.push(Needle::new(seq.into(), "played", &bytes[2 * at..2 * at + PIECE]));
        needles.push(Needle::new(seq.into(), "decoded", &exact[4 * at..4 * at + PIECE]));
    }
    talker.send(&json!({ "type": "burst.end", "burst": 1, "frames": FRAMES }));
    // Each frame is played as it was decoded here.
    let search = Search::new(needles.iter().cloned());
    let mut all = Vec::new();
    while search.bytes("output", &all).hits.len() < usize::from(FRAMES) {
        all.extend(played.recv_timeout(10 * PROMISE).expect("it plays the burst"));
    }
    std::thread::sleep(PROMISE);
    let played = (VOICE, canaries.frames(), needles);
    player.search(mode, "listen --out", &[VOICE], vec![played]).pop().expect("a row")
}

/// Pieces of a frame of sound as it is read, and as numbers.
fn sound(owner: usize, bytes: &[u8]) -> [Needle; 2] {
    let samples = bytes.as_chunks::<2>().0.iter().map(|two| f32::from(i16::from_le_bytes(*two)) / 32768.0);
    let numbers: Vec<u8> = samples.flat_map(f32::to_le_bytes).collect();
    let at = bytes.len() / 2;
    [
        Needle::new(owner, "sound", &bytes[at..at + PIECE]),
        Needle::new(owner, "sound as numbers", &numbers[2 * at..2 * at + PIECE]),
    ]
}

/// What of somebody is looked for, how many secrets that are, and their forms.
type Secrets = Vec<(&'static str, usize, Vec<Needle>)>;

fn secrets(server: &Server, name: &str, at: Position) -> Secrets {
    let token = server.recorder().newest_token().expect("somebody has logged in");
    let file = std::fs::read_to_string(server.key(name)).expect("a key");
    let text = file.lines().nth(1).expect("a key").to_owned();
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
    let key = vec![Needle::new(0, "key as text", text), Needle::new(0, "key", bytes)];
    vec![(TOKEN, 1, token_needles(0, &token).into()), (KEY, 1, key), (COORDINATE, 1, at.needles(0))]
}

/// A command of the binary that runs.
struct Program {
    child: Child,
    pipe: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Program {
    fn start(mut program: std::process::Command) -> Self {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("it starts");
        let pipe = child.stdin.take();
        let output = child.stdout.take().map(BufReader::new);
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, pipe, output, errors }
    }

    /// Waits until it tells its person something that begins so.
    fn says_on_errors(&mut self, words: &str) {
        let mut line = String::new();
        while !line.starts_with(words) {
            line.clear();
            assert!(self.errors.read_line(&mut line).expect("text") > 0, "it ended before it said {words}");
        }
    }

    /// The next line of its output.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.output.as_mut().expect("not taken").read_line(&mut line).expect("text");
        line
    }

    /// Looks for what is wanted of it in its memory.
    fn search(&mut self, mode: Mode, program: &str, wanted: &[&str], secrets: Secrets) -> Vec<Row> {
        let row = |(what, count, needles): (&str, usize, Vec<Needle>)| {
            let found = Search::new(needles).process(self.child.id());
            Row::new(mode, format!("{program}: {what}"), count, &found)
        };
        let rows = secrets.into_iter().filter(|(what, ..)| wanted.contains(what)).map(row).collect();
        assert!(self.child.try_wait().expect("a child").is_none(), "it runs");
        rows
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
