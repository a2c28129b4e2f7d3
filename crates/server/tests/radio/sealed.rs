//! TLS goes out in records: each that was begun is finished, whatever the socket takes.

use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::json;
use tenfour_protocol::VoiceFrame;
use tenfour_server::config::Settings;
use tokio::net::{TcpSocket, TcpStream};

use crate::desk::Desk;
use crate::radio::{Heard, Radio, frame};
use crate::secure::{enter, name, trusting};

const TALKERS: u32 = 6;
/// As much as a talker may say at once: three seconds of 64 kbit/s.
const FRAMES: u16 = 60;
const BYTES: usize = 400;
const LISTENERS: usize = 5;

type Sealed = tenfour_tls::Stream<TcpStream>;

async fn open(desk: &Desk, config: &Arc<ClientConfig>, token: &str, narrow: bool) -> Radio<Sealed> {
    let socket = TcpSocket::new_v4().unwrap();
    if narrow {
        // What the server sends has to wait in the server.
        socket.set_recv_buffer_size(2048).unwrap();
    }
    let tcp = socket.connect(desk.address()).await.unwrap();
    let tls = tenfour_tls::connect(tcp, config.clone(), name()).await.unwrap();
    let mut radio = Radio::over(tls, desk.url(), token, json!({})).await;
    radio.tune("19").await;
    radio
}

/// Several listeners at once, so that they are written to with one call where the system has it.
#[tokio::test]
async fn who_reads_late_gets_every_record_whole_and_in_order() {
    let settings = Settings { tls: Some("self-signed".into()), workers: Some(1), ..Settings::default() };
    let desk = Desk::with(settings);
    let config = trusting(&desk.data().join("self-signed.pem"));
    let token =
        |seed: u8| enter(&desk, &config, seed, &format!("Radio {seed}"), "bearer").json()["token"].clone();
    let (ears, mut talkers) = (token(100), Vec::new());
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        listeners.push(open(&desk, &config, ears.as_str().unwrap(), true).await);
    }
    let mut live = open(&desk, &config, ears.as_str().unwrap(), false).await;
    for seed in 0..TALKERS {
        talkers.push(open(&desk, &config, token(seed as u8).as_str().unwrap(), false).await);
    }
    // One voice, frame by frame: then listeners are written to together. Somebody who reads keeps time.
    for talker in &mut talkers {
        talker.press(1).await;
        for seq in 0..FRAMES {
            talker.voice(frame(1, seq, BYTES, false)).await;
            while !matches!(live.hear().await, Heard::Voice(_)) {}
        }
        talker.release(1, FRAMES.into()).await;
        assert_eq!(talker.expect("receipt").await["frames"], FRAMES);
    }
    for listener in &mut listeners {
        let (mut ended, mut next) = (0, std::collections::BTreeMap::new());
        while ended < TALKERS {
            match listener.hear().await {
                Heard::Voice(bytes) => {
                    let heard = VoiceFrame::parse(&bytes).unwrap();
                    let seq = next.entry(heard.burst).or_insert(0);
                    assert_eq!(bytes, frame(heard.burst.0, *seq, BYTES, false));
                    *seq += 1;
                }
                Heard::Message(message) if message["type"] == "burst.ended" => ended += 1,
                Heard::Message(_) => {}
                Heard::Closed(code, reason) => panic!("closed with {code} {reason}"),
            }
        }
        assert_eq!(next.into_values().collect::<Vec<_>>(), [FRAMES; TALKERS as usize]);
    }
}
