//! Hello, budgets, and what is no message.

use tenfour_core::hub::{HubConfig, Input};
use tenfour_protocol::control::{Heard, Resume};
use tenfour_protocol::limits::{CONTROL_BURST, CONTROL_REFUSALS, HANDSHAKE};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage};

use crate::world::{World, channel, hello, ms, receipts, refusals, start};

#[test]
fn hello_is_answered_by_welcome() {
    let config =
        HubConfig { host: "Club".into(), talk_limit: ms(30_000), hold: ms(4_000), ..HubConfig::default() };
    let mut world = World::with(config);
    let conn = world.greet("Anna");
    let ServerMessage::Welcome { you, resumed, tuned, hold_ms, talk_limit_ms, host, .. } = world.last(conn)
    else {
        panic!("no welcome")
    };
    assert_eq!(you.person.handle.as_str(), "Anna");
    assert_eq!((resumed, tuned, hold_ms, talk_limit_ms), (false, vec![], 4_000, 30_000));
    assert_eq!(host, "Club");
}

#[test]
fn who_does_not_say_hello_in_time_is_disconnected() {
    let mut world = World::new();
    let silent = world.connect("Anna");
    let polite = world.greet("Bert");
    world.run(HANDSHAKE - ms(1));
    assert_eq!(world.closed.get(&silent), None);
    world.run(ms(1));
    assert_eq!(world.closed.get(&silent), Some(&Code::HelloExpected));
    assert_eq!(world.closed.get(&polite), None);
}

#[test]
fn a_burst_before_hello_is_refused() {
    let mut world = World::new();
    let conn = world.connect("Anna");
    world.press(conn, "19", 1);
    world.speak(conn, 1, 0);
    let got = world.control(conn);
    assert_eq!(refusals(&got), [Code::HelloExpected]);
    assert_eq!(receipts(&got), [1], "a press is answered by a receipt");
}

#[test]
fn a_message_before_hello_is_refused_and_hello_still_works() {
    let mut world = World::new();
    let conn = world.connect("Anna");
    world.tune(conn, "19");
    assert_eq!(refusals(&world.control(conn)), [Code::HelloExpected]);
    world.send(conn, hello(None));
    assert!(matches!(world.last(conn), ServerMessage::Welcome { .. }));
}

#[test]
fn a_second_hello_is_refused() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    world.send(conn, hello(None));
    assert_eq!(refusals(&world.control(conn)), [Code::AlreadyGreeted]);
}

#[test]
fn a_client_names_itself_in_1_to_64_bytes() {
    let mut world = World::new();
    for client in ["", &"x".repeat(65)] {
        let conn = world.connect("Anna");
        world.send(
            conn,
            ClientMessage::Hello {
                client: client.into(),
                resume: None,
                economy: false,
                hear_self: false,
                place: None,
                range: None,
                device: None,
            },
        );
        assert_eq!(refusals(&world.control(conn)), [Code::MalformedMessage]);
    }
}

#[test]
fn a_resume_names_at_most_64_bursts() {
    let mut world = World::new();
    let conn = world.connect("Anna");
    let have = vec![Heard { burst: BurstNo(1), next: 0 }; 65];
    world.send(conn, hello(Some(Resume { token: "AA".into(), newest: None, have })));
    assert_eq!(refusals(&world.control(conn)), [Code::MalformedMessage]);
}

#[test]
fn ping_is_answered_by_pong() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    world.send(conn, ClientMessage::Ping { n: 77 });
    assert_eq!(world.last(conn), ServerMessage::Pong { n: 77 });
}

#[test]
fn messages_above_the_budget_are_refused_with_the_time_to_wait() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    for n in 1..CONTROL_BURST {
        world.send(conn, ClientMessage::Ping { n });
    }
    assert_eq!(refusals(&world.control(conn)), []);
    world.send(conn, ClientMessage::Ping { n: 0 });
    let ServerMessage::Error { refusal } = world.last(conn) else { panic!("not refused") };
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::TooManyMessages, Some(200)));
    world.run(ms(200));
    world.send(conn, ClientMessage::Ping { n: 5 });
    assert_eq!(world.last(conn), ServerMessage::Pong { n: 5 });
}

#[test]
fn a_spent_budget_keeps_nobody_on_a_channel() {
    let mut world = World::new();
    let conn = world.tuned("Anna", "19");
    for n in 0..2 * CONTROL_BURST {
        world.send(conn, ClientMessage::Ping { n });
    }
    world.take(conn);
    world.send(conn, ClientMessage::Untune { channel: channel("19") });
    assert_eq!(world.last(conn), ServerMessage::Untuned { channel: channel("19") });
}

#[test]
fn a_press_above_the_budget_gets_its_receipt() {
    let mut world = World::new();
    let conn = world.tuned("Anna", "19");
    for n in 0..CONTROL_BURST {
        world.send(conn, ClientMessage::Ping { n });
    }
    world.take(conn);
    world.send(conn, start("19", 1));
    let got = world.control(conn);
    assert_eq!((refusals(&got), receipts(&got)), (vec![Code::TooManyMessages], vec![1]));
}

#[test]
fn a_flood_ends_the_connection_after_a_hundred_refusals() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    for n in 0..CONTROL_BURST - 1 + CONTROL_REFUSALS {
        world.send(conn, ClientMessage::Ping { n });
    }
    assert_eq!(world.closed.get(&conn), None);
    world.send(conn, ClientMessage::Ping { n: 0 });
    assert_eq!(world.closed.get(&conn), Some(&Code::TooManyMessages));
}

#[test]
fn who_slows_down_in_between_is_not_disconnected() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    for _ in 0..3 {
        for n in 0..CONTROL_REFUSALS {
            world.send(conn, ClientMessage::Ping { n });
        }
        world.run(ms(2000));
    }
    assert_eq!(world.closed.get(&conn), None);
}

#[test]
fn what_is_no_message_is_refused_and_counts_as_one() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    for _ in 1..CONTROL_BURST {
        world.tell(Input::Malformed { conn, refusal: Code::MalformedMessage.into(), press: None });
    }
    let got = refusals(&world.control(conn));
    assert!(
        got.len() == CONTROL_BURST as usize - 1 && got.iter().all(|&code| code == Code::MalformedMessage)
    );
    world.tell(Input::Malformed { conn, refusal: Code::MalformedMessage.into(), press: None });
    assert_eq!(refusals(&world.control(conn)), [Code::TooManyMessages]);
}
