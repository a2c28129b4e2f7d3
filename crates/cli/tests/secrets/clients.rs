//! The programs that hear and talk keep no secret longer than they need it: while they are connected neither
//! the session token, nor the key of the device, nor the coordinate is in their memory, and a second after it
//! was heard or said no voice.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use serde_json::json;
use tenfour_protocol::VoiceFrame;

use crate::canary::{Canaries, start};
use crate::forms::Position;
use crate::line::Mode;
use crate::search::{Found, Needle, Search};
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
/// Bytes of a frame of noise that are looked for: fewer than the smallest has.
const PIECE: usize = 32;
/// What the memory of a process is called that holds its arguments and its environment.
const STACK: &str = "[stack]";

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
        rows
    });
}

/// `tenfour listen`, which hears one burst.
fn listen(mode: Mode, server: &Server, wanted: &[&str], rng: &mut Rng) -> Vec<Row> {
    let at = Position::random(rng);
    let mut listen = server.program("listen", "Listener");
    // As an argument anybody on the machine could read it.
    listen.args(["--rx-range", "25km", "--json"]).env("TENFOUR_AT", at.text());
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
    let mut noise = vec![0; SECOND];
    rng.fill(&mut noise);
    pipe.write_all(&noise).expect("it reads");
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
    let noise: Vec<_> = noise.collect();
    let mut secrets = secrets(server, "Caller", at);
    secrets.push((VOICE, noise.len(), noise));
    caller.search(mode, "talk", wanted, secrets)
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
    output: BufReader<ChildStdout>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Program {
    fn start(mut program: std::process::Command) -> Self {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("it starts");
        let pipe = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
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
        self.output.read_line(&mut line).expect("text");
        line
    }

    /// Looks for what is wanted of it in its memory.
    fn search(&mut self, mode: Mode, program: &str, wanted: &[&str], secrets: Secrets) -> Vec<Row> {
        let row = |(what, count, needles): (&str, usize, Vec<Needle>)| {
            let Found { bytes, mut hits } = Search::new(needles).process(self.child.id());
            // Its environment is no secret of the program's.
            hits.retain(|hit| !(hit.region == STACK && hit.form.starts_with("text ")));
            Row::new(mode, format!("{program}: {what}"), count, &Found { bytes, hits })
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
