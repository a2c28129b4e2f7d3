//! What the bus does.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tenfour_server::bus::{Bus, BusError, Event, Hearer, Lane, OverNats};

use crate::nats::NatsServer;

const LANES: [Lane; 2] = [Lane::Control, Lane::Voice];
/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a node has heard.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Up(Lane),
    Down(Lane),
    Message(Lane, String, Vec<u8>),
}

struct Node {
    bus: Box<dyn Bus>,
    heard: Receiver<Heard>,
}

fn hearer(lane: Lane, heard: &Sender<Heard>) -> Hearer {
    let heard = heard.clone();
    Box::new(move |event| {
        let event = match event {
            Event::Up => Heard::Up(lane),
            Event::Down => Heard::Down(lane),
            Event::Message { subject, payload } => Heard::Message(lane, subject.to_owned(), payload.to_vec()),
            Event::Tick => return,
        };
        // A test may end while its nodes hear on.
        heard.send(event).ok();
    })
}

impl Node {
    fn next(&self) -> Heard {
        self.heard.recv_timeout(TIMEOUT).expect("something is heard")
    }

    /// What comes until this node's subject `end` says so.
    fn until_end(&self) -> Vec<Heard> {
        std::iter::from_fn(|| Some(self.next()))
            .take_while(|heard| !matches!(heard, Heard::Message(_, subject, _) if subject == "end"))
            .collect()
    }

    /// Hears a subject, once that is known to be so: what this node has wished for before a word comes to it
    /// is so by then. Each time by a word of its own, since one that nobody wants any more may still come.
    fn tuned(&self, other: &Node, lane: Lane, subject: &str) {
        static WORDS: AtomicU32 = AtomicU32::new(0);
        let word = format!("tuned-{}", WORDS.fetch_add(1, Ordering::Relaxed));
        self.bus.subscribe(lane, subject);
        self.bus.subscribe(lane, &word);
        loop {
            other.bus.publish(lane, &word, &[b"?"]);
            if let Ok(heard) = self.heard.recv_timeout(Duration::from_millis(20)) {
                assert_eq!(heard, Heard::Message(lane, word.clone(), b"?".into()));
                break;
            }
        }
        other.bus.publish(lane, &word, &[b"!"]);
        while self.next() != Heard::Message(lane, word.clone(), b"!".into()) {}
        self.bus.unsubscribe(lane, &word);
    }
}

fn enter(server: &NatsServer, name: &str) -> Node {
    open(server, name, 1).unwrap()
}

fn open(server: &NatsServer, name: &str, start: u64) -> Result<Node, BusError> {
    let (sender, heard) = channel();
    let (control, voice) = (hearer(Lane::Control, &sender), hearer(Lane::Voice, &sender));
    let bus = OverNats::open(&server.nats(name), start, control, voice)?;
    Ok(up(Node { bus: Box::new(bus), heard }))
}

/// Both lanes say that they work.
fn up(node: Node) -> Node {
    let mut lanes = [node.next(), node.next()];
    lanes.sort_by_key(|heard| *heard != Heard::Up(Lane::Control));
    assert_eq!(lanes, [Heard::Up(Lane::Control), Heard::Up(Lane::Voice)]);
    node
}

#[test]
fn what_is_sent_is_heard_once_in_order_and_byte_for_byte() {
    let nats = NatsServer::with(&[]);
    let (one, other) = (enter(&nats, "alpha"), enter(&nats, "beta"));
    for lane in LANES {
        other.tuned(&one, lane, "talk.19");
        other.bus.subscribe(lane, "talk.19");
        for n in 0..1000u32 {
            let large = vec![n as u8; n as usize * 7];
            assert!(one.bus.publish(lane, "talk.19", &[&n.to_be_bytes(), b"\r\nMSG ", &large]));
        }
        for n in 0..1000u32 {
            let expected = [&n.to_be_bytes()[..], b"\r\nMSG ", &vec![n as u8; n as usize * 7]].concat();
            assert_eq!(other.next(), Heard::Message(lane, "talk.19".into(), expected));
        }
    }
}

#[test]
fn only_who_has_subscribed_hears_and_the_sender_never() {
    let nats = NatsServer::with(&[]);
    let (one, other, third) = (enter(&nats, "alpha"), enter(&nats, "beta"), enter(&nats, "gamma"));
    other.tuned(&one, Lane::Control, "talk.19");
    other.tuned(&one, Lane::Control, "end");
    third.tuned(&one, Lane::Control, "end");
    one.bus.subscribe(Lane::Control, "talk.19");
    for (lane, subject) in [(Lane::Voice, "talk.19"), (Lane::Control, "talk.1"), (Lane::Control, "talk.19")] {
        one.bus.publish(lane, subject, &[b"hello"]);
    }
    one.bus.publish(Lane::Control, "end", &[]);
    assert_eq!(other.until_end(), [Heard::Message(Lane::Control, "talk.19".into(), b"hello".into())]);
    assert_eq!(third.until_end(), []);
    other.bus.publish(Lane::Control, "talk.19", &[b"back"]);
    assert_eq!(one.next(), Heard::Message(Lane::Control, "talk.19".into(), b"back".into()));
}

#[test]
fn who_has_unsubscribed_hears_no_more() {
    let nats = NatsServer::with(&[]);
    let (one, other) = (enter(&nats, "alpha"), enter(&nats, "beta"));
    other.tuned(&one, Lane::Voice, "talk.19");
    other.bus.unsubscribe(Lane::Voice, "talk.19");
    other.tuned(&one, Lane::Voice, "end");
    one.bus.publish(Lane::Voice, "talk.19", &[b"hello"]);
    one.bus.publish(Lane::Voice, "end", &[]);
    assert_eq!(other.until_end(), []);
}

#[test]
fn a_star_takes_any_last_word_and_nothing_comes_twice() {
    let nats = NatsServer::with(&[]);
    let (one, other) = (enter(&nats, "alpha"), enter(&nats, "beta"));
    other.tuned(&one, Lane::Voice, "voice.19.25km.*");
    other.tuned(&one, Lane::Voice, "voice.19.25km.a");
    other.tuned(&one, Lane::Voice, "end");
    let sent =
        ["voice.19.25km.a", "voice.19.25km.b", "voice.19.50km.a", "voice.19.25km", "voice.19.25km.a.b"];
    for subject in sent {
        one.bus.publish(Lane::Voice, subject, &[b"hello"]);
    }
    one.bus.publish(Lane::Voice, "end", &[]);
    let heard = |subject: &str| Heard::Message(Lane::Voice, subject.into(), b"hello".into());
    assert_eq!(other.until_end(), [heard(sent[0]), heard(sent[1])]);
}

#[test]
fn what_goes_out_is_counted() {
    let nats = NatsServer::with(&[]);
    let (one, other) = (enter(&nats, "alpha"), enter(&nats, "beta"));
    let before = one.bus.counts(Lane::Voice).0;
    for _ in 0..5 {
        one.bus.publish(Lane::Voice, "talk.19", &[b"hello"]);
    }
    assert_eq!(one.bus.counts(Lane::Voice), (before + 5, 0), "whether anybody hears it or not");
    assert_eq!(other.bus.counts(Lane::Voice).1, 0);
}

#[test]
fn who_is_closed_hears_nothing_and_says_nothing() {
    let nats = NatsServer::with(&[]);
    let (one, other) = (enter(&nats, "alpha"), enter(&nats, "beta"));
    other.tuned(&one, Lane::Control, "talk.19");
    other.bus.close();
    one.bus.publish(Lane::Control, "talk.19", &[b"hello"]);
    assert!(!other.bus.publish(Lane::Control, "talk.19", &[b"hello"]));
    while let Ok(heard) = other.heard.try_recv() {
        assert!(matches!(heard, Heard::Down(_)), "{heard:?}");
    }
}

#[test]
fn a_restart_of_nats_is_told_on_both_lanes_and_subscriptions_last() {
    let mut server = NatsServer::with(&[]);
    let (one, other) = (enter(&server, "alpha"), enter(&server, "beta"));
    for lane in LANES {
        other.tuned(&one, lane, "talk.19");
    }
    server.kill();
    for node in [&one, &other] {
        let mut lanes = [node.next(), node.next()];
        lanes.sort_by_key(|heard| *heard != Heard::Down(Lane::Control));
        assert_eq!(lanes, [Heard::Down(Lane::Control), Heard::Down(Lane::Voice)]);
    }
    assert!(!one.bus.publish(Lane::Voice, "talk.19", &[b"into the void"]));
    server.restart();
    let (one, other) = (up(one), up(other));
    for lane in LANES {
        // NATS may hear who speaks before it hears who listens.
        other.tuned(&one, lane, "again");
        one.bus.publish(lane, "talk.19", &[b"again"]);
        assert_eq!(other.next(), Heard::Message(lane, "talk.19".into(), b"again".into()));
    }
}

#[test]
fn two_clusters_on_one_nats_do_not_hear_each_other() {
    let server = NatsServer::with(&[]);
    let of_cluster = |prefix: &str| {
        let (sender, heard) = channel();
        let mut nats = server.nats("alpha");
        nats.prefix = prefix.into();
        let (control, voice) = (hearer(Lane::Control, &sender), hearer(Lane::Voice, &sender));
        let bus = OverNats::open(&nats, 1, control, voice).expect("a name is one of its cluster");
        up(Node { bus: Box::new(bus), heard })
    };
    let (one, other) = (of_cluster("tenfour"), of_cluster("club"));
    other.bus.subscribe(Lane::Control, "talk.19");
    one.bus.subscribe(Lane::Control, "talk.19");
    let friend = enter(&server, "beta");
    friend.tuned(&one, Lane::Control, "end");
    friend.bus.publish(Lane::Control, "talk.19", &[b"hello"]);
    assert_eq!(one.next(), Heard::Message(Lane::Control, "talk.19".into(), b"hello".into()));
    assert!(other.heard.try_recv().is_err());
}

#[test]
fn a_name_is_taken_once() {
    let server = NatsServer::with(&[]);
    let first = open(&server, "alpha", 7).unwrap();
    let refused = open(&server, "alpha", 5).map(drop).unwrap_err().to_string();
    assert!(refused.contains("named alpha") && refused.contains("--node NAME"), "{refused}");
    open(&server, "beta", 5).unwrap();
    first.bus.close();
    open(&server, "alpha", 5).expect("who has left is in nobody's way");
}
