//! Several nodes, one radio.

use std::time::Duration;

use tenfour_core::ConnId;
use tenfour_core::hub::NodeNews;
use tenfour_protocol::control::EndReason;
use tenfour_protocol::node::{Frames, NodeMessage, Subject};
use tenfour_protocol::{BurstNo, ClientMessage, ParticipantNo, Range, ServerMessage};

use crate::world::{
    Cluster, FAR, FRAME, Got, HERE, NEAR, World, ZAGREB, back, begin, cell, channel, heard, located, ms,
    range, token, voice_in,
};

/// Somebody on a channel of a node, somewhere.
pub(crate) fn somebody(node: &mut World, name: &str, place: (f64, f64)) -> ConnId {
    let conn = located(node, name, place);
    node.tune(conn, "19");
    conn
}

/// The number of people on channel 19 that a client was told last.
pub(crate) fn count(got: &[ServerMessage]) -> Option<u32> {
    got.iter().rev().find_map(|message| match message {
        ServerMessage::Presence { count, .. } => Some(*count),
        ServerMessage::Tuned { info, .. } => Some(info.count),
        _ => None,
    })
}

fn ended(got: &[ServerMessage]) -> Option<(u32, EndReason)> {
    got.iter().find_map(|message| match message {
        ServerMessage::BurstEnded { frames, reason, .. } => Some((*frames, *reason)),
        _ => None,
    })
}

#[test]
fn a_burst_is_heard_on_every_node_by_those_in_range_and_by_nobody_else() {
    let mut cluster = Cluster::of(3);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    let near: Vec<_> = cluster.nodes.iter_mut().map(|node| somebody(node, "Bert", NEAR)).collect();
    let far: Vec<_> = cluster.nodes.iter_mut().map(|node| somebody(node, "Cleo", FAR)).collect();
    range(&mut cluster.nodes[0], anna, Range::Km25, Range::Unlimited);
    cluster.run(ms(500));
    begin(&mut cluster.nodes[0], anna, 1);
    for seq in 1..5 {
        cluster.run(FRAME);
        cluster.nodes[0].speak(anna, 1, seq);
    }
    cluster.nodes[0].release(anna, 1);
    cluster.pass();
    for (node, world) in cluster.nodes.iter_mut().enumerate() {
        let got = world.take(near[node]);
        assert_eq!(voice_in(&got, 1), [0, 1, 2, 3, 4], "node {node}");
        let control: Vec<_> = got
            .into_iter()
            .filter_map(|got| if let Got::Control(message) = got { Some(message) } else { None })
            .collect();
        assert_eq!(ended(&control), Some((5, EndReason::Released)));
        // The meter is that of the distance, wherever the talker is connected.
        let grade = control.iter().find_map(|message| match message {
            ServerMessage::BurstStarted { grade, talker, .. } => {
                assert_eq!(talker.person.handle.as_str(), "Anna");
                Some(*grade)
            }
            _ => None,
        });
        assert_eq!(grade.flatten().map(u8::from), Some(5));
        assert_eq!(heard(world, far[node]), None, "node {node}");
        assert_eq!(world.voice(far[node], 1), [0_u16; 0]);
    }
    assert_eq!(cluster.frames[1..], [5, 5], "one message a frame and node, whatever the listeners");
}

#[test]
fn a_node_without_a_listener_in_reach_gets_no_frame() {
    let mut cluster = Cluster::of(3);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    range(&mut cluster.nodes[0], anna, Range::Km25, Range::Unlimited);
    somebody(&mut cluster.nodes[1], "Bert", ZAGREB);
    let cleo = somebody(&mut cluster.nodes[2], "Cleo", NEAR);
    cluster.nodes[2].send(cleo, ClientMessage::Untune { channel: channel("19") });
    // The subscription lingers.
    cluster.run(Duration::from_secs(29));
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    assert_eq!(cluster.frames, [0, 0, 1]);
    cluster.nodes[0].release(anna, 1);
    cluster.run(Duration::from_secs(2));
    begin(&mut cluster.nodes[0], anna, 2);
    cluster.pass();
    assert_eq!(cluster.frames, [0, 0, 1]);
    assert_eq!(cluster.nodes[2].hub.figures().subscriptions, 0);
}

#[test]
fn whoever_tunes_in_late_hears_a_burst_of_another_node_too() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.run(FRAME);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    cluster.pass();
    for seq in 1..4 {
        cluster.nodes[0].speak(anna, 1, seq);
        cluster.run(FRAME);
    }
    assert_eq!(cluster.nodes[1].voice(bert, 1), [1, 2, 3]);
}

#[test]
fn a_talker_who_moves_is_judged_where_it_is_now() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    range(&mut cluster.nodes[0], anna, Range::Km25, Range::Unlimited);
    let bert = somebody(&mut cluster.nodes[1], "Bert", NEAR);
    let cleo = somebody(&mut cluster.nodes[1], "Cleo", ZAGREB);
    cluster.nodes[0].send(anna, ClientMessage::locate(Some(cell(ZAGREB))));
    let boundary = cluster.nodes[0].hub.poll_timeout().map_or(ms(0), |_| Duration::from_secs(900) - ms(3500));
    cluster.run(boundary - ms(500));
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    assert_eq!(cluster.nodes[1].voice(bert, 1), [0]);
    let mut seq = 1;
    for _ in 0..150 {
        cluster.nodes[0].speak(anna, 1, seq);
        seq += 1;
        cluster.run(FRAME);
    }
    let got = cluster.nodes[1].take(bert);
    let reason = got.iter().find_map(|got| match got {
        Got::Control(ServerMessage::BurstEnded { reason, .. }) => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, Some(EndReason::OutOfRange));
    assert!(voice_in(&cluster.nodes[1].take(cleo), 1).ends_with(&[seq - 1]));
}

#[test]
fn the_cell_of_a_talker_elsewhere_is_wiped_with_the_burst() {
    let mut cluster = Cluster::of(2);
    let anna = somebody(&mut cluster.nodes[0], "Anna", HERE);
    somebody(&mut cluster.nodes[1], "Bert", NEAR);
    begin(&mut cluster.nodes[0], anna, 1);
    cluster.pass();
    assert_eq!(cluster.nodes[1].hub.figures().located, 2);
    assert_eq!(cluster.nodes[1].hub.figures().bursts_elsewhere, 1);
    cluster.nodes[0].release(anna, 1);
    cluster.pass();
    assert_eq!(cluster.nodes[1].hub.figures().located, 1);
    cluster.run(Duration::from_secs(12));
    assert_eq!(cluster.nodes[1].hub.figures().bursts_held, 0);
}

#[test]
fn counts_are_those_of_all_nodes_within_two_seconds() {
    let mut cluster = Cluster::of(3);
    let anna = cluster.nodes[0].tuned("Anna", "19");
    cluster.nodes[1].tuned("Bert", "19");
    let cleo = cluster.nodes[2].tuned("Cleo", "19");
    cluster.nodes[2].tuned("Dora", "road-66");
    cluster.run(Duration::from_secs(2));
    assert_eq!(count(&cluster.nodes[0].control(anna)), Some(3));
    let listed = cluster.nodes[0].hub.channels();
    assert!(listed.iter().any(|info| info.channel == channel("road-66") && info.count == 1));
    cluster.nodes[2].drop_link(cleo);
    // The session waits for a resume before it leaves.
    cluster.run(Duration::from_secs(12));
    assert_eq!(count(&cluster.nodes[0].control(anna)), Some(2));
}

#[test]
fn people_of_other_nodes_are_listed_page_by_page() {
    let mut cluster = Cluster::of(3);
    let anna = cluster.nodes[0].tuned("Anna", "19");
    for (node, name) in [(1, "Bert"), (1, "Cleo"), (2, "Dora")] {
        cluster.nodes[node].tuned(name, "19");
    }
    cluster.run(Duration::from_secs(2));
    let mut names = Vec::new();
    for page in 0..3 {
        cluster.nodes[0].control(anna);
        cluster.nodes[0].send(anna, ClientMessage::Participants { channel: channel("19"), page });
        cluster.pass();
        let ServerMessage::Participants { participants, pages, count, .. } = cluster.nodes[0].last(anna)
        else {
            panic!("no page {page}")
        };
        assert_eq!((pages, count), (3, 4));
        names.extend(participants.iter().map(|one| (one.id, one.person.handle.as_str().to_owned())));
    }
    assert_eq!(
        names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(),
        ["Anna", "Bert", "Cleo", "Dora"]
    );
    // By the number of the list they can be muted.
    let dora = names[3].0;
    cluster.nodes[0].send(anna, ClientMessage::Mute { participant: dora, muted: true });
    let conn = cluster.nodes[2].greet("Emil");
    cluster.nodes[2].tune(conn, "19");
    cluster.nodes[0].take(anna);
    cluster.nodes[2].press(ConnId(3001), "19", 1);
    cluster.pass();
    assert_eq!(heard(&mut cluster.nodes[0], anna), None);
    cluster.nodes[2].press(conn, "19", 1);
    cluster.pass();
    assert!(heard(&mut cluster.nodes[0], anna).is_some());
}

#[test]
fn a_node_that_does_not_answer_for_its_page_gives_an_empty_one() {
    let mut cluster = Cluster::of(2);
    let anna = cluster.nodes[0].tuned("Anna", "19");
    cluster.nodes[1].tuned("Bert", "19");
    cluster.run(Duration::from_secs(2));
    cluster.loses = |subject, _| matches!(subject, Subject::Node(_));
    cluster.nodes[0].send(anna, ClientMessage::Participants { channel: channel("19"), page: 1 });
    cluster.nodes[0].control(anna);
    cluster.run(Duration::from_secs(1));
    let ServerMessage::Participants { participants, .. } = cluster.nodes[0].last(anna) else { panic!() };
    assert_eq!(participants, []);
}

#[test]
fn a_session_that_comes_back_on_another_node_leaves_the_first_one_at_once() {
    let mut cluster = Cluster::of(2);
    let anna = cluster.nodes[0].greet("Anna");
    let token = token(&mut cluster.nodes[0], anna);
    cluster.nodes[0].tune(anna, "19");
    let bert = cluster.nodes[0].tuned("Bert", "19");
    let muted = ParticipantNo(2);
    cluster.nodes[0].send(anna, ClientMessage::Mute { participant: muted, muted: true });
    begin(&mut cluster.nodes[0], bert, 1);
    cluster.nodes[0].release(bert, 1);
    cluster.nodes[0].drop_link(anna);
    cluster.run(ms(100));
    let again = cluster.nodes[1].connect("Anna");
    cluster.nodes[1].send(again, back(Some(token), Vec::new(), None, None));
    assert!(matches!(cluster.nodes[1].control(again)[0], ServerMessage::Welcome { resumed: false, .. }));
    cluster.pass();
    assert_eq!(cluster.nodes[0].hub.figures().sessions, 1, "Bert is left");
    cluster.nodes[1].tune(again, "19");
    cluster.run(Duration::from_secs(2));
    assert_eq!(count(&cluster.nodes[1].control(again)), Some(2));
    // What was muted stays muted.
    begin(&mut cluster.nodes[0], bert, 2);
    cluster.pass();
    assert_eq!(heard(&mut cluster.nodes[1], again), None);
}

#[test]
fn nobody_takes_a_session_of_somebody_else_from_another_node() {
    let mut cluster = Cluster::of(2);
    let anna = cluster.nodes[0].greet("Anna");
    let token = token(&mut cluster.nodes[0], anna);
    let mallory = cluster.nodes[1].connect("Mallory");
    cluster.nodes[1].send(mallory, back(Some(token), Vec::new(), None, None));
    cluster.run(Duration::from_secs(1));
    assert_eq!(cluster.nodes[0].hub.figures().sessions, 1);
    assert!(cluster.nodes[0].closed.is_empty());
}

#[test]
fn a_node_says_whom_it_met() {
    let cluster = Cluster::of(2);
    assert!(
        matches!(&cluster.nodes[0].on_bus().news[..], [NodeNews::Met { name, .. }] if name.as_str() == "node-2")
    );
    assert_eq!(cluster.nodes[0].hub.figures().nodes, 1);
}

#[test]
fn frames_and_control_are_told_apart_by_their_first_byte() {
    let node = tenfour_protocol::node::NodeId(1);
    let message = NodeMessage::BurstAsk { burst: BurstNo(1) };
    let control = tenfour_protocol::node::Envelope { from: node, message }.to_bytes();
    assert!(!Frames::is_next(&control) && Frames::is_next(&Frames::to_bytes(node, [&[0_u8; 13][..]])));
}
