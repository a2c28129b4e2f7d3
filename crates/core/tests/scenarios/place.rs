//! Places: when they change.

use std::time::Duration;

use tenfour_core::hub::HubConfig;
use tenfour_protocol::control::EndReason;
use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::{ClientMessage, Code, GeoCell, Range, ServerMessage};

use crate::world::{
    FAR, Got, HERE, NEAR, NO_VOICE, World, begin, code, hear, locate, located, ms, range, stamp,
};

#[test]
fn a_first_cell_counts_at_once_and_a_later_one_at_the_boundary() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    let bert = located(&mut world, "Bert", HERE);
    world.tune(anna, "19");
    world.tune(bert, "19");
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    world.send(bert, locate(FAR));
    let ServerMessage::Located { shared: true, stamp: None, effective_in_ms: Some(wait), .. } =
        world.last(bert)
    else {
        panic!("it waits")
    };
    assert_eq!(Duration::from_millis(wait.into()), EPOCH - (world.now.since(tenfour_core::Time::ZERO)));
    world.run(ms(u64::from(wait) - 2000));
    assert_eq!(hear(&mut world, anna, 1, &[bert]), [true]);
    world.run(ms(1001));
    let got = world.control(bert);
    assert!(stamp(&got).is_some(), "{got:?}");
    assert_eq!(hear(&mut world, anna, 2, &[bert]), [false]);
}

#[test]
fn boundaries_are_quarters_of_an_hour_wherever_the_hub_began() {
    let unix_at_zero = Duration::from_secs(1_795_470_600);
    let mut world = World::with(HubConfig { unix_at_zero, ..HubConfig::default() });
    let conn = world.greet("Anna");
    let welcome = world.control(conn).remove(0);
    // 300 s into a quarter, and the world begins a second later.
    assert!(matches!(welcome, ServerMessage::Welcome { epoch_in_ms: 599_000, .. }), "{welcome:?}");
}

#[test]
fn a_boundary_parts_and_joins_those_on_the_air() {
    let mut world = World::new();
    let [anna, bert, cleo] = [("Anna", HERE), ("Bert", NEAR), ("Cleo", FAR)].map(|(name, place)| {
        let conn = located(&mut world, name, place);
        world.tune(conn, "19");
        conn
    });
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    world.send(bert, locate(FAR));
    world.send(cleo, locate(NEAR));
    let boundary = EPOCH - world.now.since(tenfour_core::Time::ZERO);
    world.run(boundary - ms(100));
    begin(&mut world, anna, 1);
    world.speak_for(anna, 1, 1..3);
    world.take(bert);
    world.take(cleo);
    world.speak_for(anna, 1, 3..8);
    let got = world.control(bert);
    let ended = |message: &ServerMessage| {
        matches!(message, ServerMessage::BurstEnded { reason: EndReason::OutOfRange, .. })
    };
    assert!(got.iter().any(ended), "{got:?}");
    assert_eq!(world.voice(cleo, 1), [6, 7]);
}

#[test]
fn whoever_travels_with_the_talker_hears_on_without_a_break() {
    let mut world = World::new();
    let [anna, bert] = ["Anna", "Bert"].map(|name| {
        let conn = located(&mut world, name, HERE);
        world.tune(conn, "19");
        world.send(conn, locate(FAR));
        conn
    });
    range(&mut world, anna, Range::Km10, Range::Unlimited);
    world.run(EPOCH - world.now.since(tenfour_core::Time::ZERO) - ms(60));
    begin(&mut world, anna, 1);
    world.take(bert);
    world.speak_for(anna, 1, 1..6);
    let got = world.take(bert);
    assert_eq!(got.iter().filter(|got| matches!(got, Got::Voice { .. })).count(), 5, "{got:?}");
    let told = got.iter().any(|got| {
        matches!(got, Got::Control(ServerMessage::BurstEnded { .. } | ServerMessage::BurstStarted { .. }))
    });
    assert!(!told, "{got:?}");
}

#[test]
fn saying_the_known_cell_again_calls_a_move_off() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    world.send(anna, locate(FAR));
    world.take(anna);
    world.send(anna, locate(HERE));
    assert!(matches!(world.last(anna), ServerMessage::Located { shared: true, effective_in_ms: None, .. }));
    world.run(EPOCH);
    assert_eq!(world.control(anna), []);
    assert_eq!(world.hub.figures().timers, 0);
}

#[test]
fn a_cell_that_is_taken_back_is_gone_at_once_and_its_ranges_with_it() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    world.tune(anna, "19");
    let bert = world.tuned("Bert", "19");
    range(&mut world, anna, Range::Km10, Range::Km10);
    world.take(bert);
    world.send(anna, ClientMessage::locate(None));
    let got = world.control(anna);
    let unlimited = Range::Unlimited;
    assert!(matches!(got[0], ServerMessage::Located { shared: false, country: None, stamp: None, .. }));
    assert_eq!(got[1], ServerMessage::Ranged { tx: unlimited, rx: unlimited });
    world.run(ms(200));
    let ServerMessage::Presence { changed, joined, .. } = world.last(bert) else { panic!("told") };
    assert!(joined.is_empty() && changed[0].person.country.is_none());
    // The way back is a move like any other.
    world.send(anna, locate(FAR));
    let waits =
        |message| matches!(message, ServerMessage::Located { shared: false, effective_in_ms: Some(_), .. });
    assert!(waits(world.last(anna)));
    world.run(EPOCH);
    assert!(stamp(&world.control(anna)).is_some());
}

#[test]
fn a_talker_who_takes_the_cell_back_reaches_nobody_it_did_not_reach_before() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    world.tune(anna, "19");
    let bert = located(&mut world, "Bert", NEAR);
    world.tune(bert, "19");
    let cleo = world.tuned("Cleo", "19");
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    begin(&mut world, anna, 1);
    world.send(anna, ClientMessage::locate(None));
    world.speak_for(anna, 1, 1..4);
    assert_eq!(world.voice(cleo, 1), NO_VOICE);
    assert_eq!(world.voice(bert, 1), [0]);
}

#[test]
fn what_is_no_cell_of_resolution_six_is_refused_and_changes_nothing() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    // A base cell, the same place finer and coarser, and no cell at all.
    for index in [0x8009_ffff_ffff_ffff, 0x0871_ec90_6fff_ffff, 0x0851_ec90_7fff_ffff, 0, u64::MAX >> 4] {
        world.send(anna, ClientMessage::locate(Some(GeoCell::new(index))));
        assert_eq!(code(&world.last(anna)), Some(Code::CellRefused), "{index:x}");
    }
    world.send(anna, locate(HERE));
    assert!(matches!(world.last(anna), ServerMessage::Located { shared: true, effective_in_ms: None, .. }));
}
