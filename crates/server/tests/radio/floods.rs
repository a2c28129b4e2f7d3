//! One socket that sends more than it may, beside people who talk.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::SockRef;
use tenfour_server::config::Settings;

use crate::desk::Desk;
use crate::radio::{Radio, frame};
use crate::wire::{Raw, client, hello};

/// A flood that goes on for so long was not ended.
const TIMEOUT: Duration = Duration::from_secs(20);
const PONG: u8 = 10;
const CLOSE: u8 = 8;

/// Everybody on one worker, so that they share its time.
fn narrow() -> Desk {
    Desk::with(Settings { workers: Some(1), ..Settings::default() })
}

#[test]
fn many_pings_at_once_are_answered_by_the_newest() {
    let desk = narrow();
    let token = desk.register(1, "Roadrunner");
    let mut socket = Raw::open(&desk, &token, &client(0x81, &hello()));
    let pings: Vec<u8> = (0..300u32).flat_map(|n| client(0x89, &n.to_be_bytes())).collect();
    socket.send(&pings);
    let mut answered = Vec::new();
    while answered.last() != Some(&299) {
        let frame = socket.next().expect("an answer");
        if frame.opcode == PONG {
            answered.push(u32::from_be_bytes(frame.payload.try_into().unwrap()));
        }
    }
    assert!(answered.len() <= 30, "{answered:?}");
    assert!(answered.is_sorted(), "{answered:?}");
}

#[test]
fn who_sends_more_than_a_socket_may_is_read_later_and_loses_nothing() {
    let desk = narrow();
    let token = desk.register(1, "Roadrunner");
    let mut socket = Raw::open(&desk, &token, &client(0x81, &hello()));
    // A bit more than is read at once, and then a message: its place is behind the pause.
    let pings = client(0x89, &[7; 125]).repeat(2750);
    socket.send(&[pings, client(0x81, br#"{"type":"ping","n":7}"#)].concat());
    loop {
        let frame = socket.next().expect("an answer");
        assert_ne!(frame.opcode, CLOSE, "{frame:?}");
        if frame.payload.starts_with(br#"{"type":"pong""#) {
            break;
        }
    }
}

/// Sends `bytes` again and again until the server has had enough. Returns the close frame.
fn flood(desk: &Desk, token: &str, begin: &[u8], bytes: &[u8]) -> (u16, String) {
    let mut socket = Raw::open(desk, token, &client(0x81, &hello()));
    socket.send(begin);
    let mut line = socket.0.try_clone().unwrap();
    let flood = bytes.repeat(8 * 1024 / bytes.len());
    let sender = std::thread::spawn(move || {
        let started = Instant::now();
        // It ends with the connection.
        while started.elapsed() < TIMEOUT && line.write_all(&flood).is_ok() {}
        started.elapsed() < TIMEOUT
    });
    let closed = loop {
        let frame = socket.next().expect("a close frame before the end");
        if frame.opcode == CLOSE {
            let (code, reason) = frame.payload.split_first_chunk().unwrap();
            break (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap());
        }
    };
    assert!(sender.join().unwrap(), "it was not ended");
    closed
}

#[test]
fn what_a_server_answers_by_itself_has_an_end_and_others_hear_every_word() {
    let desk = narrow();
    let token = desk.register(1, "Roadrunner");
    let empty = [client(0x00, b""), client(0x00, b"")].concat();
    let large = client(0x81, json!({ "type": "ping", "n": 1 }).to_string().repeat(100).as_bytes());
    let floods: [(&str, &[u8], &[u8]); 5] = [
        ("pings", b"", &client(0x89, b"")),
        ("pongs", b"", &client(0x8a, b"")),
        ("empty fragments", &client(0x01, b""), &empty),
        ("bad JSON", b"", &client(0x81, b"x")),
        ("large bad JSON", b"", &large),
    ];
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(talk(&desk));
        });
        for (name, begin, bytes) in floods {
            let closed = flood(&desk, &token, begin, bytes);
            assert_eq!(closed, (1008, "too_many_messages".into()), "{name}");
        }
        others.join().unwrap();
    });
}

/// What a socket may send at once, what is read until it is closed, and what the kernel keeps of the rest.
const TAKEN: usize = 1024 * 1024;

#[test]
fn the_kernel_keeps_little_of_what_is_not_read() {
    let desk = narrow();
    let token = desk.register(1, "Roadrunner");
    let mut socket = Raw::open(&desk, &token, &client(0x81, &hello())).0;
    // As little of it as can be lies on this side.
    SockRef::from(&socket).set_send_buffer_size(4096).unwrap();
    let (pings, mut taken) = (client(0x89, &[7; 125]).repeat(31), 0);
    while let Ok(bytes) = socket.write(&pings) {
        taken += bytes;
        assert!(taken < TAKEN, "{taken}");
    }
}

/// Five presses of a second each, at the pace of speech, of which nothing may be lost.
async fn talk(desk: &Desk) {
    let mut talker = Radio::tuned(desk, 2, "Talker").await;
    let mut listener = Radio::tuned(desk, 3, "Listener").await;
    for burst in 1..=5 {
        talker.press(burst).await;
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        for seq in 0..50 {
            pace.tick().await;
            talker.voice(frame(burst, seq, 80, seq == 49)).await;
        }
        let (_, frames, ended) = listener.burst().await;
        assert_eq!((frames.len(), &ended["frames"]), (50, &json!(50)), "burst {burst}");
        talker.expect("receipt").await;
    }
}

#[tokio::test]
async fn what_an_honest_client_sends_at_once_is_taken() {
    let desk = narrow();
    let mut listener = Radio::tuned(&desk, 1, "Listener").await;
    let mut talker = Radio::tuned(&desk, 2, "Talker").await;
    // Three seconds that a network held back, at the highest rate, and as many questions as are taken.
    talker.press(1).await;
    for seq in 0..150 {
        talker.voice(frame(1, seq, 160, seq == 149)).await;
    }
    for n in 0..10 {
        talker.send(json!({ "type": "ping", "n": n })).await;
    }
    assert_eq!(listener.burst().await.1.len(), 150);
    for n in 0..10 {
        assert_eq!(talker.expect("pong").await["n"], n);
    }
}
