//! Log-out, stop, and nothing left behind.

use tenfour_core::hub::Input;
use tenfour_protocol::control::{EndReason, Resume};
use tenfour_protocol::limits::{HOLD, PRESENCE_TICK};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ParticipantNo, ServerMessage};

use crate::world::{Got, World, aired, hello, login_of, ms, refusals};

#[test]
fn logout_closes_every_connection_of_the_login_and_no_other() {
    let mut world = World::new();
    let phone = world.tuned("Anna", "19");
    let laptop = world.greet("Anna");
    let ungreeted = world.connect("Anna");
    let bert = world.tuned("Bert", "19");
    world.tell(Input::LoggedOut { login: login_of("Anna") });
    for conn in [phone, laptop, ungreeted] {
        assert_eq!(world.closed.get(&conn), Some(&Code::LoggedOut));
    }
    assert_eq!(world.closed.get(&bert), None);
}

#[test]
fn logout_is_seen_by_others_at_once_and_leaves_no_token() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = world.control(anna).into_iter().find_map(|message| match message {
        ServerMessage::Welcome { resume, .. } => Some(resume),
        _ => None,
    });
    world.run(PRESENCE_TICK);
    world.take(bert);
    world.tell(Input::LoggedOut { login: login_of("Anna") });
    world.run(PRESENCE_TICK);
    let ServerMessage::Presence { left, count, .. } = world.last(bert) else { panic!() };
    assert_eq!((left, count), (vec![ParticipantNo(1)], 1));
    let anna = world.connect("Anna");
    world.send(anna, hello(Some(Resume { token: token.unwrap(), newest: None, have: vec![] })));
    assert!(matches!(world.last(anna), ServerMessage::Welcome { resumed: false, .. }));
}

#[test]
fn logout_forgets_a_dropped_session() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.drop_link(anna);
    assert_eq!(world.hub.figures().suspended, 1);
    world.tell(Input::LoggedOut { login: login_of("Anna") });
    assert_eq!(world.hub.figures().sessions, 0);
}

#[test]
fn logout_ends_a_burst_on_the_air() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.tell(Input::LoggedOut { login: login_of("Anna") });
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 1, reason: EndReason::TalkerLost };
    assert!(world.control(bert).contains(&ended));
}

#[test]
fn a_stop_is_told_and_gives_receipts_before_it_disconnects() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let ungreeted = world.connect("Cleo");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    // A client is gone after its last message, so they are looked at before they are drained.
    world.hub.handle(Input::Stop { back_in: ms(3000) }, world.now);
    let mut outputs: Vec<_> = std::iter::from_fn(|| world.hub.poll()).collect();
    let closed = Input::BurstClosed {
        conn: anna,
        local: BurstNo(1),
        frames: 1,
        dropped: None,
        reason: EndReason::GoingAway,
    };
    world.hub.handle(closed, world.now);
    outputs.extend(std::iter::from_fn(|| world.hub.poll()));
    let text: Vec<String> = outputs.iter().map(|output| format!("{output:?}")).collect();
    let place = |what: &str| text.iter().position(|line| line.contains(what)).expect(what);
    assert!(place("GoingAway { back_in_ms: 3000 }") < place("EndBurst"));
    assert!(place("EndBurst") < place("Close {"));
    assert!(place("Receipt") < place("Disconnect"));
    let gone = text.iter().filter(|line| line.starts_with("Disconnect") && line.contains("GoingAway"));
    assert_eq!(gone.count(), 3, "{anna:?} {bert:?} {ungreeted:?}");
}

#[test]
fn a_talker_that_does_not_answer_holds_no_stop_up() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.hub.handle(Input::Stop { back_in: ms(3000) }, world.now);
    while world.hub.poll().is_some() {}
    let at = world.hub.poll_timeout().expect("it does not wait for ever");
    assert!(at <= world.now + ms(500));
    world.run(ms(500));
    assert_eq!(world.closed.get(&anna), Some(&Code::GoingAway));
}

#[test]
fn whoever_comes_during_a_stop_is_sent_away() {
    let mut world = World::new();
    world.tell(Input::Stop { back_in: ms(3000) });
    let late = world.connect("Anna");
    assert_eq!(world.closed.get(&late), Some(&Code::GoingAway));
}

#[test]
fn a_press_that_waits_when_the_server_stops_gets_its_receipt() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.press(anna, "19", 2);
    world.take(anna);
    world.hub.handle(Input::Stop { back_in: ms(1) }, world.now);
    let refused: Vec<_> = std::iter::from_fn(|| world.hub.poll())
        .filter_map(|output| match output {
            tenfour_core::hub::Output::Send { message, .. } => Some(message),
            _ => None,
        })
        .collect();
    assert_eq!(refusals(&refused), [Code::GoingAway]);
}

#[test]
fn nothing_is_left_when_everybody_has_gone() {
    let mut world = World::new();
    let conns: Vec<_> =
        (0..12).map(|n| world.tuned(&format!("P{n}"), if n % 2 == 0 { "19" } else { "road" })).collect();
    for (n, &conn) in conns.iter().enumerate() {
        world.press(conn, if n % 2 == 0 { "19" } else { "road" }, 1);
        world.speak(conn, 1, 0);
    }
    world.send(conns[0], ClientMessage::Mute { participant: ParticipantNo(3), muted: true });
    world.stall(conns[1], true);
    world.release(conns[2], 1);
    world.connect("ungreeted");
    world.run(ms(300));
    for &conn in &conns {
        world.drop_link(conn);
    }
    assert!(!world.is_empty());
    world.run(HOLD + ms(1000));
    assert!(world.is_empty(), "{:?} {:?}", world.hub.figures(), world.decks[0].figures());
}

#[test]
fn a_drop_that_the_uplink_did_not_see_still_closes_the_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.hub.handle(Input::Message { conn: anna, message: crate::world::start("19", 1) }, world.now);
    while world.hub.poll().is_some() {}
    world.tell(Input::Disconnected { conn: anna });
    assert_eq!(world.hub.figures().bursts_on_air, 0);
    world.run(HOLD);
    assert_eq!(world.hub.figures().bursts_held, 0);
    world.take(bert);
    let late = Input::BurstClosed {
        conn: anna,
        local: BurstNo(1),
        frames: 3,
        dropped: None,
        reason: EndReason::TalkerLost,
    };
    world.tell(late);
    assert_eq!(world.take(bert), Vec::<Got>::new());
}

#[test]
fn who_says_good_bye_is_gone_at_once_and_who_drops_is_kept_for_a_resume() {
    let mut world = World::new();
    let (anna, bert) = (world.tuned("Anna", "19"), world.tuned("Bert", "19"));
    world.press(anna, "19", 1);
    world.tell(Input::Left { conn: anna });
    world.drop_link(anna);
    world.drop_link(bert);
    let figures = world.hub.figures();
    assert_eq!((figures.sessions, figures.suspended, figures.bursts_on_air), (1, 1, 0));
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || {
        let mut world = World::new();
        let conns: Vec<_> = (0..5).map(|n| world.tuned(&format!("P{n}"), "19")).collect();
        world.press(conns[0], "19", 1);
        world.speak_for(conns[0], 1, 0..20);
        world.drop_link(conns[3]);
        world.release(conns[0], 1);
        world.run(HOLD * 2);
        conns.iter().map(|&conn| format!("{:?}", world.take(conn))).collect::<String>()
    };
    let first = run();
    assert!(first.contains(&format!("{:?}", aired(1, 20, EndReason::Released))));
    assert_eq!(first, run());
}
