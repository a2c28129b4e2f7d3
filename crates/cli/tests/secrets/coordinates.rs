//! A coordinate stays with the client that has it.

use fastrand::Rng;
use serde_json::json;

use crate::forms::Position;
use crate::line::Mode;
use crate::search::{Needle, Search};
use crate::server::{Listener, Server};
use crate::socket::{Account, Hello, Socket};
use crate::table::{Row, in_every_mode};

/// Clients of the binary, which are told a precise position with `--at`.
const LISTENERS: usize = 8;
/// Clients of this test, which snap by the same function.
const SOCKETS: usize = 24;

#[test]
fn a_coordinate_is_in_no_memory_file_log_or_packet_of_the_server() {
    in_every_mode("Coordinates, while connected and after", come_and_go);
}

/// Clients talk to a recorder, and it to the server in this mode.
fn come_and_go(mode: Mode) -> Vec<Row> {
    let mut server = Server::start_recorded(mode, Mode::Plain);
    let recorder = server.recorder().clone();
    let mut rng = Rng::with_seed(0x104);
    let positions: Vec<_> = (0..LISTENERS + SOCKETS).map(|_| Position::random(&mut rng)).collect();
    let coordinates =
        Search::new(positions.iter().enumerate().flat_map(|(owner, position)| position.needles(owner)));
    let cells = positions.iter().enumerate();
    let cells = Search::new(cells.map(|(owner, position)| Needle::new(owner, "cell", position.cell())));
    let names = Search::new([Needle::new(0, "handle", "Roadrunner"), Needle::new(1, "log", "on the air")]);

    let start = |(number, position): (usize, &Position)| {
        server.listener(&format!("Listener{number}"), &position.text())
    };
    let listeners: Vec<_> = positions[..LISTENERS].iter().enumerate().map(start).collect();
    let mut sockets = Vec::new();
    for position in &positions[LISTENERS..] {
        let account = Account::register(recorder.door(), &mut rng, "Roadrunner");
        let mut socket = account.open(Hello::InTurn, &json!({ "place": { "cell": position.cell() } }));
        socket.expect("located");
        socket.ask(&json!({ "type": "range", "tx": "100km", "rx": "250km" }), "ranged");
        socket.ask(&json!({ "type": "tune", "channel": "19" }), "tuned");
        socket.say();
        sockets.push(socket);
    }
    listeners.iter().for_each(|listener| listener.located());

    let process = names.process(server.pid());
    assert!(process.hits.iter().any(|hit| hit.owner == 0), "this search finds what is there");
    let mut left = coordinates.process(server.pid());
    listeners.into_iter().for_each(Listener::stop);
    sockets.into_iter().for_each(Socket::close);
    left.add(coordinates.process(server.pid()));
    left.add(coordinates.folder(server.data()));
    server.stop();
    left.add(coordinates.folder(server.data()));
    let mut stored = cells.folder(server.data());
    assert!(names.folder(server.data()).hits.iter().any(|hit| hit.owner == 0), "handles are kept there");
    let log = server.log();
    left.add(coordinates.bytes("log", &log));
    stored.add(cells.bytes("log", &log));
    assert!(names.bytes("log", &log).hits.iter().any(|hit| hit.owner == 1), "there is a log");
    let traffic = recorder.traffic();
    left.add(coordinates.bytes("traffic", &traffic));
    let sent = cells.bytes("traffic", &traffic);
    for owner in 0..positions.len() {
        assert!(sent.hits.iter().any(|hit| hit.owner == owner), "client {owner} has sent its cell");
    }
    vec![
        Row::new(mode, "coordinates, anywhere", positions.len(), &left),
        Row::new(mode, "cells, in files and log", positions.len(), &stored),
    ]
}

/// The same search where there is something to find: a client that gives its position away.
#[test]
fn a_coordinate_that_a_client_does_say_is_found() {
    let mut server = Server::start_recorded(Mode::Tls13, Mode::Plain);
    let recorder = server.recorder().clone();
    let mut rng = Rng::with_seed(0xbad);
    let position = Position::random(&mut rng);
    let search = Search::new(position.needles(0));
    let account = Account::register(recorder.door(), &mut rng, &position.text());
    let socket = account.open(Hello::InTurn, &json!({}));
    assert!(!search.process(server.pid()).hits.is_empty());
    socket.close();
    server.stop();
    assert!(!search.folder(server.data()).hits.is_empty());
    assert!(!search.bytes("traffic", &recorder.traffic()).hits.is_empty());
}
