//! Several nodes, and what gets lost between them.

use std::time::Duration;

use tenfour_core::hub::{Input, NodeInput, NodeNews};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::limits::{NODE_CHANNELS, NODES};
use tenfour_protocol::node::{Envelope, Frames, NodeId, NodeMessage, Subject};
use tenfour_protocol::{ChannelId, Range, ServerMessage};

use crate::nodes::{count, somebody};
use crate::world::{Cluster, FRAME, HERE, NEAR, begin, heard, ms, range, voice_in};

fn is_control(bytes: &[u8]) -> bool {
    !Frames::is_next(bytes)
}

#[test]
fn a_start_that_was_lost_is_asked_for_and_no_frame_is_missed() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    cluster.loses = |subject, bytes| subject.is_voice() && is_control(bytes);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    assert_eq!(cluster.nodes[1].voice(bert, 1), [0]);
}

#[test]
fn an_end_that_was_lost_is_noticed() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    cluster.loses = |subject, bytes| subject.is_voice() && is_control(bytes);
    cluster.nodes[0].release(anna, 1);
    cluster.run(Duration::from_secs(4));
    let got = cluster.nodes[1].control(bert);
    let lost = |message: &ServerMessage| {
        matches!(message, ServerMessage::BurstEnded { reason: EndReason::TalkerLost, .. })
    };
    assert!(got.iter().any(lost), "{got:?}");
    assert_eq!(cluster.nodes[1].hub.figures().located, 1);
}

#[test]
fn what_comes_twice_or_late_is_heard_once() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    let mut all = Vec::new();
    cluster.deaf.insert(1);
    begin(&mut cluster.nodes[0], anna, 1);
    all.extend(cluster.nodes[0].take_sent());
    cluster.nodes[0].speak(anna, 1, 1);
    all.extend(cluster.nodes[0].take_sent());
    cluster.nodes[0].release(anna, 1);
    all.extend(cluster.nodes[0].take_sent());
    assert_eq!(all.len(), 4, "start, two frames, end");
    // Each twice, then all of it backwards.
    for at in [0, 0, 1, 1, 2, 2, 3, 3, 3, 2, 1, 0] {
        cluster.nodes[1].hear_bus(&all[at].1);
    }
    cluster.nodes[1].run(Duration::from_secs(2));
    let got = cluster.nodes[1].take(bert);
    assert_eq!(voice_in(&got, 1), [0, 1]);
    assert_eq!(voice_in(&got, 2), [0_u16; 0]);
    assert_eq!(cluster.nodes[1].hub.figures().bursts_elsewhere, 0);
}

#[test]
fn an_end_that_overtakes_its_start_leaves_nothing_on_the_air() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    cluster.deaf.insert(1);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.nodes[0].release(anna, 1);
    for (_, bytes) in cluster.nodes[0].take_sent().into_iter().rev() {
        cluster.nodes[1].hear_bus(&bytes);
    }
    assert_eq!(heard(&mut cluster.nodes[1], bert), None);
    assert_eq!(cluster.nodes[1].hub.figures().bursts_elsewhere, 0);
}

#[test]
fn counts_that_were_lost_are_right_within_two_seconds() {
    let mut cluster = Cluster::of(2);
    let anna = cluster.nodes[0].tuned("Anna", "19");
    cluster.loses = |subject, bytes| *subject == Subject::Nodes && !bytes.windows(4).any(|w| w == b"beat");
    cluster.nodes[1].tuned("Bert", "19");
    cluster.run(Duration::from_secs(2));
    assert_eq!(count(&cluster.nodes[0].control(anna)), Some(2));
}

#[test]
fn a_node_that_is_silent_is_gone_with_its_people_and_its_bursts() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    cluster.run(Duration::from_secs(2));
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    assert_eq!(count(&cluster.nodes[1].control(bert)), Some(2));
    cluster.deaf.insert(0);
    for seq in 1..250 {
        cluster.nodes[0].speak(anna, 1, seq);
        cluster.run(FRAME);
    }
    let got = cluster.nodes[1].control(bert);
    assert_eq!(count(&got), Some(1));
    assert!(
        got.iter().any(|message| matches!(
            message,
            ServerMessage::BurstEnded { reason: EndReason::TalkerLost, .. }
        ))
    );
    let news = &cluster.nodes[1].on_bus().news;
    assert!(matches!(news.last(), Some(NodeNews::Lost { .. })), "{news:?}");
    // It is back, and its talker still talks.
    cluster.deaf.clear();
    cluster.run(ms(500));
    cluster.nodes[0].speak(anna, 1, 250);
    cluster.run(Duration::from_secs(1));
    let got = cluster.nodes[1].take(bert);
    assert!(!voice_in(&got, 2).is_empty(), "as another burst");
    assert_eq!(cluster.nodes[1].hub.figures().nodes, 1);
    assert_eq!(cluster.nodes[1].hub.channels()[18].count, 2);
}

#[test]
fn without_the_bus_a_node_goes_on_for_its_own_people_and_says_so() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let cleo = somebody(&mut cluster.nodes[0], "Cleo", NEAR);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    range(&mut cluster.nodes[0], anna, Range::Km25, Range::Unlimited);
    cluster.run(Duration::from_secs(2));
    cluster.nodes[0].take(cleo);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    for node in &mut cluster.nodes {
        node.tell(Input::Node(NodeInput::Down));
    }
    cluster.nodes[0].speak(anna, 1, 1);
    cluster.run(ms(500));
    let got = cluster.nodes[0].take(cleo);
    assert_eq!(voice_in(&got, 1), [0, 1], "own talk goes on");
    let island = |alone| crate::world::Got::Control(ServerMessage::Island { alone });
    assert!(got.contains(&island(true)));
    let got = cluster.nodes[1].control(bert);
    assert!(got.iter().any(|message| matches!(message, ServerMessage::BurstEnded { .. })), "{got:?}");
    assert_eq!(count(&got), Some(1));
    assert!(cluster.nodes[1].hub.figures().alone);
    // Who comes meanwhile is told too.
    let dora = cluster.nodes[1].greet("Dora");
    assert!(cluster.nodes[1].take(dora).contains(&island(true)));
    for node in &mut cluster.nodes {
        node.tell(Input::Node(NodeInput::Up));
    }
    cluster.pass();
    assert!(cluster.nodes[1].take(dora).contains(&island(false)));
    cluster.nodes[0].speak(anna, 1, 2);
    cluster.run(ms(100));
    assert_eq!(cluster.nodes[1].voice(bert, 2), [2], "the talk of others is back");
    cluster.run(Duration::from_secs(2));
    assert_eq!(cluster.nodes[1].hub.channels()[18].count, 3);
}

#[test]
fn a_node_that_slept_itself_drops_nobody() {
    let mut cluster = Cluster::of(2);
    somebody(&mut cluster.nodes[1], "Bert", NEAR);
    somebody(&mut cluster.nodes[0], "Anna", HERE);
    cluster.run(Duration::from_secs(2));
    let before = cluster.nodes[1].on_bus().news.len();
    // Stopped for 20 s: one timeout for all that was due, and what came waits behind it.
    cluster.nodes[1].sleep(Duration::from_secs(20));
    assert_eq!(cluster.nodes[1].hub.figures().nodes, 1);
    let now = cluster.nodes[1].now;
    let behind = now.since(cluster.nodes[0].now);
    cluster.nodes[0].run(behind);
    cluster.run(Duration::from_secs(2));
    assert_eq!(cluster.nodes[1].on_bus().news.len(), before);
    assert_eq!(cluster.nodes[1].hub.channels()[18].count, 2);
}

/// Whatever is said by others has a most: nodes, beats, channels.
#[test]
fn nodes_beats_and_channels_of_others_have_a_most() {
    let mut cluster = Cluster::of(2);
    let here = &mut cluster.nodes[0];
    let say = |node: &mut crate::world::World, from: u64, message: NodeMessage| {
        node.tell(Input::Node(NodeInput::Message(Envelope { from: NodeId(from), message })));
    };
    let beat = |name: &str, counts| NodeMessage::Beat { name: name.parse().unwrap(), counts };
    for n in 0..2 * NODES as u64 {
        say(here, 1_000 + n, beat(&format!("n{n}"), 0));
    }
    assert_eq!(here.hub.figures().nodes, NODES, "the first of them, with the one that was there");
    here.take_sent();
    // Each beat says that something was missed, which is asked for; those that come too fast ask nothing.
    for n in 0..1_000 {
        say(here, 1_000, beat("n0", n + 2));
    }
    assert!(here.take_sent().len() <= 1);
    let channels = |from: usize, to: usize| {
        (from..to).map(|n| (format!("c{n}").parse().unwrap(), 1)).collect::<Vec<(ChannelId, u32)>>()
    };
    let whole = |number, counts| NodeMessage::Counts { number, whole: true, counts };
    say(here, 1_001, whole(1, channels(0, NODE_CHANNELS)));
    let known = here.hub.channels().len();
    for number in 2..5 {
        let more = channels(NODE_CHANNELS * (number - 1), NODE_CHANNELS * number);
        say(here, 1_001, NodeMessage::Counts { number: number as u64, whole: false, counts: more });
    }
    assert_eq!(here.hub.channels().len(), known, "a node has no more channels than there can be");
    let bert = somebody(&mut cluster.nodes[0], "Bert", NEAR);
    let anna = somebody(&mut cluster.nodes[1], "Anna", HERE);
    begin(&mut cluster.nodes[1], anna, 1);
    cluster.pass();
    assert_eq!(cluster.nodes[0].voice(bert, 1), [0], "who was there is heard");
}
