//! The front: what goes out before what, and what a connection leaves behind.

use std::sync::Arc;

use tenfour_core::front::{
    DeckOrder, Dispatch, Handover, Order, Port, PortOrder, PortOutput, Round, Unwritten,
};
use tenfour_core::hub::{Hears, Input, NodeOutput, Output, Recipients, Route, Tuned};
use tenfour_core::voice::unframed;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::node::{NodeId, Subject};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage};

use crate::world::{channel, frame, start};

const BURST: BurstNo = BurstNo(7);
const LOCAL: BurstNo = BurstNo(1);
const TALKER: ConnId = ConnId(0);
const T: Time = Time::from_micros(1_000_000);

/// Even connections are on worker 0, odd ones on worker 1.
fn take(dispatch: &mut Dispatch<ServerMessage>, output: Output) -> Option<Round<ServerMessage>> {
    dispatch.take(output, &Unwritten(|conn: ConnId| (conn.0 % 2) as usize))
}

/// What each part of a round is, and for whom.
fn names(round: Round<ServerMessage>) -> Vec<String> {
    let order = |order: &Order<_>| match order {
        Order::Deck(DeckOrder::Open { tuned, .. }) => {
            format!("open {:?}", tuned.iter().map(|who| who.conn().0).collect::<Vec<_>>())
        }
        Order::Port { order: PortOrder::Admit { .. }, .. } => "admit".to_owned(),
        Order::Send { to, .. } => format!("send {:?}", to.iter().map(|conn| conn.0).collect::<Vec<_>>()),
        Order::Relay { .. } => "relay".to_owned(),
        other => format!("{other:?}"),
    };
    let parts = round.handovers().flat_map(|handover| match handover {
        Handover::Worker(worker, orders) => {
            orders.iter().map(|one| format!("{worker}: {}", order(one))).collect::<Vec<_>>()
        }
        Handover::Bus(output) => vec![format!("bus: {}", format!("{output:?}").split(' ').next().unwrap())],
    });
    parts.collect()
}

fn opening() -> Output {
    let started = serde_json::from_value(serde_json::json!({
        "type": "burst.started", "burst": 7, "channel": "19", "codec": "opus", "frame_ms": 20,
        "talker": { "id": 1, "handle": "Anna", "tag": "aaaa" },
    }));
    let tuned = [3, 2, 5].map(|conn| Tuned::Hears(Hears { conn: ConnId(conn), grade: None })).to_vec();
    let route = Route {
        burst: BURST,
        channel: channel("19"),
        bundle: 1,
        started: started.expect("a message"),
        small: true,
        tuned,
    };
    Output::Open(Arc::new(route))
}

#[test]
fn every_worker_has_the_opening_before_the_talker_is_admitted() {
    let mut dispatch = Dispatch::new(2);
    assert!(take(&mut dispatch, opening()).is_none());
    let before = take(&mut dispatch, Output::Admit { conn: TALKER, local: LOCAL, burst: BURST });
    assert_eq!(names(before.expect("a round")), ["0: open [2]", "1: open [3, 5]"]);
    assert_eq!(names(dispatch.rest()), ["0: admit"]);
    assert_eq!(names(dispatch.rest()), [""; 0]);
}

#[test]
fn frames_of_another_node_are_let_in_when_every_worker_has_their_opening() {
    let mut dispatch = Dispatch::new(2);
    assert!(take(&mut dispatch, opening()).is_none());
    let hear = NodeOutput::Hear { node: NodeId(1), burst: BURST, local: BURST };
    let before = take(&mut dispatch, Output::Node(hear));
    assert_eq!(names(before.expect("a round")), ["0: open [2]", "1: open [3, 5]"]);
    assert_eq!(names(dispatch.rest()), ["bus: Hear"]);
}

#[test]
fn this_node_listens_on_the_bus_before_anybody_is_told_that_they_are_tuned() {
    let mut dispatch = Dispatch::new(2);
    let told = Output::Send { to: Recipients::One(ConnId(3)), message: ServerMessage::Pong { n: 1 } };
    assert!(take(&mut dispatch, told).is_none());
    assert!(take(&mut dispatch, Output::Node(NodeOutput::Subscribe(Subject::Nodes))).is_none());
    assert_eq!(names(dispatch.rest()), ["bus: Subscribe(Nodes)", "1: send [3]"]);
}

#[test]
fn a_message_for_many_goes_to_each_worker_once_and_keeps_its_order() {
    let mut dispatch = Dispatch::new(2);
    let to = Recipients::Many([5, 2, 1, 4].map(ConnId).into());
    assert!(take(&mut dispatch, Output::Send { to, message: ServerMessage::Pong { n: 1 } }).is_none());
    assert_eq!(names(dispatch.rest()), ["0: send [2, 4]", "1: send [5, 1]"]);
}

#[test]
fn a_talker_who_is_gone_when_admitted_gives_the_channel_back() {
    let admit = PortOrder::Admit { local: LOCAL, burst: BURST };
    let Some(Input::BurstClosed { conn, local, frames, reason, .. }) = admit.without_port(TALKER) else {
        panic!("the hub waits for it")
    };
    assert_eq!((conn, local, frames, reason), (TALKER, LOCAL, 0, EndReason::TalkerLost));
    assert!(PortOrder::Refuse { local: LOCAL }.without_port(TALKER).is_none());
}

#[test]
fn the_hub_hears_that_a_connection_is_gone_after_all_that_was_said_on_it() {
    let mut port = Port::new(TALKER, unframed, T);
    assert!(matches!(port.message(start("19", 1), T), Some(Input::Message { conn: TALKER, .. })));
    port.obey(PortOrder::Admit { local: LOCAL, burst: BURST }, T);
    port.frame(&frame(1, 0), T);
    port.end(T);
    assert!(matches!(port.poll(), Some(PortOutput::Frame { burst: BURST, .. })));
    let closed = port.poll();
    let Some(PortOutput::Hub(Input::BurstClosed { frames: 1, reason, .. })) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(reason, EndReason::TalkerLost);
    assert!(matches!(port.poll(), Some(PortOutput::Hub(Input::Disconnected { conn: TALKER }))));
    assert!(port.poll().is_none());
}

#[test]
fn a_release_is_the_uplinks_and_what_cannot_be_read_names_its_press() {
    let mut port = Port::new(TALKER, unframed, T);
    assert!(port.message(ClientMessage::BurstEnd { burst: LOCAL, frames: 0 }, T).is_none());
    let text = r#"{"type":"burst.start","burst":4,"channel":"19"}"#;
    let fault = tenfour_protocol::json::message(text).expect_err("fields are missing");
    let Input::Malformed { refusal, press, .. } = port.malformed(text, &fault, T) else { panic!() };
    assert_eq!((refusal.code, press), (Code::MalformedMessage, Some(BurstNo(4))));
}
