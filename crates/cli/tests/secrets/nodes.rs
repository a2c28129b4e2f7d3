//! What nodes of a cluster tell each other is gone from their memory like what they are told by people: voice a
//! second after its hold, the cell of a talker a second after the burst; with NATS in clear and behind TLS.

use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::canary::{Canaries, start};
use crate::forms::{Position, cell_needles};
use crate::http::{PATIENCE, answer, request};
use crate::line::Mode;
use crate::nats::NatsServer;
use crate::search::{Found, Search};
use crate::server::{Server, Setup};
use crate::socket::{Account, Hello};
use crate::table::{Row, conclude};

/// How long voice is held.
const HOLD: Duration = Duration::from_secs(2);
/// A search that begins so long after what it looks for should be gone, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);
/// Frames that cross, a second.
const FRAMES: u16 = 50;

#[test]
fn what_nodes_tell_each_other_is_gone_as_if_people_had_told_it() {
    let rows: Vec<_> = [Mode::Plain, Mode::Tls13].into_iter().flat_map(cross).collect();
    conclude("Nodes, after a burst that crossed NATS (mode: that of NATS)", &rows);
}

fn cross(mode: Mode) -> Vec<Row> {
    let (nats, authority) = match mode {
        Mode::Plain => (NatsServer::start(), None),
        Mode::Tls12 | Mode::Tls13 => {
            let (nats, authority) = NatsServer::secure();
            (nats, Some(authority))
        }
    };
    let scheme = if mode.is_secure() { "tls" } else { "nats" };
    let url = format!("{scheme}://127.0.0.1:{}", nats.port);
    let hold = format!("{}s", HOLD.as_secs());
    let node = |name: &str| {
        let mut variables = vec![("TENFOUR_HOLD", &hold[..]), ("TENFOUR_NATS", &url), ("TENFOUR_NODE", name)];
        variables.extend(authority.iter().map(|file| ("SSL_CERT_FILE", file.to_str().expect("text"))));
        Server::start_with(Mode::Plain, Setup { variables: &variables, ..Setup::default() })
    };
    let (here, there) = (node("alpha"), node("beta"));
    let mut rng = Rng::with_seed(0x4a75);
    let cell = Position::random(&mut rng).cell();
    let talker = Account::register(here.door(), &mut rng, "Talker");
    let listener = Account::register(there.door(), &mut rng, "Listener");
    let mut hears = listener.open(Hello::InTurn, &json!({}));
    let mut talks = talker.open(Hello::InTurn, &json!({ "place": { "cell": cell } }));
    talks.expect("located");
    for socket in [&mut hears, &mut talks] {
        socket.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
    }
    until_both_are_counted(&here, &talker);

    let mut canaries = Canaries::new(&mut rng, 0);
    talks.send(&start(1, 19));
    talks.voice(1, 0, &canaries.payload());
    // What is known there now does not wait for the hub.
    hears.hear(1);
    (1..FRAMES).for_each(|seq| talks.voice(1, seq, &canaries.payload()));
    let last = Instant::now();
    hears.hear(usize::from(FRAMES) - 1);
    let (frames, voice) = (canaries.frames(), Search::new(canaries.needles));
    let cells = Search::new(cell_needles(0, &cell));
    for server in [&here, &there] {
        assert!(voice.process(server.pid()).hits.len() >= frames, "voice is found while it is held");
    }
    assert!(!cells.process(there.pid()).hits.is_empty(), "the cell is there while its owner talks");
    talks.send(&json!({ "type": "burst.end", "burst": 1, "frames": FRAMES }));
    hears.expect("burst.ended");
    std::thread::sleep((last + HOLD + PROMISE).saturating_duration_since(Instant::now()));
    let mut left = Found::default();
    [&here, &there].iter().for_each(|server| left.add(voice.process(server.pid())));
    vec![
        Row::new(mode, "voice, both nodes", frames, &left),
        Row::new(mode, "cell of the talker, the other node", 1, &cells.process(there.pid())),
    ]
}

/// Waits until the node knows of the listener elsewhere.
fn until_both_are_counted(server: &Server, account: &Account) {
    let begun = Instant::now();
    loop {
        let mut line = server.door().connect();
        let ask = request("GET", server.door(), "/api/v1/channels", &account.credential(), "");
        std::io::Write::write_all(&mut line, &ask).expect("the server reads");
        let (_, body) = answer(&mut line);
        let channels: Value = serde_json::from_slice(&body).expect("JSON");
        let all = channels["channels"].as_array().expect("a list");
        let channel = all.iter().find(|channel| channel["channel"] == "19").expect("it is there");
        if channel["count"] == 2 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{channel}");
    }
}
