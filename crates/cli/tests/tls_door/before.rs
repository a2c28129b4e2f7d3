//! Before and in the handshake.

use std::io::Write;
use std::time::Duration;

use fastrand::Rng;
use rustls::AlertDescription::NoApplicationProtocol;
use socket2::SockRef;

use crate::line::Door;
use crate::peer::{Came, Peer, ask, record};
use crate::table::{Case, Want};

/// The version in the head of a client's first record.
const OLD: [u8; 2] = [3, 1];
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const CHANGE_CIPHER_SPEC: u8 = 20;
const DATA: u8 = 23;

pub(crate) const CASES: &[Case] = &[
    Case { name: "the handshake, byte by byte", want: Want::Served(1), attack: |door| pieces(door, 1) },
    Case { name: "the handshake, in threes", want: Want::Served(1), attack: |door| pieces(door, 3) },
    Case { name: "a hello in records of one byte", want: Want::Any, attack: tiny_records },
    Case { name: "a hello of 60,000 bytes", want: Want::Over, attack: endless_hello },
    Case { name: "a hello twice", want: Want::Over, attack: hello_twice },
    Case { name: "a hello of TLS 1.1", want: Want::Over, attack: too_old },
    Case {
        name: "a hello of SSL 2",
        want: Want::Over,
        attack: |door| raw(door, &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10]),
    },
    Case {
        name: "another protocol in ALPN",
        want: Want::Alert(NoApplicationProtocol),
        attack: other_protocol,
    },
    Case { name: "plain HTTP", want: Want::Over, attack: |door| raw(door, &ask(door)) },
    Case {
        name: "a record of a type that is none",
        want: Want::Over,
        attack: |door| raw(door, &record(99, OLD, b"hello")),
    },
    Case {
        name: "a record that is too long",
        want: Want::Over,
        attack: |door| raw(door, &[HANDSHAKE, 3, 1, 0xff, 0xff, 1, 2]),
    },
    Case {
        name: "data before the handshake",
        want: Want::Over,
        attack: |door| raw(door, &record(DATA, OLD, &ask(door))),
    },
    Case {
        name: "empty records, 1,000",
        want: Want::Over,
        attack: |door| raw(door, &record(HANDSHAKE, OLD, b"").repeat(1_000)),
    },
    Case {
        name: "empty data, 1,000",
        want: Want::Over,
        attack: |door| raw(door, &record(DATA, OLD, b"").repeat(1_000)),
    },
    Case {
        name: "good-bye before the hello",
        want: Want::Over,
        attack: |door| raw(door, &record(ALERT, OLD, &[1, 0])),
    },
    Case {
        name: "a fatal alert before the hello",
        want: Want::Over,
        attack: |door| raw(door, &record(ALERT, OLD, &[2, 40])),
    },
    Case {
        name: "warnings before the hello, 1,000",
        want: Want::Over,
        attack: |door| raw(door, &record(ALERT, OLD, &[1, 90]).repeat(1_000)),
    },
    Case { name: "half an alert", want: Want::Over, attack: |door| raw(door, &record(ALERT, OLD, &[2])) },
    Case {
        name: "changes of cipher, 1,000",
        want: Want::Over,
        attack: |door| raw(door, &record(CHANGE_CIPHER_SPEC, OLD, &[1]).repeat(1_000)),
    },
    Case { name: "changes of cipher in the handshake, 1,000", want: Want::Over, attack: changes_of_cipher },
    Case { name: "noise, 200 times", want: Want::Over, attack: noise },
    Case { name: "a flipped bit in the hello, 300 times", want: Want::Any, attack: flipped_hello },
    Case { name: "a flipped bit in the end, all bytes", want: Want::Over, attack: flipped_end },
    Case { name: "the end cut at each byte", want: Want::Over, attack: cut_end },
    Case { name: "a hello cut at each byte", want: Want::Over, attack: cut_hello },
    Case { name: "a reset at each byte of a hello", want: Want::Any, attack: reset_hello },
    Case { name: "the end with a request and good-bye", want: Want::Ends(1), attack: all_at_once },
    Case { name: "the end with a request, then pieces", want: Want::Served(2), attack: end_and_request },
];

fn raw(door: Door, bytes: &[u8]) -> Came {
    let mut peer = Peer::connect(door);
    peer.send(bytes);
    peer.fin();
    peer.until(0)
}

fn pieces(door: Door, size: usize) -> Came {
    let mut peer = Peer::connect(door);
    while peer.connection.is_handshaking() || peer.connection.wants_write() {
        for piece in peer.out().chunks(size) {
            peer.send(piece);
        }
        if peer.connection.is_handshaking() {
            peer.connection.read_tls(&mut peer.tcp).expect("an answer");
            peer.connection.process_new_packets().expect("a handshake");
        }
    }
    for piece in peer.seal(&ask(door)).chunks(size) {
        peer.send(piece);
    }
    peer.until(1)
}

/// The handshake message that is in a client's first record.
fn hello_message(hello: &[u8]) -> Vec<u8> {
    assert_eq!(hello[0], HANDSHAKE);
    hello[5..].to_vec()
}

fn tiny_records(door: Door) -> Came {
    let mut peer = Peer::connect(door);
    let message = hello_message(&peer.out());
    let records: Vec<u8> = message.iter().flat_map(|byte| record(HANDSHAKE, OLD, &[*byte])).collect();
    peer.send(&records);
    peer.fin();
    peer.until(0)
}

fn endless_hello(door: Door) -> Came {
    let mut peer = Peer::connect(door);
    let mut message = vec![0; 60_000];
    message[..4].copy_from_slice(&[1, 0, 0xea, 0x60]);
    for piece in message.chunks(4_000) {
        peer.send(&record(HANDSHAKE, OLD, piece));
    }
    peer.until(0)
}

fn hello_twice(door: Door) -> Came {
    let mut peer = Peer::connect(door);
    let hello = peer.out();
    peer.send(&[&hello[..], &hello].concat());
    peer.fin();
    peer.until(0)
}

fn too_old(door: Door) -> Came {
    // No supported_versions: what a client of that time says.
    let mut hello = [&[1, 0, 0, 45, 3, 2][..], &[7; 32], &[0, 0, 4, 0xc0, 0x2b, 0, 0x2f, 1, 0]].concat();
    let length = hello.len() - 4;
    hello[3] = u8::try_from(length).expect("it is short");
    raw(door, &record(HANDSHAKE, OLD, &hello))
}

fn other_protocol(door: Door) -> Came {
    let mut config = (*door.mode.client().expect("a version of TLS")).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut peer = Peer::with(door, config.into());
    let hello = peer.out();
    peer.send(&hello);
    peer.until(0)
}

fn changes_of_cipher(door: Door) -> Came {
    let (mut peer, last) = Peer::half_shaken(door);
    peer.send(&record(CHANGE_CIPHER_SPEC, [3, 3], &[1]).repeat(1_000));
    peer.send(&last);
    peer.fin();
    peer.until(0)
}

fn noise(door: Door) -> Came {
    let mut rng = Rng::with_seed(0x4015e);
    let mut worst = Came::End(0);
    for _ in 0..200 {
        let mut bytes = vec![0; rng.usize(1..30_000)];
        rng.fill(&mut bytes);
        // Some of it looks like a record.
        if rng.bool() {
            bytes[0] = rng.u8(20..24);
        }
        let came = raw(door, &bytes);
        worst = worse(worst, came);
    }
    worst
}

/// The one that is less expected of an attack that should fail.
fn worse(one: Came, other: Came) -> Came {
    match (one, other) {
        (Came::End(0) | Came::Alert(_), other) => other,
        (one, _) => one,
    }
}

fn flipped_hello(door: Door) -> Came {
    let mut rng = Rng::with_seed(0xf11b);
    for _ in 0..300 {
        let mut peer = Peer::connect(door);
        let mut hello = peer.out();
        let at = rng.usize(..hello.len());
        hello[at] ^= 1 << rng.u8(..8);
        peer.send(&hello);
        peer.fin();
        peer.until(0);
    }
    Came::End(0)
}

fn flipped_end(door: Door) -> Came {
    let bytes = Peer::half_shaken(door).1.len();
    let mut worst = Came::End(0);
    for at in 0..bytes {
        let (mut peer, mut last) = Peer::half_shaken(door);
        last[at] ^= 0x40;
        peer.send(&last);
        peer.fin();
        worst = worse(worst, peer.until(0));
    }
    worst
}

fn cut_end(door: Door) -> Came {
    let bytes = Peer::half_shaken(door).1.len();
    let mut worst = Came::End(0);
    for at in 0..bytes {
        let (mut peer, last) = Peer::half_shaken(door);
        peer.send(&last[..at]);
        peer.fin();
        worst = worse(worst, peer.until(0));
    }
    worst
}

fn cut_hello(door: Door) -> Came {
    let bytes = Peer::connect(door).out().len();
    let mut worst = Came::End(0);
    for at in 0..bytes {
        let mut peer = Peer::connect(door);
        let hello = peer.out();
        peer.send(&hello[..at]);
        peer.fin();
        worst = worse(worst, peer.until(0));
    }
    worst
}

fn reset_hello(door: Door) -> Came {
    let bytes = Peer::connect(door).out().len();
    for at in 0..bytes {
        let mut peer = Peer::connect(door);
        let hello = peer.out();
        peer.send(&hello[..at]);
        SockRef::from(&peer.tcp).set_linger(Some(Duration::ZERO)).expect("an option");
    }
    Came::End(0)
}

fn all_at_once(door: Door) -> Came {
    let (mut peer, mut all) = Peer::half_shaken(door);
    // Under TLS 1.2 nothing may be sealed before the server has answered.
    peer = send_end(peer, &mut all);
    all.extend(peer.seal(&ask(door)));
    peer.connection.send_close_notify();
    all.extend(peer.out());
    peer.send(&all);
    peer.fin();
    peer.until(0)
}

fn end_and_request(door: Door) -> Came {
    let (mut peer, mut all) = Peer::half_shaken(door);
    peer = send_end(peer, &mut all);
    let ask = ask(door);
    let second = {
        all.extend(peer.seal(&ask));
        peer.seal(&ask)
    };
    all.extend(&second[..second.len() / 2]);
    peer.send(&all);
    peer.tcp.flush().expect("an option");
    peer.send(&second[second.len() / 2..]);
    peer.until(2)
}

/// Under TLS 1.2 the end of the handshake has to be sent before anything else may be.
fn send_end(mut peer: Peer, last: &mut Vec<u8>) -> Peer {
    if peer.connection.is_handshaking() {
        peer.send(last);
        last.clear();
        peer = peer.shake();
    }
    peer
}
