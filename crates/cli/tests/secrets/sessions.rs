//! A session token is in the server's memory while it is looked at, and no longer, though its radio is on
//! the air. Of a session that was logged out nothing is left: not the token, as text or as bytes, and not
//! its hash; a second later neither in the server's memory nor in the data folder. Others stay, so that
//! the tables it was in go on being used.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use tenfour_client::{Client, Identity, Options, Session, log_in};
use tenfour_core::radio::{Event, LinkState};

use crate::http::{answer, request};
use crate::line::{Line, Mode};
use crate::search::{Needle, Search};
use crate::server::Server;
use crate::socket::{Account, Hello, Socket};
use crate::table::{Row, in_every_mode};

const PEOPLE: usize = 30;
/// Sessions of each.
const SESSIONS: usize = 4;
/// The one that stays.
const STAYS: usize = 0;
/// The one with a radio on the air.
const ON_THE_AIR: usize = 1;
/// A search that begins so long after the log-out, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);

/// Radios that are on the air at once.
const RADIOS: usize = 12;

#[test]
fn a_session_token_is_nowhere_while_its_radio_is_on_the_air() {
    in_every_mode("Session tokens, a second after the upgrade", |mode| {
        let server = Server::start(mode);
        let mut rng = fastrand::Rng::with_seed(0x70c);
        let (mut tokens, mut radios) = (Vec::new(), Vec::new());
        for owner in 0..RADIOS {
            let account = Account::register(server.door(), &mut rng, &format!("Quail {owner}"));
            let account = if owner % 2 == 0 { account } else { account.in_cookie() };
            let how = [Hello::InTurn, Hello::Early, Hello::InPieces][owner % 3];
            radios.push(account.open(how, &serde_json::json!({})));
            tokens.extend(token_needles(owner, account.token()));
        }
        std::thread::sleep(PROMISE);
        let there = Search::new([Needle::new(0, "handle", "Quail")]).process(server.pid());
        assert!(!there.hits.is_empty(), "this search finds what is there");
        let found = Search::new(tokens).process(server.pid());
        for radio in &mut radios {
            radio.ask(&serde_json::json!({ "type": "tune", "channel": "19" }), "tuned");
        }
        radios.into_iter().for_each(Socket::close);
        vec![Row::new(mode, "radio on the air", RADIOS, &found)]
    });
}

#[test]
fn of_a_session_that_is_logged_out_nothing_is_left_in_memory_and_files() {
    in_every_mode("Sessions, a second after the log-out", |mode| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(log_in_and_out(mode))
    });
}

async fn log_in_and_out(mode: Mode) -> Vec<Row> {
    let server = Server::start(mode);
    let at = server.known();
    let (mut needles, mut tokens, mut radios, mut lines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for person in 0..PEOPLE {
        let identity = Arc::new(Identity::generate().unwrap());
        for number in 0..SESSIONS {
            let session = log_in(&at, &identity, Some(&format!("Quail {person}"))).await.unwrap();
            needles.extend(forms(&at, &session, person * SESSIONS + number).await);
            // As a browser, which does not close the connection after an answer.
            lines.push(ask(&server, "GET", "/api/v1/me", session.token()));
            lines.push(ask(&server, "GET", "/", session.token()));
            if number != STAYS {
                tokens.push(session.token().to_owned());
            }
            if number == ON_THE_AIR {
                radios.push(on_the_air(&at, &identity, session).await);
            }
        }
    }
    for token in &tokens {
        lines.push(ask(&server, "POST", "/api/v1/logout", token));
    }
    let logged_out = Instant::now();
    tokio::time::sleep_until((logged_out + PROMISE).into()).await;
    let search = Search::new(needles);
    let mut left = search.bytes("log", &server.log());
    for (mut found, place) in
        [(search.process(server.pid()), "memory"), (search.folder(server.data()), "files")]
    {
        let (stay, gone): (Vec<_>, Vec<_>) =
            found.hits.into_iter().partition(|hit| hit.owner % SESSIONS == STAYS);
        assert!(stay.len() >= PEOPLE, "{place} is looked into: {}", stay.len());
        found.hits = gone;
        left.add(found);
    }
    vec![Row::new(mode, "log-out", tokens.len(), &left)]
}

/// A token as text and as bytes.
pub(crate) fn token_needles(owner: usize, token: &str) -> [Needle; 2] {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).expect("base64url");
    [Needle::new(owner, "token", token), Needle::new(owner, "token as bytes", bytes)]
}

/// The same, and its hash.
async fn forms(at: &tenfour_client::Server, session: &Session, owner: usize) -> Vec<Needle> {
    let held = session.held(at).await.unwrap();
    let own = held.sessions.iter().find(|session| session.this).expect("the one that asks");
    let hash = BASE64URL_NOPAD.decode(own.token_hash.as_bytes()).unwrap();
    let hash = Needle::new(owner, "hash of a token", hash);
    token_needles(owner, session.token()).into_iter().chain([hash]).collect()
}

/// Sends a request with the cookie of a session, waits for a good answer, and keeps the connection.
fn ask(server: &Server, method: &str, path: &str, token: &str) -> Line {
    let door = server.door();
    let mut line = door.connect();
    let cookie = format!("cookie: {}={token}\r\n", door.cookie());
    line.write_all(&request(method, door, path, &cookie, "")).expect("the server reads");
    let (head, _) = answer(&mut line);
    assert!(head.starts_with("HTTP/1.1 20"), "{head}");
    line
}

async fn on_the_air(at: &tenfour_client::Server, identity: &Arc<Identity>, session: Session) -> Client {
    let options = Options { program: "sessions 1".into(), ..Options::default() };
    let mut client = Client::new(at.clone(), identity.clone(), session, options);
    while !matches!(client.next().await, Event::Link(LinkState::OnTheAir { .. })) {}
    client
}
