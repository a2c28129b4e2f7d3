//! Requests over HTTP, whole and broken. What they carry (session tokens, both ways, and letters to the
//! operator) is in the server's memory while it is looked at: a second after the answer it is gone, though
//! the connection stays. What never comes whole is gone a second after the server's time for it is over.

use std::io::Write;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use serde_json::{Value, json};
use tenfour_protocol::limits::{CONTACT_GRAPHEMES, HANDSHAKE, HEADER_BYTES};

use crate::http::{answer, head, request};
use crate::line::{Door, Line, Mode};
use crate::search::{Found, Needle, Search};
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
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    let mut needles: Vec<Vec<Needle>> = Vec::new();
    for (kind, input) in Input::ALL.into_iter().enumerate() {
        let mut own = Vec::new();
        for number in 0..CONNECTIONS {
            let mut talk = Talk {
                server: &server,
                rng: &mut rng,
                first: SECRETS * kind + 100 * number,
                needles: &mut own,
            };
            lines.push((input, talk.begin(input)));
        }
        needles.push(own);
    }
    let last = Instant::now();
    let waiting =
        needles.iter().flatten().filter(|needle| !Input::ALL[needle.owner / SECRETS].patience().is_zero());
    let held = Search::new(waiting.cloned()).process(server.pid());
    for kind in (0..Input::ALL.len()).filter(|kind| !Input::ALL[*kind].patience().is_zero()) {
        assert!(
            held.hits.iter().any(|hit| hit.owner / SECRETS == kind),
            "{:?} is somewhere",
            Input::ALL[kind]
        );
    }
    for patience in [Duration::ZERO, HANDSHAKE, REQUEST] {
        while last.elapsed() < patience + PROMISE {
            for (_, line) in lines.iter_mut().filter(|(input, _)| *input == SlowHead) {
                // The server may have had enough.
                line.write_all(b"x").ok();
            }
            std::thread::sleep(OFTEN);
        }
        let over: Vec<_> =
            Input::ALL.into_iter().zip(&needles).filter(|(input, _)| input.patience() == patience).collect();
        let found =
            Search::new(over.iter().flat_map(|(_, needles)| needles.iter().cloned())).process(server.pid());
        for (input, needles) in over {
            let hits = found.hits.iter().filter(|hit| needles.iter().any(|needle| needle.owner == hit.owner));
            let found = Found { bytes: found.bytes, hits: hits.cloned().collect() };
            rows.push(Row::new(mode, input.name(), secrets(needles), &found));
        }
        if patience.is_zero() {
            let kept: Vec<_> = lines
                .iter_mut()
                .filter(|(input, _)| matches!(input, InPieces | Pipelined | Letter))
                .collect();
            let all = kept.len();
            let cut = kept.into_iter().filter(|(_, line)| !is_kept(line, server.door())).count();
            rows.push(Row::counted(mode, "connections cut that were whole", [all, cut]));
        }
    }
    rows
}

/// How many secrets these are forms of.
fn secrets(needles: &[Needle]) -> usize {
    let mut owners: Vec<_> = needles.iter().map(|needle| needle.owner).collect();
    owners.dedup();
    owners.len()
}

/// Whether another request is answered.
fn is_kept(line: &Line, door: Door) -> bool {
    let mut line = line.clone();
    let sent = line.write_all(&request("GET", door, "/privacy", "", ""));
    sent.is_ok() && head(&mut line).starts_with("HTTP/1.1 200 ")
}

/// Somebody who asks.
struct Talk<'a> {
    server: &'a Server,
    rng: &'a mut Rng,
    /// The number of the first secret.
    first: usize,
    needles: &'a mut Vec<Needle>,
}

impl Talk<'_> {
    /// Sends it, and waits for the answer if there is one.
    fn begin(&mut self, input: Input) -> Line {
        let door = self.server.door();
        let mut line = door.connect();
        let mut send = |bytes: &[u8]| line.write_all(bytes).expect("the server reads");
        match input {
            InPieces | Pipelined => {
                let asks: Vec<_> = (0..REQUESTS).map(|number| self.ask(number)).collect();
                if input == Pipelined {
                    send(&asks.concat());
                    asks.iter().for_each(|_| good(&mut line));
                    return line;
                }
                for ask in asks {
                    // In the middle of the token.
                    let (one, two) = ask.split_at(ask.len() - 30);
                    line.write_all(one).expect("the server reads");
                    line.wait_until_read();
                    line.write_all(two).expect("the server reads");
                    good(&mut line);
                }
            }
            Refused => {
                let mut token = [0; 32];
                self.rng.fill(&mut token);
                let token = BASE64URL_NOPAD.encode(&token);
                self.needles.extend(token_needles(self.first, &token));
                send(&request("GET", door, "/api/v1/me", &bearer(&token), ""));
                let (head, _) = answer(&mut line);
                assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
            }
            Letter => {
                // One that was taken would be in the store's own memory as well.
                send(&self.letter(CONTACT_GRAPHEMES));
                let (head, _) = answer(&mut line);
                assert!(head.starts_with("HTTP/1.1 422 "), "{head}");
            }
            CookieLogIn | BearerLogIn => return self.log_in(input == CookieLogIn),
            HalfHead | SlowHead => {
                let ask = self.ask(0);
                send(&ask[..ask.len() - 2]);
                line.wait_until_read();
            }
            HalfBody => {
                let letter = self.letter(400);
                send(&letter[..letter.len() - 20]);
                line.wait_until_read();
            }
        }
        line
    }

    /// A request with a token of its own.
    fn ask(&mut self, number: usize) -> Vec<u8> {
        let owner = self.first + number;
        let account = Account::register(self.server.door(), self.rng, &format!("Asks {owner}"));
        self.needles.extend(token_needles(owner, account.token()));
        // The token comes last.
        let mut ask = request("GET", self.server.door(), "/api/v1/me", "", "");
        ask.truncate(ask.len() - 2);
        ask.extend(account.credential().as_bytes());
        ask.extend(b"\r\n");
        ask
    }

    /// A letter to the operator, which begins with what is looked for, and has some more letters.
    fn letter(&mut self, more: usize) -> Vec<u8> {
        let account = Account::register(self.server.door(), self.rng, &format!("Writes {}", self.first));
        let secret: String = (0..24).map(|_| self.rng.alphabetic()).collect();
        self.needles.push(Needle::new(self.first, "letter", secret.as_bytes()));
        self.needles.extend(token_needles(self.first + 1, account.token()));
        let headers = account.credential() + "content-type: application/json\r\n";
        let body = json!({ "text": format!("{secret} {}", "x".repeat(more)) }).to_string();
        request("POST", self.server.door(), "/api/v1/contact", &headers, &body)
    }

    /// Logs in on a connection that the client keeps open, and looks for what it was given.
    fn log_in(&mut self, with_cookie: bool) -> Line {
        let (door, key) = (self.server.door(), Key::new(self.rng));
        let kind = if with_cookie { "cookie" } else { "bearer" };
        let body = json!({ "handle": format!("Comes {}", self.first), "proof": key.prove(door, kind) });
        let mut line = door.connect();
        let ask = request(
            "POST",
            door,
            "/api/v1/register",
            "content-type: application/json\r\n",
            &body.to_string(),
        );
        line.write_all(&ask).expect("the server reads");
        let (head, body) = answer(&mut line);
        assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
        let cookie =
            || Some(head.split_once(&format!("{}=", door.cookie()))?.1.split(';').next()?.to_owned());
        let token = || Some(serde_json::from_slice::<Value>(&body).ok()?["token"].as_str()?.to_owned());
        let token = if with_cookie { cookie() } else { token() }.expect("a token");
        self.needles.extend(token_needles(self.first, &token));
        line
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn good(line: &mut Line) {
    let (head, _) = answer(line);
    assert!(head.starts_with("HTTP/1.1 20"), "{head}");
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
