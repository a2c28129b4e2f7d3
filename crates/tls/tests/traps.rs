//! What rustls' unbuffered connections do to those who use them carelessly. Each test is one trap, under TLS 1.2
//! and 1.3 where both have it.

mod pair;

use pair::{Forger, Pair, VERSIONS};
use tenfour_tls::{Error, Row, SEALED_MORE};

#[test]
fn both_ends_talk_whatever_pieces_the_network_makes() {
    for version in VERSIONS {
        for piece in [1, 3, 100, 20_000] {
            let mut pair = Pair::new(version);
            pair.piece = piece;
            pair.shake_hands();
            for message in [&b"a"[..], &[7; 5000], &[9; 16 * 1024]] {
                assert_eq!(pair.server_gets(message), message, "{version:?} in pieces of {piece}");
                assert_eq!(pair.client_gets(message), message, "{version:?} in pieces of {piece}");
            }
        }
    }
}

/// Trap 1. One byte of a handshake message after the handshake: rustls has decrypted it in place, and looks for it
/// at the front of whatever it is shown next.
#[test]
fn a_part_of_a_handshake_message_is_no_end_of_the_server() {
    let mut pair = Pair::new(VERSIONS[1]);
    pair.shake_hands();
    let mut forger = Forger::of(&mut pair);
    // A key update is five bytes.
    let whole = [24, 0, 0, 1, 0];
    for (at, byte) in whole.iter().enumerate().take(4) {
        let record = forger.seal(22, &[*byte]);
        assert!(forger.feed(&record).is_ok(), "byte {at}");
        let sealed = forger.server_says(b"still there").expect("it can be written in between");
        assert_eq!(forger.open(&sealed), (23, b"still there".to_vec()));
    }
    let record = forger.seal(22, &whole[4..]);
    assert!(forger.feed(&record).is_ok());
    forger.rekey();
    let record = forger.seal(23, b"under the new key");
    assert_eq!(forger.feed(&record).unwrap(), b"under the new key");
}

/// Trap 2. What was bad is not shown again, and the last word goes out.
#[test]
fn a_garbled_record_ends_the_session_with_an_alert() {
    for version in VERSIONS {
        let mut pair = Pair::new(version);
        pair.shake_hands();
        let mut record = pair.sealed_by_client(b"hello");
        *record.last_mut().unwrap() ^= 1;
        assert!(matches!(pair.server_reads(&record), Err(Error::Tls(_))), "{version:?}");
        assert!(pair.server.is_pending(), "an alert");
        assert!(pair.server.seal(b"more", &mut Row::new(1000)).is_none());
        // Whatever comes after that is nobody's.
        for _ in 0..3 {
            let again = pair.sealed_by_client(b"hello");
            assert!(matches!(pair.server_reads(&again), Err(Error::Over)));
        }
        let alert = pair.server_out();
        assert!(matches!(pair.client_reads(&alert), Err(Error::Tls(rustls::Error::AlertReceived(_)))));
    }
}

/// The same with a part of a handshake message before it: the alert is asked for without input.
#[test]
fn a_garbled_record_behind_a_part_of_a_message_is_no_panic() {
    let mut pair = Pair::new(VERSIONS[1]);
    pair.shake_hands();
    let mut forger = Forger::of(&mut pair);
    let part = forger.seal(22, &[24]);
    assert!(forger.feed(&part).is_ok());
    let mut bad = forger.seal(22, &[0]);
    *bad.last_mut().unwrap() ^= 1;
    assert!(forger.feed(&bad).is_err());
    assert!(pair.server.is_pending());
}

/// Trap 3. Tickets come after the end of the handshake.
#[test]
fn tickets_are_pending_after_the_handshake() {
    let mut pair = Pair::new(VERSIONS[1]);
    pair.client_to_server();
    pair.server_to_client();
    assert!(pair.client.is_open() && !pair.server.is_open());
    pair.client_to_server();
    assert!(pair.server.is_open() && pair.server.is_pending());
    assert!(pair.server.seal(b"too early", &mut Row::new(1000)).is_none(), "they go first");
    pair.server_to_client();
    assert_eq!(pair.client_gets(b"now"), b"now");
}

/// The end of the handshake, a request and the client's last word may come in one packet.
#[test]
fn who_says_everything_at_once_is_heard() {
    let mut pair = Pair::new(VERSIONS[1]);
    pair.client_to_server();
    pair.server_to_client();
    let mut all = pair.client.pending().to_vec();
    pair.client.sent(all.len());
    all.extend(pair.sealed_by_client(b"a request"));
    pair.client.close();
    all.extend(pair.client.pending());
    // As somebody reads who has no room yet.
    let mut came = Vec::new();
    pair.server
        .read(&mut all, |plain| {
            came.extend_from_slice(plain);
            false
        })
        .unwrap();
    assert_eq!(came, b"a request");
    assert!(pair.server.is_open() && !pair.server.peer_closed());
    let mut rest = pair.server.kept().to_vec();
    pair.server.read(&mut rest, |_| true).unwrap();
    assert!(pair.server.peer_closed());
}

/// Trap 4. A record that was sealed goes out, and before anything else.
#[test]
fn nothing_is_sealed_while_something_is_pending() {
    for version in VERSIONS {
        let mut pair = Pair::new(version);
        pair.shake_hands();
        let mut row = Row::new(2000);
        let first = pair.server.seal(b"first", &mut row).unwrap();
        let first = row.get(first).to_vec();
        pair.server.keep(&first[4..]);
        assert!(pair.server.seal(b"second", &mut row).is_none());
        pair.server.sent(3);
        assert_eq!(pair.server.pending(), &first[7..]);
        assert!(pair.server.seal(b"second", &mut row).is_none());
        pair.server.sent(first.len() - 7);
        let second = pair.server.seal(b"second", &mut row).unwrap();
        let both = [&first, row.get(second)].concat();
        assert_eq!(pair.client_reads(&both).unwrap(), b"firstsecond");
    }
}

/// Trap 5. A record is longer than its plaintext by as much as we make room for, also when a key update has to be
/// answered; there is no room for it in a row that is too short, and nothing is lost then.
#[test]
fn sealing_takes_no_more_room_than_is_said() {
    for version in VERSIONS {
        let mut pair = Pair::new(version);
        pair.shake_hands();
        let mut row = Row::new(100 + SEALED_MORE);
        let plain = [5; 100];
        assert!(pair.server.seal(&plain, &mut Row::new(99 + SEALED_MORE)).is_none());
        let sealed = pair.server.seal(&plain, &mut row).unwrap();
        let more = sealed.len() - plain.len();
        assert_eq!(more, if version == VERSIONS[0] { 29 } else { 22 });
        let sealed = row.get(sealed).to_vec();
        assert_eq!(pair.client_reads(&sealed).unwrap(), plain);
    }
    let mut pair = Pair::new(VERSIONS[1]);
    pair.shake_hands();
    let mut forger = Forger::of(&mut pair);
    let update = forger.seal(22, &[24, 0, 0, 1, 1]);
    assert!(forger.feed(&update).is_ok());
    let answer = forger.server_says(&[5; 100]).unwrap();
    assert_eq!(answer.len(), 100 + 22 + 27, "an answer stands before the record");
}

/// Trap 5. After the own close_notify nothing is sealed; after the peer's, nothing is read.
#[test]
fn after_the_end_there_is_nothing() {
    for version in VERSIONS {
        let mut pair = Pair::new(version);
        pair.shake_hands();
        let late = {
            pair.client.close();
            let end = pair.client.pending().to_vec();
            pair.client.sent(end.len());
            assert!(pair.client.seal(b"more", &mut Row::new(1000)).is_none());
            [&end[..], b"bytes that are no record"].concat()
        };
        assert_eq!(pair.server_reads(&late).unwrap(), b"");
        assert!(pair.server.peer_closed() && pair.server.kept().is_empty());
        assert_eq!(pair.server_reads(b"more of it").unwrap(), b"");
        assert!(pair.server.kept().is_empty());
        // The other direction stays, until we close it, too.
        assert_eq!(pair.client_gets(b"an answer"), b"an answer");
        pair.server.close();
        let end = pair.server_out();
        assert_eq!(pair.client_reads(&end).unwrap(), b"");
    }
}

/// Trap 6. rustls bounds no input.
#[test]
fn a_message_that_never_ends_ends_the_session() {
    let mut pair = Pair::new(VERSIONS[1]);
    // The head of a ClientHello of 60,000 bytes, in records of zeros.
    let mut kept = 0;
    for n in 0.. {
        let head: &[u8] = if n == 0 { &[1, 0, 0xea, 0x60] } else { &[0; 4] };
        let mut record = vec![22, 3, 1, 0x0f, 0xa0];
        record.extend_from_slice(head);
        record.resize(5 + 4000, 0);
        match pair.server_reads(&record) {
            Ok(_) => kept = pair.server.kept().len(),
            Err(error) => {
                assert!(matches!(error, Error::TooLarge(_)), "{error}");
                break;
            }
        }
    }
    assert!(kept <= 20 * 1024, "{kept} bytes were kept");
    assert!(pair.server.kept().is_empty());
}

/// Trap 6. A reader that is full stops the decrypting; what is left is whole later, also when something is written
/// in between.
#[test]
fn what_a_full_reader_left_comes_later_and_in_order() {
    for version in VERSIONS {
        for write_between in [false, true] {
            let mut pair = Pair::new(version);
            pair.shake_hands();
            let records: Vec<u8> = (0..5).flat_map(|n| pair.sealed_by_client(&[n; 100])).collect();
            let mut came = Vec::new();
            let mut bytes = records;
            pair.server
                .read(&mut bytes, |plain| {
                    came.extend_from_slice(plain);
                    false
                })
                .unwrap();
            assert_eq!(came, [0; 100]);
            assert!(pair.server.has_more());
            if write_between {
                assert_eq!(pair.client_gets(b"meanwhile"), b"meanwhile");
            }
            let mut buffer = [0; 70];
            loop {
                let taken = pair.server.take_plain(&mut buffer);
                came.extend_from_slice(&buffer[..taken]);
                if taken == 0 && !pair.server.has_more() {
                    break;
                }
                let mut kept = pair.server.kept().to_vec();
                pair.server
                    .read(&mut kept, |plain| {
                        came.extend_from_slice(plain);
                        false
                    })
                    .unwrap();
            }
            let want: Vec<u8> = (0..5).flat_map(|n| [n; 100]).collect();
            assert_eq!(came, want, "{version:?}, written between: {write_between}");
        }
    }
}

/// What a peer can make us say has a most.
#[test]
fn a_peer_that_takes_no_answers_is_left() {
    let mut pair = Pair::new(VERSIONS[1]);
    pair.shake_hands();
    let mut forger = Forger::of(&mut pair);
    let mut over = false;
    for _ in 0..10_000 {
        let update = forger.seal(22, &[24, 0, 0, 1, 1]);
        if forger.feed(&update).is_err() {
            over = true;
            break;
        }
        forger.rekey();
    }
    assert!(over);
    assert!(pair.server.pending().len() <= 70_000);
}

/// A client that is cut off, or cuts itself off, anywhere.
#[test]
fn garbage_anywhere_in_the_handshake_is_an_error_and_no_panic() {
    let mut rng = fastrand::Rng::with_seed(0x715);
    for version in VERSIONS {
        for _ in 0..300 {
            let mut pair = Pair::new(version);
            let mut hello = pair.client.pending().to_vec();
            let at = rng.usize(..hello.len());
            hello[at] ^= 1 << rng.u8(..8);
            if pair.server_reads(&hello).is_err() {
                let alert = pair.server_out();
                assert!(pair.client_reads(&alert).is_err() || alert.is_empty());
            }
        }
    }
}

/// What is sealed for nobody is as long as for somebody, however often.
#[test]
fn a_session_to_nobody_seals_like_one_to_somebody() {
    for version in VERSIONS {
        let (config, _) = pair::configs(version);
        let mut nobody = tenfour_tls::Session::to_nobody(config).unwrap();
        let mut somebody = Pair::new(version);
        somebody.shake_hands();
        let mut row = Row::new(1000);
        for _ in 0..100 {
            let sealed = nobody.seal(&[0; 100], &mut row).expect("open").len();
            assert_eq!(sealed, somebody.server.seal(&[0; 100], &mut row).unwrap().len());
            row.wipe();
        }
    }
}
