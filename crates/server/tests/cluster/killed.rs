//! A node is killed under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tenfour_protocol::{BurstNo, VoiceFrame};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::nats::NatsServer;
use crate::process::Process;
use crate::radio::{Heard, Radio};

/// On the node that is killed.
const LISTENERS: u32 = 300;
/// On each of the others.
const OTHERS: u32 = 10;
/// All are back within this.
const BACK: Duration = Duration::from_secs(3);

/// A frame that tells which one it is.
fn numbered(seq: u16) -> Vec<u8> {
    let payload = [&[1 << 3][..], &seq.to_be_bytes(), &[0; 60]].concat();
    let media_time = u32::from(seq) * 960;
    VoiceFrame { burst: BurstNo(1), seq, media_time, last: false, payload: &payload }.to_bytes()
}

fn number(frame: &[u8]) -> u16 {
    let payload = VoiceFrame::parse(frame).unwrap().payload;
    u16::from_be_bytes([payload[1], payload[2]])
}

pub(crate) async fn open(
    node: &(String, std::net::SocketAddr),
    token: &str,
    hello: serde_json::Value,
) -> Radio {
    let stream = TcpStream::connect(node.1).await.unwrap();
    let mut radio = Radio::over(stream, &node.0, token, hello).await;
    radio.tune("19").await;
    radio
}

/// What a listener went through.
struct Story {
    /// Numbers of the frames it heard, in their order.
    heard: Vec<u16>,
    /// When it heard voice again.
    back: Option<Instant>,
}

type Place = (String, std::net::SocketAddr);

/// Hears until it is over; goes to another node when its own is gone.
async fn listen(
    home: Place,
    refuge: Place,
    token: String,
    hearing: Arc<AtomicU32>,
    mut over: watch::Receiver<bool>,
) -> Story {
    let mut radio = open(&home, &token, json!({})).await;
    let mut story = Story { heard: Vec::new(), back: None };
    let mut moved = false;
    loop {
        let heard = tokio::select! {
            heard = radio.hear() => heard,
            _ = over.wait_for(|over| *over) => return story,
        };
        match heard {
            Heard::Voice(frame) => {
                story.heard.push(number(&frame));
                if story.heard.len() == 1 || (moved && story.back.is_none()) {
                    hearing.fetch_add(1, Ordering::SeqCst);
                }
                if moved {
                    story.back.get_or_insert_with(Instant::now);
                }
            }
            Heard::Closed(..) => {
                assert!(!moved, "the others stand");
                moved = true;
                let resume = json!({ "resume": { "token": radio.welcome["resume"] } });
                radio = open(&refuge, &token, resume).await;
                // By this a radio knows that the rest of what it was hearing is lost, and says so.
                assert_eq!(radio.welcome["resumed"], false);
            }
            Heard::Message(_) => {}
        }
    }
}

async fn talk(home: Place, token: String, stop: Arc<AtomicBool>) {
    let mut radio = open(&home, &token, json!({})).await;
    radio.press(1).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for seq in 0.. {
        ticks.tick().await;
        radio.voice(numbered(seq)).await;
        if stop.load(Ordering::SeqCst) {
            radio.release(1, u32::from(seq) + 1).await;
            return;
        }
    }
}

/// Waits until a node sees so many others.
pub(crate) fn until_others(node: &Process, others: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while node.figure("other_nodes") != others {
        assert!(Instant::now() < deadline, "{} others", node.figure("other_nodes"));
        std::thread::yield_now();
    }
}

/// Longer than others wait for it: it is missed, and is back by itself.
#[tokio::test]
async fn a_node_that_was_frozen_comes_back_and_its_people_hear_again() {
    let nats = NatsServer::start();
    let [alpha, beta] = ["alpha", "beta"].map(|name| Process::start(&nats, name));
    let [a, b] = [&alpha, &beta].map(|node| (node.url.clone(), node.address()));
    until_others(&alpha, 1);
    let (over, ends) = watch::channel(false);
    let hearing = Arc::new(AtomicU32::new(0));
    let listener = tokio::spawn(listen(b, a.clone(), alpha.register(1), hearing.clone(), ends));
    let stop = Arc::new(AtomicBool::new(false));
    let talker = tokio::spawn(talk(a, alpha.register(2), stop.clone()));
    until(&hearing, 1).await;
    let told = beta.figure("bus_voice_in_total");
    beta.signal("-STOP");
    let gone = tokio::task::spawn_blocking(move || {
        until_others(&alpha, 0);
        alpha
    });
    let alpha = gone.await.unwrap();
    beta.signal("-CONT");
    let back = tokio::task::spawn_blocking(move || {
        until_others(&alpha, 1);
        let deadline = Instant::now() + Duration::from_secs(20);
        while beta.figure("bus_up") == 0 || beta.figure("bus_voice_in_total") < told + 200 {
            assert!(Instant::now() < deadline, "voice comes again");
            std::thread::yield_now();
        }
        (alpha, beta)
    });
    let nodes = back.await.unwrap();
    stop.store(true, Ordering::SeqCst);
    talker.await.unwrap();
    over.send(true).unwrap();
    let heard = listener.await.unwrap().heard;
    assert!(heard.is_sorted_by(|one, next| one < next), "nothing twice, nothing out of order: {heard:?}");
    drop(nodes);
}

/// An update: each node once, NATS too. Somebody is always heard by somebody.
#[tokio::test]
async fn nodes_and_nats_are_restarted_one_after_the_other() {
    let mut nats = NatsServer::start();
    let mut nodes = ["alpha", "beta", "gamma"].map(|name| Process::start(&nats, name));
    for restarted in 0..3 {
        nodes[restarted].stop();
        nodes[restarted] = Process::start(&nats, ["alpha", "beta", "gamma"][restarted]);
        nodes.iter().for_each(|node| until_others(node, 2));
    }
    let (token, other) = (nodes[2].register(1), nodes[1].register(2));
    nats.kill();
    nodes.iter().for_each(|node| until_others(node, 0));
    nats.restart();
    nodes.iter().for_each(|node| until_others(node, 2));
    let [a, b] = [&nodes[0], &nodes[1]].map(|node| (node.url.clone(), node.address()));
    let (over, ends) = watch::channel(false);
    let hearing = Arc::new(AtomicU32::new(0));
    let listener = tokio::spawn(listen(b, a.clone(), token, hearing.clone(), ends));
    let stop = Arc::new(AtomicBool::new(false));
    let talker = tokio::spawn(talk(a, other, stop.clone()));
    until(&hearing, 1).await;
    stop.store(true, Ordering::SeqCst);
    talker.await.unwrap();
    over.send(true).unwrap();
    listener.await.unwrap();
}

/// How much later a listener on another node hears, frame by frame in one run. Not a test: it measures, and
/// is called by hand.
#[tokio::test]
#[ignore = "measures"]
async fn hop() {
    let nats = NatsServer::start();
    let [alpha, beta] = ["alpha", "beta"].map(|name| Process::start(&nats, name));
    let [a, b] = [&alpha, &beta].map(|node| (node.url.clone(), node.address()));
    until_others(&alpha, 1);
    let mut here = open(&a, &alpha.register(1), json!({})).await;
    let mut there = open(&b, &alpha.register(2), json!({})).await;
    let stop = Arc::new(AtomicBool::new(false));
    let talker = tokio::spawn(talk(a, alpha.register(3), stop.clone()));
    let hears = |mut radio: Radio| {
        tokio::spawn(async move {
            let mut times = std::collections::BTreeMap::new();
            while times.len() < 2_000 {
                if let Heard::Voice(frame) = radio.hear().await {
                    times.insert(number(&frame), Instant::now());
                }
            }
            times
        })
    };
    // Both have heard the burst begin.
    here.expect("burst.started").await;
    there.expect("burst.started").await;
    let (here, there) = (hears(here), hears(there));
    let (here, there) = (here.await.unwrap(), there.await.unwrap());
    stop.store(true, Ordering::SeqCst);
    talker.await.unwrap();
    let mut added: Vec<_> =
        there.iter().filter_map(|(seq, at)| Some(at.saturating_duration_since(*here.get(seq)?))).collect();
    added.sort_unstable();
    let at = |share: usize| added[added.len() * share / 1000 - usize::from(share == 1000)];
    println!(
        "{} frames: a hop adds {:?} p50, {:?} p99, {:?} at most",
        added.len(),
        at(500),
        at(990),
        at(1000)
    );
}

async fn until(counter: &AtomicU32, value: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while counter.load(Ordering::SeqCst) < value {
        assert!(Instant::now() < deadline, "{} of {value}", counter.load(Ordering::SeqCst));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn whose_node_is_killed_is_back_on_another_and_hears_nothing_twice() {
    let nats = NatsServer::start();
    let [alpha, mut beta, gamma] = ["alpha", "beta", "gamma"].map(|name| Process::start(&nats, name));
    let [a, b, c] = [&alpha, &beta, &gamma].map(|node| (node.url.clone(), node.address()));
    let (over, ends) = watch::channel(false);
    let hearing = Arc::new(AtomicU32::new(0));
    let (mut lost, mut untouched) = (Vec::new(), Vec::new());
    for n in 0..LISTENERS {
        let refuge = if n % 2 == 0 { a.clone() } else { c.clone() };
        let token = alpha.register(n);
        lost.push(tokio::spawn(listen(b.clone(), refuge, token, hearing.clone(), ends.clone())));
    }
    for n in 0..2 * OTHERS {
        let home = if n % 2 == 0 { a.clone() } else { c.clone() };
        let token = gamma.register(LISTENERS + n);
        untouched.push(tokio::spawn(listen(home, b.clone(), token, hearing.clone(), ends.clone())));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let talker = tokio::spawn(talk(a.clone(), alpha.register(10_000), stop.clone()));
    until(&hearing, LISTENERS + 2 * OTHERS).await;
    let killed = Instant::now();
    beta.kill();
    until(&hearing, 2 * LISTENERS + 2 * OTHERS).await;
    stop.store(true, Ordering::SeqCst);
    talker.await.unwrap();
    over.send(true).unwrap();
    let mut latest = Duration::ZERO;
    for story in lost {
        let Story { heard, back } = story.await.unwrap();
        assert!(heard.is_sorted_by(|one, next| one < next), "nothing twice, nothing out of order: {heard:?}");
        latest = latest.max(back.expect("it heard again") - killed);
    }
    println!("the last of {LISTENERS} heard again after {latest:?}");
    assert!(latest <= BACK, "{latest:?}");
    for story in untouched {
        let Story { heard, back } = story.await.unwrap();
        assert!(back.is_none());
        assert!(
            heard.windows(2).all(|two| two[1] == two[0] + 1),
            "whose node stands misses nothing: {heard:?}"
        );
    }
}
