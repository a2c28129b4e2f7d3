//! Voice from one to many.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use socket2::SockRef;
use tenfour_protocol::VoiceFrame;
use tenfour_protocol::limits::BUSY;
use tenfour_server::config::{Period, Settings};
use tokio::net::TcpStream;

use crate::desk::Desk;
use crate::radio::{Heard, Radio, frame};

/// The frame that a listener gets for one that was sent.
fn renumbered(sent: &[u8], burst: u32) -> Vec<u8> {
    let frame = VoiceFrame::parse(sent).unwrap();
    VoiceFrame { burst: tenfour_protocol::BurstNo(burst), ..frame }.to_bytes()
}

#[tokio::test]
async fn voice_reaches_listeners_on_every_worker_byte_for_byte() {
    let desk = Desk::new();
    let mut listeners = Vec::new();
    for seed in 1..=6 {
        listeners.push(Radio::tuned(&desk, seed, &format!("Listener {seed}")).await);
    }
    let mut talker = Radio::tuned(&desk, 7, "Talker").await;
    // Voice leaves with the press, before anything is granted.
    talker.press(1).await;
    let sent: Vec<_> = (0..50).map(|seq| frame(1, seq, 20 + usize::from(seq) * 7, seq == 49)).collect();
    for frame in &sent {
        talker.voice(frame.clone()).await;
    }
    for (started, frames, ended) in join_all(listeners.iter_mut().map(Radio::burst)).await {
        let burst = started["burst"].as_u64().unwrap() as u32;
        assert_eq!(started["talker"]["handle"], "Talker");
        assert_eq!(started["talker"]["description"], "night shift");
        assert_eq!(frames, sent.iter().map(|frame| renumbered(frame, burst)).collect::<Vec<_>>());
        assert_eq!((&ended["frames"], &ended["reason"]), (&json!(50), &json!("released")));
    }
    talker.expect("burst.granted").await;
    let receipt = talker.expect("receipt").await;
    assert_eq!((&receipt["outcome"], &receipt["frames"]), (&json!("aired"), &json!(50)));
}

#[tokio::test]
async fn a_listener_that_comes_back_in_the_middle_of_a_burst_misses_nothing() {
    let desk = Desk::new();
    let mut talker = Radio::tuned(&desk, 1, "Talker").await;
    let token = desk.register(2, "Listener");
    let mut listener = Radio::open(&desk, &token).await;
    listener.tune("19").await;
    talker.press(1).await;
    for seq in 0..10 {
        talker.voice(frame(1, seq, 80, false)).await;
    }
    let started = listener.expect("burst.started").await;
    let mut heard = Vec::new();
    while heard.len() < 5 {
        if let Heard::Voice(frame) = listener.hear().await {
            heard.push(VoiceFrame::parse(&frame).unwrap().seq);
        }
    }
    let resume = json!({
        "token": listener.welcome["resume"],
        "newest": started["burst"],
        "have": [{ "burst": started["burst"], "next": 5 }],
    });
    listener.kill();
    for seq in 10..20 {
        talker.voice(frame(1, seq, 80, false)).await;
    }
    let mut listener = Radio::resume(&desk, &token, resume).await;
    assert_eq!((&listener.welcome["resumed"], &listener.welcome["tuned"]), (&json!(true), &json!(["19"])));
    for seq in 20..30 {
        talker.voice(frame(1, seq, 80, seq == 29)).await;
    }
    let (again, frames, ended) = listener.burst().await;
    assert_eq!(again["burst"], started["burst"]);
    heard.extend(frames.iter().map(|frame| VoiceFrame::parse(frame).unwrap().seq));
    assert_eq!(heard, (0..30).collect::<Vec<_>>());
    assert_eq!(ended["frames"], 30);
}

#[tokio::test]
async fn the_first_words_reach_the_listeners_of_every_worker() {
    const TALKERS: u8 = BUSY as u8;
    const PRESSES: u32 = 16;
    let desk = Desk::new();
    let mut listening = Vec::new();
    for seed in 101..=108 {
        let mut listener = Radio::tuned(&desk, seed, "Listener").await;
        listening.push(tokio::spawn(async move {
            let (mut voice, mut ended) = (0, 0);
            while ended < u32::from(TALKERS) * PRESSES {
                match listener.hear().await {
                    Heard::Voice(_) => voice += 1,
                    Heard::Message(message) if message["type"] == "burst.ended" => ended += 1,
                    Heard::Message(_) => {}
                    Heard::Closed(code, reason) => panic!("closed with {code} {reason}"),
                }
            }
            voice
        }));
    }
    let mut talking = Vec::new();
    for seed in 1..=TALKERS {
        let mut talker = Radio::tuned(&desk, seed, "Talker").await;
        talking.push(tokio::spawn(async move {
            for burst in 1..=PRESSES {
                talker.press(burst).await;
                for seq in 0..3 {
                    talker.voice(frame(burst, seq, 80, seq == 2)).await;
                }
                talker.expect("receipt").await;
            }
        }));
    }
    for talker in talking {
        talker.await.unwrap();
    }
    for listener in listening {
        assert_eq!(listener.await.unwrap(), u32::from(TALKERS) * PRESSES * 3);
    }
}

#[tokio::test]
async fn a_talker_that_is_killed_leaves_no_burst_behind() {
    let desk = Desk::new();
    let mut listener = Radio::tuned(&desk, 1, "Listener").await;
    let mut talker = Radio::tuned(&desk, 2, "Talker").await;
    talker.press(1).await;
    for seq in 0..5 {
        talker.voice(frame(1, seq, 80, false)).await;
    }
    talker.expect("burst.granted").await;
    let started = listener.expect("burst.started").await;
    talker.kill();
    let ended = listener.expect("burst.ended").await;
    assert_eq!((&ended["burst"], &ended["reason"]), (&started["burst"], &json!("talker_lost")));
    assert!(desk.ops("/metrics").contains("tenfour_bursts_on_air 0"));
}

#[tokio::test]
async fn a_page_that_is_closed_is_gone_at_once() {
    let desk = Desk::new();
    let mut stays = Radio::tuned(&desk, 1, "Stays").await;
    let leaves = Radio::tuned(&desk, 2, "Leaves").await;
    let gone = leaves.welcome["you"]["id"].clone();
    // Its own coming may have been told before.
    while !stays.expect("presence").await["joined"].to_string().contains("Leaves") {}
    leaves.leave().await;
    let left = stays.expect("presence").await;
    assert_eq!((&left["count"], &left["left"]), (&json!(1), &json!([gone])));
    assert!(desk.ops("/metrics").contains("tenfour_radio_sessions 1"));
}

#[tokio::test]
async fn a_talker_that_falls_silent_is_ended() {
    let desk = Desk::new();
    let mut talker = Radio::tuned(&desk, 1, "Talker").await;
    talker.press(1).await;
    talker.voice(frame(1, 0, 80, false)).await;
    let receipt = talker.expect("receipt").await;
    assert_eq!((&receipt["frames"], &receipt["ended"]), (&json!(1), &json!("silent")));
}

#[tokio::test]
async fn a_listener_that_takes_nothing_hurts_nobody_and_is_let_go() {
    const TALKERS: u8 = 10;
    // 24 kB each: what a talker may send ahead, together more than kernels keep for a socket.
    const FRAMES: u16 = 59;
    let desk = Desk::with(Settings { hold: Some("2s".parse::<Period>().unwrap()), ..Settings::default() });
    let token = desk.register(100, "Stalled");
    let stream = TcpStream::connect(desk.address()).await.unwrap();
    SockRef::from(&stream).set_recv_buffer_size(4096).unwrap();
    let mut stalled = Radio::over(stream, desk.url(), &token, json!({})).await;
    stalled.tune("19").await;
    let mut listener = Radio::tuned(&desk, 101, "Listener").await;
    let mut talkers = Vec::new();
    for seed in 1..=TALKERS {
        talkers.push(Radio::tuned(&desk, seed, "Talker").await);
    }
    let listening = tokio::spawn(async move {
        let (mut voice, mut ended) = (BTreeSet::new(), 0);
        while ended < TALKERS {
            match listener.hear().await {
                Heard::Voice(bytes) => {
                    let frame = VoiceFrame::parse(&bytes).unwrap();
                    assert!(voice.insert((frame.burst, frame.seq)), "heard twice");
                }
                Heard::Message(message) if message["type"] == "burst.ended" => ended += 1,
                Heard::Message(message) => assert_ne!(message["type"], "burst.gap"),
                Heard::Closed(code, reason) => panic!("closed with {code} {reason}"),
            }
        }
        voice.len()
    });
    for mut talker in talkers {
        talker.press(1).await;
        for seq in 0..FRAMES {
            talker.voice(frame(1, seq, 400, seq == FRAMES - 1)).await;
        }
        // One after the other: three at once are a crowd.
        talker.expect("receipt").await;
        // Talkers hear each other: one that took nothing would be let go, too.
        tokio::spawn(async move { while !matches!(talker.hear().await, Heard::Closed(..)) {} });
    }
    assert_eq!(listening.await.unwrap(), usize::from(TALKERS) * usize::from(FRAMES));
    // A packet that was begun and is past its hold ends the socket, since it has to be wiped.
    let reset = || desk.ops("/metrics").contains("tenfour_resets_total 1");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(8);
    while !reset() {
        assert!(tokio::time::Instant::now() < deadline, "{}", desk.ops("/metrics"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (code, _) = stalled.closed().await;
    assert_eq!(code, 1006, "reset, not closed");
}
