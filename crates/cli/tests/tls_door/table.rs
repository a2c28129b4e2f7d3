//! Runs the cases, and says what came of each.

use std::time::{Duration, Instant};

use rustls::AlertDescription;
use tenfour_protocol::limits::HANDSHAKE;

use crate::line::{Door, Mode};
use crate::peer::{Came, Peer, honest_are_served, record};
use crate::server::Server;
use crate::{after, before};

/// Something hostile or odd.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is due to it.
    pub(crate) want: Want,
    pub(crate) attack: fn(Door) -> Came,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    /// So many good answers.
    Served(usize),
    /// So many, and then the end.
    Ends(usize),
    /// The end, with a word or without.
    Over,
    /// The end, or that nothing comes of it: it may be waved aside.
    Refused,
    /// The end, with this word.
    Alert(AlertDescription),
    /// It is in the hands of the library; others are served.
    Any,
}

impl Want {
    fn is(self, came: Came) -> bool {
        match self {
            Self::Served(answers) => came == Came::Answers(answers),
            Self::Ends(answers) => came == Came::End(answers),
            Self::Over => matches!(came, Came::End(0) | Came::Alert(_)),
            Self::Refused => matches!(came, Came::End(0) | Came::Alert(_) | Came::Nothing),
            Self::Alert(alert) => came == Came::Alert(alert),
            Self::Any => true,
        }
    }
}

#[test]
fn whatever_is_said_at_the_door_of_tls_the_server_goes_on() {
    let mut wrong = Vec::new();
    println!("{:<46} {:<28} {:<28}", "what is sent", "TLS 1.2", "TLS 1.3");
    let servers = [Mode::Tls12, Mode::Tls13].map(Server::start);
    for Case { name, want, attack } in before::CASES.iter().chain(after::CASES) {
        let came = std::thread::scope(|scope| {
            let attacks = servers.each_ref().map(|server| scope.spawn(|| attack(server.door())));
            attacks.map(|attack| attack.join().expect("an attack is carried out"))
        });
        for server in &servers {
            assert!(honest_are_served(server.door()), "after {name}, {:?}", server.door().mode);
        }
        println!("{name:<46} {:<28} {:<28}", format!("{:?}", came[0]), format!("{:?}", came[1]));
        wrong.extend(came.into_iter().filter(|came| !want.is(*came)).map(|came| (*name, *want, came)));
    }
    for server in servers {
        let log = String::from_utf8(server.log()).expect("text");
        assert!(!log.contains("panicked"), "{log}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Nothing more comes, at every stage: the server waits no longer than it says.
#[test]
fn a_handshake_that_is_never_finished_is_given_up_in_time() {
    std::thread::scope(|scope| {
        for mode in [Mode::Tls12, Mode::Tls13] {
            scope.spawn(move || give_up(&Server::start(mode)));
        }
    });
}

fn give_up(server: &Server) {
    let door = server.door();
    let mut waiting = Vec::new();
    for at in [0, 1, 4, 5, 6, 100] {
        let mut peer = Peer::connect(door);
        let hello = peer.out();
        peer.send(&hello[..at]);
        waiting.push((Instant::now(), peer));
    }
    // The hello is whole, or all but a byte of the end.
    let mut peer = Peer::connect(door);
    let hello = peer.out();
    peer.send(&hello);
    waiting.push((Instant::now(), peer));
    let (mut peer, last) = Peer::half_shaken(door);
    peer.send(&last[..last.len() - 1]);
    waiting.push((Instant::now(), peer));
    // A change of cipher means nothing.
    let mut peer = Peer::connect(door);
    peer.send(&record(20, [3, 1], &[1]));
    waiting.push((Instant::now(), peer));
    for (number, (sent, peer)) in waiting.into_iter().enumerate() {
        let came = peer.until_closed();
        let after = sent.elapsed();
        assert_eq!(came, Came::End(0));
        assert!(after < HANDSHAKE + Duration::from_secs(2), "{:?}, {number}: after {after:?}", door.mode);
    }
    assert!(honest_are_served(door));
}
