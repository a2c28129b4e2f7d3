//! Of a session that was logged out nothing is left: not the token, as text or as bytes, and not its
//! hash; a second later neither in the server's memory nor in the data folder. Others stay, so that
//! the tables it was in go on being used.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use tenfour_client::{Client, Identity, Options, Session, log_in};
use tenfour_core::radio::{Event, LinkState};

use crate::http::connect;
use crate::search::{Needle, Search};
use crate::server::Server;

const PEOPLE: usize = 30;
/// Sessions of each.
const SESSIONS: usize = 4;
/// The one that stays.
const STAYS: usize = 0;
/// The one with a radio on the air.
const ON_THE_AIR: usize = 1;
/// A search that begins so long after the log-out, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "current_thread")]
async fn of_a_session_that_is_logged_out_nothing_is_left_in_memory_and_files() {
    let server = Server::start();
    let at = tenfour_client::Server::new(server.url(), None).unwrap();
    let (mut needles, mut tokens, mut radios, mut lines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for person in 0..PEOPLE {
        let identity = Arc::new(Identity::generate().unwrap());
        for number in 0..SESSIONS {
            let session = log_in(&at, &identity, Some(&format!("Quail {person}"))).await.unwrap();
            needles.extend(forms(&at, &session, number).await);
            // As a browser, which does not close the connection after an answer.
            lines.push(ask(&server, "GET /api/v1/me", session.token()));
            lines.push(ask(&server, "GET /", session.token()));
            if number != STAYS {
                tokens.push(session.token().to_owned());
            }
            if number == ON_THE_AIR {
                radios.push(on_the_air(&at, &identity, session).await);
            }
        }
    }
    for token in &tokens {
        lines.push(ask(&server, "POST /api/v1/logout", token));
    }
    let logged_out = Instant::now();
    tokio::time::sleep_until((logged_out + PROMISE).into()).await;
    let search = Search::new(needles);
    let (memory, files) = (search.process(server.pid()), search.folder(&server.data()));
    for (found, place) in [(&memory, "memory"), (&files, "files")] {
        let (stay, left): (Vec<_>, Vec<_>) = found.hits.iter().partition(|hit| hit.owner == STAYS);
        assert!(stay.len() >= PEOPLE, "{place} is looked into: {}", stay.len());
        assert!(left.is_empty(), "{place}: {} hits, first {:#?}", left.len(), left[0]);
    }
    let log = search.bytes("log", &server.log());
    assert!(log.hits.is_empty(), "log: {}", log.report());
    println!("{} log-outs, {} MiB of memory searched, 0 hits", tokens.len(), memory.bytes >> 20);
}

/// The token as text and as bytes, and its hash.
async fn forms(at: &tenfour_client::Server, session: &Session, owner: usize) -> [Needle; 3] {
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let held = session.held(at).await.unwrap();
    let own = held.sessions.iter().find(|session| session.this).expect("the one that asks");
    [
        Needle::new(owner, "token", session.token()),
        Needle::new(owner, "token as bytes", decode(session.token())),
        Needle::new(owner, "hash of a token", decode(&own.token_hash)),
    ]
}

/// Sends a request with the cookie of a session, waits for a good answer, and keeps the connection.
fn ask(server: &Server, what: &str, token: &str) -> TcpStream {
    let mut socket = connect(server.address());
    let head = format!("{what} HTTP/1.1\r\nhost: {}\r\ncookie: tenfour={token}\r\n\r\n", server.address());
    socket.write_all(head.as_bytes()).expect("the server reads");
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer));
    socket
}

async fn on_the_air(at: &tenfour_client::Server, identity: &Arc<Identity>, session: Session) -> Client {
    let options = Options { program: "sessions 1".into(), ..Options::default() };
    let mut client = Client::new(at.clone(), identity.clone(), session, options);
    while !matches!(client.next().await, Event::Link(LinkState::OnTheAir { .. })) {}
    client
}
