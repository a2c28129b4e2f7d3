//! One radio on three nodes: real sockets, the real nats-server.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenfour_core::reach::snap;
use tenfour_protocol::VoiceFrame;

use crate::accounts::node;
use crate::desk::Desk;
use crate::nats::NatsServer;
use crate::radio::{Heard, Radio, frame};

/// Belgrade; the other places are as far north of it as they say.
const HERE: (f64, f64) = (44.8125, 20.4612);
/// Degrees of latitude in a kilometre.
const KILOMETRE: f64 = 1.0 / 111.2;
/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Three nodes that know each other.
pub(crate) fn three(nats: &NatsServer) -> [Desk; 3] {
    let nodes = ["alpha", "beta", "gamma"].map(|name| node(nats, name));
    nodes.iter().for_each(|node| until(node, "other_nodes", 2));
    nodes
}

/// A figure of the operator's page.
pub(crate) fn figure(desk: &Desk, name: &str) -> u64 {
    figure_in(&desk.ops("/metrics"), name)
}

/// The operator's page of a server elsewhere.
pub(crate) fn metrics(address: std::net::SocketAddr) -> String {
    String::from_utf8(crate::http::request(address, "GET", "/metrics", &[], b"").body).unwrap()
}

pub(crate) fn figure_in(page: &str, name: &str) -> u64 {
    let name = format!("tenfour_{name} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("{name}is not in {page}")).trim().parse().unwrap()
}

/// Waits until a figure is so.
pub(crate) fn until(desk: &Desk, name: &str, value: u64) {
    let deadline = Instant::now() + TIMEOUT;
    while figure(desk, name) != value {
        assert!(Instant::now() < deadline, "{name} is {} and not {value}", figure(desk, name));
        std::thread::yield_now();
    }
}

fn north(kilometres: f64) -> Value {
    serde_json::to_value(snap(HERE.0 + kilometres * KILOMETRE, HERE.1).unwrap()).unwrap()
}

/// Registers, says where it is, tunes to channel 19.
async fn tuned_at(desk: &Desk, seed: u8, handle: &str, kilometres: f64) -> Radio {
    let token = desk.register(seed, handle);
    let mut radio = Radio::arrive(desk, &token, json!({ "place": { "cell": north(kilometres) } })).await;
    assert_eq!(radio.expect("located").await["shared"], true);
    radio.tune("19").await;
    radio
}

async fn range(radio: &mut Radio, tx: &str, rx: &str) {
    radio.send(json!({ "type": "range", "tx": tx, "rx": rx })).await;
    radio.expect("ranged").await;
}

/// A whole burst, to its receipt.
pub(crate) async fn say(talker: &mut Radio, burst: u32, frames: u16) -> Vec<Vec<u8>> {
    say_before(talker, burst, frames, None).await
}

/// The same; what follows the first frame waits until somebody has heard that. Nobody talks so fast as
/// this: a node keeps no more than a second of speech for a hub that does not know the burst yet.
async fn say_before(
    talker: &mut Radio,
    burst: u32,
    frames: u16,
    witness: Option<&mut Radio>,
) -> Vec<Vec<u8>> {
    talker.press(burst).await;
    let sent: Vec<_> =
        (0..frames).map(|seq| frame(burst, seq, 20 + usize::from(seq), seq + 1 == frames)).collect();
    talker.voice(sent[0].clone()).await;
    if let Some(witness) = witness {
        while !matches!(witness.hear().await, Heard::Voice(_)) {}
    }
    for frame in &sent[1..] {
        talker.voice(frame.clone()).await;
    }
    let receipt = talker.expect("receipt").await;
    assert_eq!((&receipt["outcome"], &receipt["frames"]), (&json!("aired"), &json!(frames)));
    sent
}

/// Voice goes across once the other nodes have subscribed to it, on a connection of its own: says short bursts until
/// the voice of one comes, so that what follows does. Its end comes by another way, and may come without it.
pub(crate) async fn warm(talker: &mut Radio, first: u32, listeners: &mut [&mut Radio]) -> u32 {
    let mut burst = first;
    for listener in listeners {
        loop {
            say(talker, burst, 1).await;
            burst += 1;
            let voice = async { while !matches!(listener.hear().await, Heard::Voice(_)) {} };
            if tokio::time::timeout(Duration::from_millis(300), voice).await.is_ok() {
                break;
            }
        }
    }
    burst
}

pub(crate) fn payloads(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| VoiceFrame::parse(frame).unwrap().payload.to_vec()).collect()
}

/// Passes over what comes until a burst of so many frames has ended; its frames.
pub(crate) async fn burst_of(radio: &mut Radio, frames: usize) -> (Value, Vec<Vec<u8>>) {
    loop {
        let (started, heard, ended) = radio.burst().await;
        if ended["frames"] == json!(frames) {
            return (started, heard);
        }
    }
}

#[tokio::test]
async fn who_talks_on_one_node_is_heard_on_all_by_those_in_range() {
    let nats = NatsServer::start();
    let nodes = three(&nats);
    let mut talker = tuned_at(&nodes[0], 1, "Talker", 0.0).await;
    range(&mut talker, "25km", "unlimited").await;
    let (mut near, mut far, mut picky) = (Vec::new(), Vec::new(), Vec::new());
    for (n, desk) in nodes.iter().enumerate() {
        let seed = 10 + 10 * n as u8;
        near.push(tuned_at(desk, seed, &format!("Near {n}"), 8.0).await);
        far.push(tuned_at(desk, seed + 1, &format!("Far {n}"), 60.0).await);
        let mut one = tuned_at(desk, seed + 2, &format!("Picky {n}"), 18.0).await;
        range(&mut one, "unlimited", "10km").await;
        picky.push(one);
    }
    let next = warm(&mut talker, 1, &mut near.iter_mut().collect::<Vec<_>>()).await;
    let sent = say(&mut talker, next, 40).await;
    for (started, heard) in join_all(near.iter_mut().map(|radio| burst_of(radio, 40))).await {
        assert_eq!(payloads(&heard), payloads(&sent), "byte for byte, once, in order");
        assert_eq!(
            (&started["talker"]["handle"], &started["talker"]["country"]),
            (&json!("Talker"), &json!("RS"))
        );
        assert!(started["grade"].as_u64().unwrap() >= 4, "{started}");
    }
    // Those beyond hear nothing of it on any node; then a burst for all, which comes first.
    range(&mut talker, "unlimited", "unlimited").await;
    warm(&mut talker, next + 1, &mut far.iter_mut().collect::<Vec<_>>()).await;
    let next = next + 1000;
    let sent = say(&mut talker, next, 50).await;
    for radio in &mut far {
        let (started, heard) = burst_of(radio, 50).await;
        assert_eq!((payloads(&heard), &started["grade"]), (payloads(&sent), &json!(2)));
    }
    for radio in far.iter_mut().chain(&mut picky) {
        radio.send(json!({ "type": "ping", "n": 77 })).await;
        loop {
            match radio.hear().await {
                Heard::Message(message) if message["type"] == "pong" => break,
                Heard::Message(message) => {
                    assert_ne!(
                        message["type"], "burst.started",
                        "out of range, on whichever node: {message}"
                    );
                }
                Heard::Voice(_) => panic!("voice of a burst that is out of range"),
                Heard::Closed(..) => panic!("closed"),
            }
        }
    }
}

#[tokio::test]
async fn one_publish_a_frame_and_none_to_nodes_without_a_listener() {
    let nats = NatsServer::start();
    let nodes = three(&nats);
    let mut talker = Radio::tuned(&nodes[0], 1, "Talker").await;
    let mut listeners = Vec::new();
    for seed in 2..22 {
        listeners.push(Radio::tuned(&nodes[1], seed, &format!("Listener {seed}")).await);
    }
    // On another channel.
    let token = nodes[2].register(30, "Elsewhere");
    let mut elsewhere = Radio::open(&nodes[2], &token).await;
    elsewhere.tune("20").await;
    let next = warm(&mut talker, 1, &mut [&mut listeners[0]]).await;
    let mut witness = Radio::tuned(&nodes[1], 22, "Witness").await;
    let (sent, came) = (figure(&nodes[0], "bus_voice_out_total"), figure(&nodes[1], "bus_voice_in_total"));
    let voice = say_before(&mut talker, next, 100, Some(&mut witness)).await;
    for radio in &mut listeners {
        assert_eq!(payloads(&burst_of(radio, 100).await.1), payloads(&voice));
    }
    // Beside the frames there are the start, the end, and a word each second in between.
    let published = figure(&nodes[0], "bus_voice_out_total") - sent;
    assert!((102..=105).contains(&published), "{published} for 100 frames to 20 listeners");
    assert_eq!(figure(&nodes[1], "bus_voice_in_total") - came, 100, "each frame came once");
    assert_eq!(figure(&nodes[2], "bus_voice_in_total"), 0, "nobody there listens");
    assert_eq!(figure(&nodes[0], "bus_voice_in_total"), 0, "a node does not hear itself");
}

#[tokio::test]
async fn people_of_all_nodes_are_counted_and_listed() {
    let nats = NatsServer::start();
    let nodes = three(&nats);
    let mut one = Radio::tuned(&nodes[0], 1, "Alpha").await;
    let _two = Radio::tuned(&nodes[1], 2, "Beta").await;
    let three = Radio::tuned(&nodes[2], 3, "Gamma").await;
    let told = Instant::now();
    let count = |desk: &Desk| {
        let channels = desk.get("/api/v1/channels", &[]).json();
        let all = channels["channels"].as_array().unwrap().clone();
        all.iter().find(|channel| channel["channel"] == "19").map(|channel| channel["count"].clone())
    };
    let counted = |expected: u32| {
        for desk in &nodes {
            while count(desk) != Some(json!(expected)) {
                assert!(told.elapsed() < TIMEOUT, "{:?}", count(desk));
                std::thread::yield_now();
            }
        }
    };
    counted(3);
    assert!(told.elapsed() < Duration::from_secs(2), "exact within two seconds");
    let (mut listed, mut page, mut pages) = (String::new(), 0, 1);
    while page < pages {
        one.send(json!({ "type": "participants", "channel": "19", "page": page })).await;
        let answer = one.expect("participants").await;
        listed += &answer["participants"].to_string();
        (page, pages) = (page + 1, answer["pages"].as_u64().unwrap());
    }
    for handle in ["Alpha", "Beta", "Gamma"] {
        assert!(listed.contains(handle), "{handle} in {listed}");
    }
    three.leave().await;
    counted(2);
}

#[tokio::test]
async fn all_connections_of_a_user_are_shown_whichever_node_they_were_to() {
    let nats = NatsServer::start();
    let nodes = three(&nats);
    let token = nodes[0].register(1, "Roadrunner");
    for node in &nodes {
        Radio::open(node, &token).await.leave().await;
    }
    for node in &nodes {
        let held = node.ask("GET", "/api/v1/me", &token, &Value::Null).json();
        assert_eq!(held["connections"].as_array().map(Vec::len), Some(3), "{held}");
    }
}

#[tokio::test]
async fn local_talk_never_stops_and_remote_talk_is_back_when_nats_is() {
    let mut nats = NatsServer::start();
    let nodes = three(&nats);
    let mut talker = Radio::tuned(&nodes[0], 1, "Talker").await;
    let mut local = Radio::tuned(&nodes[0], 2, "Local").await;
    let mut remote = Radio::tuned(&nodes[1], 3, "Remote").await;
    let next = warm(&mut talker, 1, &mut [&mut remote]).await;
    nats.kill();
    assert_eq!(local.expect("island").await["alone"], true, "people are told");
    until(&nodes[0], "bus_up", 0);
    let sent = say(&mut talker, next, 30).await;
    assert_eq!(payloads(&burst_of(&mut local, 30).await.1), payloads(&sent), "nothing is lost at home");
    nats.restart();
    let back = Instant::now();
    warm(&mut talker, next + 1, &mut [&mut remote]).await;
    assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());
    assert_eq!(local.expect("island").await["alone"], false);
    let sent = say(&mut talker, 5000, 40).await;
    assert_eq!(payloads(&burst_of(&mut remote, 40).await.1), payloads(&sent));
}

#[tokio::test]
async fn who_comes_back_on_another_node_is_told_what_was_lost_and_hears_nothing_twice() {
    let nats = NatsServer::start();
    let mut nodes = three(&nats).map(Some);
    let mut talker = Radio::tuned(nodes[0].as_ref().unwrap(), 1, "Talker").await;
    let token = nodes[1].as_ref().unwrap().register(2, "Listener");
    let mut listener = Radio::open(nodes[1].as_ref().unwrap(), &token).await;
    listener.tune("19").await;
    let next = warm(&mut talker, 1, &mut [&mut listener]).await;
    talker.press(next).await;
    for seq in 0..10 {
        talker.voice(frame(next, seq, 80, false)).await;
    }
    listener.expect("burst.started").await;
    let mut before = Vec::new();
    while before.len() < 10 {
        if let Heard::Voice(frame) = listener.hear().await {
            before.push(frame);
        }
    }
    let resume = listener.welcome["resume"].clone();
    listener.kill();
    drop(nodes[1].take());
    let resume = json!({ "token": resume });
    let mut listener = Radio::resume(nodes[2].as_ref().unwrap(), &token, resume).await;
    // By this a radio knows that the rest of what it was hearing is lost, and says so.
    assert_eq!(listener.welcome["resumed"], false);
    listener.tune("19").await;
    let deadline = Instant::now() + TIMEOUT;
    let (mut after, mut seq) = (Vec::new(), 10);
    // The talker goes on as if nothing had happened.
    while after.len() < 5 {
        assert!(Instant::now() < deadline, "voice comes on another node");
        talker.voice(frame(next, seq, 80, false)).await;
        seq += 1;
        while let Ok(heard) = tokio::time::timeout(Duration::from_millis(20), listener.hear()).await {
            if let Heard::Voice(frame) = heard {
                after.push(frame);
            }
        }
    }
    let number = |frame: &Vec<u8>| VoiceFrame::parse(frame).unwrap().seq;
    let all: Vec<u16> = before.iter().chain(&after).map(number).collect();
    assert!(all.is_sorted_by(|one, next| one < next), "nothing twice: {all:?}");
    talker.release(next, u32::from(seq)).await;
}
