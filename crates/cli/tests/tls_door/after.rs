//! After the handshake.

use std::time::Duration;

use rustls::AlertDescription::BadRecordMac;
use rustls::ContentType;
use socket2::SockRef;

use crate::http::request;
use crate::line::Door;
use crate::peer::{Came, Forger, Peer, ask, record};
use crate::table::{Case, Want};

/// A key update that asks for one: RFC 8446, 4.6.3.
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 1];
/// Bytes that an answer has at least.
const ANSWER: usize = 300;
const NEW: [u8; 2] = [3, 3];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "one byte of a handshake message, then nothing",
        want: Want::Over,
        attack: part_of_a_message,
    },
    Case {
        name: "a request, a byte of a handshake message",
        want: Want::Served(1),
        attack: request_and_part,
    },
    Case { name: "a byte of a handshake message, a request", want: Want::Over, attack: part_and_request },
    Case { name: "a key update, then a request", want: Want::Served(1), attack: |door| key_updates(door, 1) },
    Case {
        name: "20 key updates, each with a request",
        want: Want::Served(20),
        attack: updates_and_requests,
    },
    Case { name: "10,000 key updates, nothing read", want: Want::Any, attack: update_flood },
    Case {
        name: "a hello",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &hello(door)),
    },
    Case {
        name: "a request for a hello",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &[0, 0, 0, 0]),
    },
    Case {
        name: "a second end",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &[&[20, 0, 0, 12][..], &[7; 12]].concat()),
    },
    Case {
        name: "a certificate",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &[11, 0, 0, 3, 0, 0, 0]),
    },
    Case {
        name: "a ticket",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &[4, 0, 0, 6, 0, 0, 0, 9, 0, 0]),
    },
    Case {
        name: "a handshake message of 16 MB, its head",
        want: Want::Over,
        attack: |door| forged(door, ContentType::Handshake, &[24, 0xff, 0xff, 0xff]),
    },
    Case {
        name: "a message of no type",
        want: Want::Refused,
        attack: |door| forged(door, ContentType::Handshake, &[99, 0, 0, 0]),
    },
    Case {
        name: "a change of cipher",
        want: Want::Over,
        attack: |door| forged(door, ContentType::ChangeCipherSpec, &[1]),
    },
    Case {
        name: "a heartbeat",
        want: Want::Over,
        attack: |door| forged(door, ContentType::Heartbeat, &[1, 0xff, 0xff]),
    },
    Case {
        name: "an alert of one byte",
        want: Want::Over,
        attack: |door| forged(door, ContentType::Alert, &[1]),
    },
    Case { name: "warnings, 1,000", want: Want::Over, attack: warnings },
    Case { name: "a garbled record", want: Want::Alert(BadRecordMac), attack: garbled },
    Case { name: "a request, a garbled record", want: Want::Any, attack: request_and_garbled },
    Case { name: "a record twice", want: Want::Any, attack: replayed },
    Case { name: "data that is not sealed", want: Want::Over, attack: |door| unsealed(door, 23, &ask(door)) },
    Case {
        name: "good-bye that is not sealed",
        want: Want::Over,
        attack: |door| unsealed(door, 21, &[1, 0]),
    },
    Case {
        name: "a handshake message that is not sealed",
        want: Want::Over,
        attack: |door| unsealed(door, 22, &hello(door)),
    },
    Case { name: "a record of the largest size", want: Want::Served(1), attack: largest },
    Case { name: "a record of one byte more", want: Want::Over, attack: too_large },
    Case { name: "20 empty records, a request", want: Want::Served(1), attack: |door| empty(door, 20) },
    Case { name: "1,000 empty records, a request", want: Want::Any, attack: |door| empty(door, 1_000) },
    Case { name: "a request in records of one byte", want: Want::Served(1), attack: tiny },
    Case { name: "half a record, the rest a second later", want: Want::Served(1), attack: slow_record },
    Case { name: "half a record, then the end", want: Want::Over, attack: half_record },
    Case { name: "a request, good-bye: half-close", want: Want::Ends(1), attack: half_close },
    Case { name: "a request, good-bye, another request", want: Want::Ends(1), attack: words_after_good_bye },
    Case { name: "good-bye twice", want: Want::Over, attack: good_bye_twice },
    Case { name: "a request, the end without good-bye", want: Want::Any, attack: cut_short },
    Case { name: "a request, a reset", want: Want::Any, attack: reset },
    Case { name: "200 requests in one packet", want: Want::Served(200), attack: pipelined },
    Case { name: "2,000 requests, no answer read, a reset", want: Want::Any, attack: unread },
];

fn hello(door: Door) -> Vec<u8> {
    Peer::connect(door).out()[5..].to_vec()
}

/// One record, then the end: what comes back.
fn forged(door: Door, kind: ContentType, payload: &[u8]) -> Came {
    let mut forger = Peer::shaken(door).forge();
    let sealed = forger.seal(kind, payload);
    forger.send(&sealed);
    over(forger)
}

/// Waits for the end; more bytes than alerts and tickets have would be answers.
fn over(forger: Forger) -> Came {
    forger.until(ANSWER + 1_000)
}

fn part_of_a_message(door: Door) -> Came {
    forged(door, ContentType::Handshake, &KEY_UPDATE[..1])
}

fn request_and_part(door: Door) -> Came {
    let mut forger = Peer::shaken(door).forge();
    let ask = forger.seal(ContentType::ApplicationData, &ask(door));
    let part = forger.seal(ContentType::Handshake, &[if forger.is_new { KEY_UPDATE[0] } else { 1 }]);
    forger.send(&[ask, part].concat());
    forger.until(ANSWER)
}

/// Data between the parts of a handshake message: RFC 8446, 5.1, has none of it.
fn part_and_request(door: Door) -> Came {
    let mut forger = Peer::shaken(door).forge();
    let part = forger.seal(ContentType::Handshake, &[if forger.is_new { KEY_UPDATE[0] } else { 1 }]);
    let ask = forger.seal(ContentType::ApplicationData, &ask(door));
    forger.send(&[part, ask].concat());
    over(forger)
}

fn key_updates(door: Door, many: usize) -> Came {
    let mut peer = Peer::shaken(door);
    for _ in 0..many {
        update(&mut peer);
        let update = peer.out();
        peer.send(&update);
    }
    peer.and_asks(door, 1)
}

/// There is none in TLS 1.2.
fn update(peer: &mut Peer) {
    peer.connection.refresh_traffic_keys().ok();
}

fn updates_and_requests(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    for _ in 0..20 {
        update(&mut peer);
        let update = peer.out();
        let ask = peer.seal(&ask(door));
        peer.send(&[update, ask].concat());
    }
    peer.until(20)
}

fn update_flood(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    peer.tcp.set_write_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    for _ in 0..10_000 {
        update(&mut peer);
        let update = peer.out();
        peer.send(&update);
    }
    Came::End(0)
}

fn warnings(door: Door) -> Came {
    let mut forger = Peer::shaken(door).forge();
    for _ in 0..1_000 {
        let warning = forger.seal(ContentType::Alert, &[1, 90]);
        forger.send(&warning);
    }
    over(forger)
}

fn garbled(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let mut sealed = peer.seal(&ask(door));
    *sealed.last_mut().expect("a record") ^= 1;
    peer.send(&sealed);
    peer.until(0)
}

fn request_and_garbled(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let good = peer.seal(&ask(door));
    let mut bad = peer.seal(&ask(door));
    *bad.last_mut().expect("a record") ^= 1;
    peer.send(&[good, bad].concat());
    peer.until(0)
}

fn replayed(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door));
    peer.send(&sealed.repeat(2));
    peer.until(0)
}

fn unsealed(door: Door, kind: u8, payload: &[u8]) -> Came {
    let mut peer = Peer::shaken(door);
    peer.send(&record(kind, NEW, payload));
    peer.fin();
    peer.until(0)
}

fn largest(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let empty = request("POST", door, "/api/v1/nonce", "", "").len();
    // Five figures of the length instead of one.
    let body = format!("{{}}{}", " ".repeat(16 * 1024 - empty - 4 - 2));
    let ask = request("POST", door, "/api/v1/nonce", "", &body);
    assert_eq!(ask.len(), 16 * 1024, "it fills a record");
    let sealed = peer.seal(&ask);
    peer.send(&sealed);
    peer.until(1)
}

fn too_large(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let largest = if peer.connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3) {
        16 * 1024 + 256
    } else {
        16 * 1024 + 2048
    };
    peer.send(&record(23, NEW, &vec![7; largest + 1]));
    peer.until(0)
}

fn empty(door: Door, many: usize) -> Came {
    let mut forger = Peer::shaken(door).forge();
    for _ in 0..many {
        let empty = forger.seal(ContentType::ApplicationData, b"");
        forger.send(&empty);
    }
    let ask = forger.seal(ContentType::ApplicationData, &ask(door));
    forger.send(&ask);
    forger.until(ANSWER)
}

fn tiny(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let records: Vec<u8> = ask(door).iter().flat_map(|byte| peer.seal(&[*byte])).collect();
    peer.send(&records);
    peer.until(1)
}

fn slow_record(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door));
    let (one, two) = sealed.split_at(sealed.len() / 2);
    peer.send(one);
    std::thread::sleep(Duration::from_secs(1));
    peer.send(two);
    peer.until(1)
}

fn half_record(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door));
    peer.send(&sealed[..sealed.len() / 2]);
    peer.fin();
    peer.until(0)
}

fn half_close(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let mut all = peer.seal(&ask(door));
    peer.connection.send_close_notify();
    all.extend(peer.out());
    peer.send(&all);
    peer.fin();
    peer.until(0)
}

fn words_after_good_bye(door: Door) -> Came {
    let mut forger = Peer::shaken(door);
    let first = forger.seal(&ask(door));
    forger.connection.send_close_notify();
    let end = forger.out();
    forger.send(&[&first[..], &end, &record(23, NEW, &ask(door)), b"bytes that are no record"].concat());
    forger.until(0)
}

fn good_bye_twice(door: Door) -> Came {
    let mut forger = Peer::shaken(door).forge();
    let ends = [forger.seal(ContentType::Alert, &[1, 0]), forger.seal(ContentType::Alert, &[1, 0])];
    forger.send(&ends.concat());
    over(forger)
}

fn cut_short(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door));
    peer.send(&sealed);
    peer.fin();
    peer.until(0)
}

fn reset(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door));
    peer.send(&sealed);
    SockRef::from(&peer.tcp).set_linger(Some(Duration::ZERO)).expect("an option");
    Came::End(0)
}

fn pipelined(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    let sealed = peer.seal(&ask(door).repeat(200));
    peer.send(&sealed);
    peer.until(200)
}

fn unread(door: Door) -> Came {
    let mut peer = Peer::shaken(door);
    peer.tcp.set_write_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    for _ in 0..2_000 {
        let ask = peer.seal(&ask(door));
        peer.send(&ask);
    }
    SockRef::from(&peer.tcp).set_linger(Some(Duration::ZERO)).expect("an option");
    Came::End(0)
}
