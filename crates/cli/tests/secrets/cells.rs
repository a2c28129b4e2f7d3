//! A cell is in the server's memory as long as its client is connected, and no longer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;

use crate::forms::{HELD, Position, cell_needles};
use crate::image::Image;
use crate::line::Mode;
use crate::search::{Found, Needle, Search};
use crate::server::{Listener, Server};
use crate::socket::{Account, Hello, Socket};
use crate::table::{Row, in_every_mode};

/// Sessions in the tests, in each mode.
const SESSIONS: usize = 100;
/// Sessions that are connected at once.
const BATCH: usize = 50;
/// Sessions of one key: a user has eight connections, and may say twelve first cells in an hour.
const SESSIONS_OF_A_KEY: usize = 8;
/// A search that begins so long after the close, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);

/// How a session ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Close,
    Reset,
    /// Of the process of the client.
    Kill,
}

/// A session, and what there is to find of it.
struct Session {
    client: Client,
    end: End,
    /// The owner of a cell that is found while it is connected.
    held: Option<usize>,
    /// The owner of a cell that was taken back.
    taken_back: Option<usize>,
    needles: Vec<Needle>,
}

enum Client {
    Socket(Socket),
    Process(Listener),
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    sessions: usize,
    /// Sessions that took their cell back.
    back: usize,
    /// While connected, in another form than the one in which it is held.
    copies: Found,
    /// While connected, of those who took it back.
    taken_back: Found,
    /// After the close.
    left: Found,
}

#[test]
fn a_cell_is_gone_a_second_after_its_client_closed_was_reset_or_was_killed() {
    in_every_mode("Cells of sessions", |mode| observe(mode, SESSIONS, 0x15));
}

/// At length: `cargo xtask soak cells --sessions 10000`.
#[test]
#[ignore = "takes minutes: cargo xtask soak cells"]
fn soak() {
    let sessions =
        std::env::var("TENFOUR_SOAK_SESSIONS").map_or(10_000, |text| text.parse().expect("a number"));
    in_every_mode("Cells of sessions", |mode| observe(mode, sessions, 0x50a4));
}

/// The same search where something stays: a client has its cell as its handle too, and a session
/// waits for a resume after a reset.
#[test]
fn a_cell_that_is_kept_elsewhere_is_found_after_the_promise() {
    let server = Server::start(Mode::Tls13);
    let mut rng = Rng::with_seed(7);
    let cell = Position::random(&mut rng).cell();
    let search = Search::new(cell_needles(0, &cell));
    let account = Account::register(server.door(), &mut rng, &cell);
    let mut socket = account.open(Hello::InTurn, &json!({ "place": { "cell": cell } }));
    socket.expect("located");
    socket.reset();
    let left = left(&search, &server, Instant::now());
    assert!(!left.hits.is_empty(), "the handle is kept");
    assert!(left.hits.iter().all(|hit| hit.form == "text"), "{}", left.report());
}

/// Nobody's way is kept: of the cell before nothing is left, though its client is there. And none of
/// them is ever on the disk.
#[test]
fn a_cell_that_was_left_is_gone_while_its_client_is_in_another() {
    in_every_mode("Cells that were left, while their clients are there", move_about);
}

fn move_about(mode: Mode) -> Vec<Row> {
    const PEOPLE: usize = 20;
    let image = Image::mount();
    let server = Server::start_in(mode, image.path(), "10s");
    let mut rng = Rng::with_seed(0xc8);
    let (mut before, mut now, mut sockets) = (Vec::new(), Vec::new(), Vec::new());
    for owner in 0..PEOPLE {
        let account = Account::register(server.door(), &mut rng, &format!("Mover {owner}"));
        let cells = [Position::random(&mut rng).cell(), Position::random(&mut rng).cell()];
        let mut socket = account.open(Hello::InTurn, &json!({ "place": { "cell": cells[0] } }));
        socket.expect("located");
        socket.ask(&json!({ "type": "locate", "cell": null }), "located");
        // On a new connection the next cell takes effect at once; on this one, at the boundary.
        if owner.is_multiple_of(2) {
            let resume = json!({ "token": socket.welcome["resume"], "have": [] });
            let more = json!({ "resume": resume, "place": { "cell": cells[1] } });
            socket.reset();
            socket = account.open(Hello::InTurn, &more);
            socket.expect("located");
            now.extend(cell_needles(owner, &cells[1]));
        }
        before.extend(cell_needles(owner, &cells[0]));
        sockets.push(socket);
    }
    let (before, now) = (Search::new(before), Search::new(now));
    let gone = left(&before, &server, Instant::now());
    let held = now.process(server.pid());
    for owner in (0..PEOPLE).step_by(2) {
        assert!(held.hits.iter().any(|hit| hit.owner == owner && hit.form == HELD), "{owner} is somewhere");
    }
    let raw = image.raw();
    let mut stored = before.bytes("raw disk", &raw);
    stored.add(now.bytes("raw disk", &raw));
    sockets.into_iter().for_each(Socket::close);
    vec![Row::new(mode, "in memory", PEOPLE, &gone), Row::new(mode, "on the disk", PEOPLE, &stored)]
}

#[test]
fn a_cell_is_gone_when_the_program_that_shared_it_was_stopped_or_killed() {
    in_every_mode("Cells of programs, a second after they ended", |mode| {
        let server = Server::start(mode);
        let mut rng = Rng::with_seed(0x715);
        let positions: Vec<_> = (0..10).map(|_| Position::random(&mut rng)).collect();
        let needles = positions.iter().enumerate().flat_map(|(owner, at)| cell_needles(owner, &at.cell()));
        let search = Search::new(needles);
        let start =
            |(number, at): (usize, &Position)| server.listener(&format!("Listener{number}"), &at.text());
        let listeners: Vec<_> = positions.iter().enumerate().map(start).collect();
        listeners.iter().for_each(Listener::located);
        let connected = search.process(server.pid());
        for owner in 0..positions.len() {
            assert!(connected.hits.iter().any(|hit| hit.owner == owner && hit.form == HELD), "{owner}");
        }
        for (number, listener) in listeners.into_iter().enumerate() {
            if number.is_multiple_of(2) { listener.kill() } else { listener.stop() }
        }
        vec![Row::new(mode, "stopped or killed", positions.len(), &left(&search, &server, Instant::now()))]
    });
}

/// Runs so many sessions, a batch at a time.
fn observe(mode: Mode, sessions: usize, seed: u64) -> Vec<Row> {
    let server = Server::start(mode);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "a dump would write places to disk");
    let mut rng = Rng::with_seed(seed);
    let mut tally = Tally::default();
    let mut accounts = Vec::new();
    while tally.sessions < sessions {
        let batch: Vec<_> = (tally.sessions..sessions.min(tally.sessions + BATCH)).collect();
        while accounts.len() * SESSIONS_OF_A_KEY <= batch[batch.len() - 1] {
            // Two handles that look alike may not have the same tag, and tags are short.
            let handle = format!("Roadrunner {}", accounts.len());
            accounts.push(Account::register(server.door(), &mut rng, &handle));
        }
        let connected: Vec<_> = batch
            .iter()
            .map(|&number| Session::begin(&server, &accounts[number / SESSIONS_OF_A_KEY], number, &mut rng))
            .collect();
        tally.sessions += batch.len();
        end(&server, connected, &mut tally);
    }
    vec![
        Row::new(mode, "connected: copies", tally.sessions, &tally.copies),
        Row::new(mode, "connected: taken back", tally.back, &tally.taken_back),
        Row::new(mode, "after the close", tally.sessions, &tally.left),
    ]
}

/// Looks for a batch while it is connected, ends it, looks until nothing is left.
fn end(server: &Server, mut sessions: Vec<Session>, tally: &mut Tally) {
    for session in &mut sessions {
        if let Client::Process(listener) = &session.client {
            listener.located();
        }
    }
    // Somebody talks, so that distances are worked out from what is held.
    if let Some(Client::Socket(talker)) = sessions
        .iter_mut()
        .map(|session| &mut session.client)
        .find(|client| matches!(client, Client::Socket(_)))
    {
        talker.say();
    }
    let search = Search::new(sessions.iter().flat_map(|session| session.needles.clone()));
    let connected = search.process(server.pid());
    for session in &sessions {
        let found = |owner| connected.hits.iter().any(|hit| hit.owner == owner && hit.form == HELD);
        assert!(session.held.is_none_or(found), "the cell of {:?} is found while it is held", session.held);
    }
    // Of those who took theirs back nothing may be there, in whatever form; of the others one form.
    let back: BTreeSet<_> = sessions.iter().filter_map(|session| session.taken_back).collect();
    tally.back += back.len();
    let (back, hits): (Vec<_>, Vec<_>) =
        connected.hits.into_iter().partition(|hit| back.contains(&hit.owner));
    let copies = hits.into_iter().filter(|hit| hit.form != HELD).collect();
    tally.taken_back.add(Found { bytes: connected.bytes, hits: back });
    tally.copies.add(Found { bytes: connected.bytes, hits: copies });

    // Those that take long to end go first: the promise counts from the last.
    sessions.sort_by_key(|session| session.end != End::Kill);
    for session in sessions {
        match (session.client, session.end) {
            (Client::Process(listener), _) => listener.kill(),
            (Client::Socket(socket), End::Reset) => socket.reset(),
            (Client::Socket(socket), _) => socket.close(),
        }
    }
    tally.left.add(left(&search, server, Instant::now()));
}

/// Searches until nothing is found; a search that begins after the promise is the last.
fn left(search: &Search, server: &Server, closed: Instant) -> Found {
    let mut bytes = 0;
    loop {
        let begun = closed.elapsed();
        let mut found = search.process(server.pid());
        bytes += found.bytes;
        found.bytes = bytes;
        if found.hits.is_empty() || begun >= PROMISE {
            return found;
        }
    }
}

impl Session {
    /// Connects in one of several ways, which the number decides.
    fn begin(server: &Server, account: &Account, number: usize, rng: &mut Rng) -> Self {
        let position = Position::random(rng);
        let cell = position.cell();
        // Two owners for each session: it may say two cells.
        let (owner, other) = (2 * number, 2 * number + 1);
        let mut needles = cell_needles(owner, &cell);
        if number % 20 == 19 {
            let name = format!("Listener{number}");
            let client = Client::Process(server.listener(&name, &position.text()));
            return Self { client, end: End::Kill, held: Some(owner), taken_back: None, needles };
        }
        let (mut held, mut taken_back) = (Some(owner), None);
        let late = number % 5 == 3;
        let more = if late { json!({}) } else { json!({ "place": { "cell": cell } }) };
        let how = [Hello::InTurn, Hello::Early, Hello::InPieces][number % 3];
        let mut socket = account.open(how, &more);
        if late {
            socket.send(&json!({ "type": "locate", "cell": cell }));
        }
        let stamp = socket.expect("located")["stamp"].clone();
        socket.ask(&json!({ "type": "range", "tx": "unlimited", "rx": "1000km" }), "ranged");
        socket.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
        match number % 5 {
            1 => {
                // Moves at the next boundary, which may come at any time: either is held.
                let next = Position::random(rng).cell();
                socket.ask(&json!({ "type": "locate", "cell": next }), "located");
                needles.extend(cell_needles(other, &next));
                held = Some(other);
            }
            2 => {
                socket.ask(&json!({ "type": "locate", "cell": null }), "located");
                taken_back = held.take();
            }
            4 => {
                let resume = json!({ "token": socket.welcome["resume"], "have": [] });
                let place = json!({ "cell": cell, "stamp": stamp });
                socket.reset();
                socket = account.open(how, &json!({ "resume": resume, "place": place }));
                assert_eq!(socket.welcome["resumed"], true);
                socket.expect("located");
            }
            _ => {}
        }
        let end = if number.is_multiple_of(2) { End::Close } else { End::Reset };
        Self { client: Client::Socket(socket), end, held, taken_back, needles }
    }
}
