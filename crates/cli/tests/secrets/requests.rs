//! Requests over HTTP, whole and broken. What they carry (session tokens, both ways, and letters to the
//! operator) is in the server's memory while it is looked at: a second after the answer it is gone, though
//! the connection stays. What never comes whole is gone a second after the server's time for it is over.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use serde_json::{Value, json};
use tenfour_protocol::limits::{CONTACT_GRAPHEMES, HANDSHAKE, HEADER_BYTES};

use crate::http::{answer, head, request};
use crate::line::{Door, Line, Mode};
use crate::search::{Found, Hit, Needle, Search};
use crate::server::Server;
use crate::sessions::token_needles;
use crate::socket::{Account, Key};
use crate::table::{Row, in_every_mode};

/// A search that begins so long after the answer, or after the time for the rest, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);
/// Time for a whole request, as `crates/server/src/worker/http.rs` has it.
const REQUEST: Duration = Duration::from_secs(10);
/// Requests of one connection, each with a token of its own.
const REQUESTS: usize = 5;
/// Connections with each kind of input.
const CONNECTIONS: usize = 3;
/// A client that is slow says something this often.
const OFTEN: Duration = Duration::from_millis(100);
/// Who has one input has secrets with numbers from here on.
const SECRETS: usize = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Requests one after the other, the head of each in two pieces.
    InPieces,
    /// The same, all in one packet.
    Pipelined,
    /// A token that nobody knows.
    Refused,
    /// A letter to the operator that is refused, for it is too long.
    Letter,
    /// A log-in that is answered with a cookie.
    CookieLogIn,
    /// A log-in that is answered with a token in the body.
    BearerLogIn,
    /// Half the head of a request. After that nothing.
    HalfHead,
    /// The same, and a byte of the head now and then.
    SlowHead,
    /// Half the body of a request. After that nothing.
    HalfBody,
}

use Input::{BearerLogIn, CookieLogIn, HalfBody, HalfHead, InPieces, Letter, Pipelined, Refused, SlowHead};

impl Input {
    const ALL: [Self; 9] =
        [InPieces, Pipelined, Refused, Letter, CookieLogIn, BearerLogIn, HalfHead, SlowHead, HalfBody];

    fn name(self) -> &'static str {
        match self {
            InPieces => "tokens, heads in two pieces",
            Pipelined => "tokens, requests in one packet",
            Refused => "a token that is refused",
            Letter => "a letter that is refused",
            CookieLogIn => "the cookie of a log-in",
            BearerLogIn => "the token of a log-in",
            HalfHead => "a token, half the head",
            SlowHead => "a token, a byte now and then",
            HalfBody => "a letter, half the body",
        }
    }

    /// Whether the connection stays when it was answered.
    fn stays(self) -> bool {
        matches!(self, InPieces | Pipelined | Letter)
    }

    /// How long the server may wait for the rest.
    fn patience(self) -> Duration {
        match self {
            HalfHead | SlowHead => HANDSHAKE,
            HalfBody => REQUEST,
            _ => Duration::ZERO,
        }
    }
}

#[test]
fn what_a_request_carries_is_gone_a_second_after_its_answer_or_its_time() {
    in_every_mode("Requests, a second after they were answered or given up", look);
}

fn look(mode: Mode) -> Vec<Row> {
    let server = Server::start(mode);
    let mut rng = Rng::with_seed(0x477b);
    let kinds = || Input::ALL.into_iter().enumerate().flat_map(|one| [one; CONNECTIONS]).zip(0..);
    // Everybody registers first: an answered connection is kept for some seconds only.
    let mut talks: Vec<_> = kinds()
        .map(|((kind, input), number)| Talk::prepare(input, &server, SECRETS * kind + 100 * number, &mut rng))
        .collect();
    let lines: Vec<_> = talks.iter_mut().map(|talk| talk.begin(server.door())).collect();
    let last = Instant::now();
    let of = |patience| talks.iter().filter(move |talk| talk.input.patience() == patience);
    for patience in [HANDSHAKE, REQUEST] {
        let held = Search::new(of(patience).flat_map(|talk| talk.needles.clone())).process(server.pid());
        for talk in of(patience) {
            assert!(held.hits.iter().any(|hit| talk.has(hit)), "{:?} is somewhere", talk.input);
        }
    }
    let mut rows = Vec::new();
    for patience in [Duration::ZERO, HANDSHAKE, REQUEST] {
        while last.elapsed() < patience + PROMISE {
            for (_, line) in talks.iter().zip(&lines).filter(|(talk, _)| talk.input == SlowHead) {
                // The server may have had enough.
                line.clone().write_all(b"x").ok();
            }
            std::thread::sleep(OFTEN);
        }
        let search = Search::new(of(patience).flat_map(|talk| talk.needles.clone()));
        let found = search.process(server.pid());
        for input in Input::ALL.into_iter().filter(|input| input.patience() == patience) {
            let own: Vec<_> = talks.iter().filter(|talk| talk.input == input).collect();
            let hits = found.hits.iter().filter(|hit| own.iter().any(|talk| talk.has(hit)));
            let found = Found { bytes: found.bytes, hits: hits.cloned().collect() };
            rows.push(Row::new(mode, input.name(), own.iter().map(|talk| talk.secrets()).sum(), &found));
        }
        if patience.is_zero() {
            let whole = talks.iter().zip(&lines).filter(|(talk, _)| talk.input.stays());
            let kept: Vec<_> = whole.map(|(_, line)| is_kept(line, server.door())).collect();
            let cut = kept.iter().filter(|kept| !**kept).count();
            rows.push(Row::counted(mode, "connections cut that were whole", [kept.len(), cut]));
        }
    }
    rows
}

/// Whether another request is answered.
fn is_kept(line: &Line, door: Door) -> bool {
    let mut line = line.clone();
    let mut begin = [0; 13];
    let asked = line.write_all(&request("GET", door, "/privacy", "", ""));
    asked.and_then(|()| line.read_exact(&mut begin)).is_ok() && begin == *b"HTTP/1.1 200 "
}

/// Somebody who asks, and what of them is looked for.
struct Talk {
    input: Input,
    /// The number of the first secret.
    first: usize,
    asks: Vec<Vec<u8>>,
    needles: Vec<Needle>,
}

impl Talk {
    /// Makes what is to be sent.
    fn prepare(input: Input, server: &Server, first: usize, rng: &mut Rng) -> Self {
        let door = server.door();
        let mut talk = Self { input, first, asks: Vec::new(), needles: Vec::new() };
        match input {
            InPieces | Pipelined => (0..REQUESTS).for_each(|number| talk.ask(door, number, rng)),
            HalfHead | SlowHead => {
                talk.ask(door, 0, rng);
                talk.cut(2);
            }
            Refused => {
                let mut token = [0; 32];
                rng.fill(&mut token);
                let token = BASE64URL_NOPAD.encode(&token);
                let bearer = format!("authorization: Bearer {token}\r\n");
                talk.needles.extend(token_needles(first, &token));
                talk.asks.push(request("GET", door, "/api/v1/me", &bearer, ""));
            }
            // One that was taken would be in the store's own memory as well.
            Letter => talk.letter(door, CONTACT_GRAPHEMES, rng),
            HalfBody => {
                talk.letter(door, 400, rng);
                talk.cut(20);
            }
            CookieLogIn | BearerLogIn => {
                let kind = if input == CookieLogIn { "cookie" } else { "bearer" };
                let proof = Key::new(rng).prove(door, kind);
                let body = json!({ "handle": format!("Comes {first}"), "proof": proof }).to_string();
                let headers = "content-type: application/json\r\n";
                talk.asks.push(request("POST", door, "/api/v1/register", headers, &body));
            }
        }
        talk
    }

    /// A request with a token of its own, which comes last in the head.
    fn ask(&mut self, door: Door, number: usize, rng: &mut Rng) {
        let owner = self.first + number;
        let account = Account::register(door, rng, &format!("Asks {owner}"));
        self.needles.extend(token_needles(owner, account.token()));
        let mut ask = request("GET", door, "/api/v1/me", "", "");
        ask.truncate(ask.len() - 2);
        self.asks.push([&ask, account.credential().as_bytes(), b"\r\n"].concat());
    }

    /// A letter to the operator, which begins with what is looked for, and has some more letters.
    fn letter(&mut self, door: Door, more: usize, rng: &mut Rng) {
        let account = Account::register(door, rng, &format!("Writes {}", self.first));
        let secret: String = (0..24).map(|_| rng.alphabetic()).collect();
        self.needles.push(Needle::new(self.first, "letter", secret.as_bytes()));
        self.needles.extend(token_needles(self.first + 1, account.token()));
        let headers = account.credential() + "content-type: application/json\r\n";
        let body = json!({ "text": format!("{secret} {}", "x".repeat(more)) }).to_string();
        self.asks.push(request("POST", door, "/api/v1/contact", &headers, &body));
    }

    /// The end never comes.
    fn cut(&mut self, bytes: usize) {
        let ask = &mut self.asks[0];
        ask.truncate(ask.len() - bytes);
    }

    /// Sends it, and waits for the answers if there are any.
    fn begin(&mut self, door: Door) -> Line {
        let mut line = door.connect();
        if self.input == InPieces {
            for ask in &self.asks {
                // In the middle of the token.
                let (one, two) = ask.split_at(ask.len() - 30);
                line.write_all(one).expect("the server reads");
                line.wait_until_read();
                line.write_all(two).expect("the server reads");
                answered(&mut line, "200");
            }
            return line;
        }
        line.write_all(&self.asks.concat()).expect("the server reads");
        match self.input {
            Pipelined => self.asks.iter().for_each(|_| drop(answered(&mut line, "200"))),
            Refused => drop(answered(&mut line, "401")),
            Letter => drop(answered(&mut line, "422")),
            CookieLogIn | BearerLogIn => {
                let (head, body) = answered(&mut line, "201");
                let cookie =
                    || Some(head.split_once(&format!("{}=", door.cookie()))?.1.split(';').next()?.to_owned());
                let token =
                    || Some(serde_json::from_slice::<Value>(&body).ok()?["token"].as_str()?.to_owned());
                let token = if self.input == CookieLogIn { cookie() } else { token() };
                self.needles.extend(token_needles(self.first, &token.expect("a token")));
            }
            _ => line.wait_until_read(),
        }
        line
    }

    fn has(&self, hit: &Hit) -> bool {
        self.needles.iter().any(|needle| needle.owner == hit.owner)
    }

    /// How many it has.
    fn secrets(&self) -> usize {
        self.needles.iter().map(|needle| needle.owner).collect::<BTreeSet<_>>().len()
    }
}

/// An answer with this status.
fn answered(line: &mut Line, status: &str) -> (String, Vec<u8>) {
    let (head, body) = answer(line);
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    (head, body)
}

/// hyper has so much room for a head, and not more: with twice as much, tokens of heads that came in two
/// pieces stayed in the rest of the room.
#[test]
fn a_head_of_8192_bytes_is_taken_and_a_larger_one_is_not() {
    const ROOM: usize = 8192;
    assert_eq!(HEADER_BYTES, ROOM);
    for mode in Mode::ALL {
        let server = Server::start(mode);
        for (size, status) in [(ROOM - 1, "200"), (ROOM + 1, "431")] {
            let mut line = server.door().connect();
            let empty = request("GET", server.door(), "/privacy", "padding: \r\n", "").len();
            let padding = format!("padding: {}\r\n", "x".repeat(size - empty));
            let ask = request("GET", server.door(), "/privacy", &padding, "");
            assert_eq!(ask.len(), size);
            line.write_all(&ask).expect("the server reads");
            let head = head(&mut line);
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")),
                "{}, {size} bytes: {head}",
                mode.name()
            );
        }
    }
}
