//! Range: who hears whom, by cell.

use tenfour_core::ConnId;
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{ClientMessage, Code, Range, ServerMessage};

use crate::world::{FAR, HERE, NEAR, World, begin, cell, hear, heard, located, ms, range};

/// A talker and two listeners on a channel, near and far.
fn three(world: &mut World) -> [ConnId; 3] {
    [("Anna", HERE), ("Bert", NEAR), ("Cleo", FAR)].map(|(name, place)| {
        let conn = located(world, name, place);
        world.tune(conn, "19");
        conn
    })
}

#[test]
fn whoever_is_within_transmit_range_hears() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    assert_eq!(hear(&mut world, anna, 1, &[bert, cleo]), [true, false]);
    range(&mut world, anna, Range::Unlimited, Range::Unlimited);
    assert_eq!(hear(&mut world, anna, 2, &[bert, cleo]), [true, true]);
}

#[test]
fn whoever_listens_less_far_does_not_hear() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    range(&mut world, cleo, Range::Unlimited, Range::Km10);
    assert_eq!(hear(&mut world, anna, 1, &[bert, cleo]), [true, false]);
    // What one hears and how far one reaches are two things.
    assert_eq!(hear(&mut world, cleo, 1, &[anna, bert]), [true, true]);
}

#[test]
fn the_smaller_range_counts() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    range(&mut world, bert, Range::Unlimited, Range::Km10);
    range(&mut world, cleo, Range::Unlimited, Range::Km1000);
    assert_eq!(hear(&mut world, anna, 1, &[bert, cleo]), [true, false]);
}

#[test]
fn without_a_cell_one_hears_and_reaches_what_is_unlimited_and_nothing_else() {
    let mut world = World::new();
    let [anna, bert, _] = three(&mut world);
    let dora = world.tuned("Dora", "19");
    assert_eq!(hear(&mut world, anna, 1, &[dora]), [true]);
    range(&mut world, anna, Range::Km1000, Range::Unlimited);
    assert_eq!(hear(&mut world, anna, 2, &[dora]), [false]);
    assert_eq!(hear(&mut world, dora, 1, &[anna, bert]), [true, true]);
    range(&mut world, bert, Range::Unlimited, Range::Km1000);
    assert_eq!(hear(&mut world, dora, 2, &[anna, bert]), [true, false]);
}

#[test]
fn a_limited_range_without_a_cell_is_refused() {
    let mut world = World::new();
    let dora = world.tuned("Dora", "19");
    world.take(dora);
    for (tx, rx) in [(Range::Km10, Range::Unlimited), (Range::Unlimited, Range::Km1000)] {
        world.send(dora, ClientMessage::Range { tx, rx });
        let ServerMessage::Error { refusal } = world.last(dora) else { panic!("refused") };
        assert_eq!(refusal.code, Code::LocationNeeded);
    }
    range(&mut world, dora, Range::Unlimited, Range::Unlimited);
}

#[test]
fn the_meter_tells_how_near_a_talker_is_and_nothing_without_a_cell() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    let dora = world.tuned("Dora", "19");
    let mut graded = |talker, local, listener| {
        begin(&mut world, talker, local);
        let grade = heard(&mut world, listener).expect("heard");
        world.release(talker, local);
        grade.map(u8::from)
    };
    assert_eq!(graded(anna, 1, bert), Some(5));
    assert_eq!(graded(anna, 2, cleo), Some(2));
    assert_eq!(graded(anna, 3, dora), None);
    assert_eq!(graded(dora, 1, anna), None);
}

#[test]
fn hearing_less_far_ends_what_is_on_the_air_and_hearing_farther_enters_it() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    begin(&mut world, anna, 1);
    world.speak_for(anna, 1, 1..5);
    world.take(cleo);
    let listen = |rx| ClientMessage::Range { tx: Range::Unlimited, rx };
    world.send(cleo, listen(Range::Km10));
    let ended = world.last(cleo);
    assert!(matches!(ended, ServerMessage::BurstEnded { reason: EndReason::OutOfRange, .. }), "{ended:?}");
    world.speak_for(anna, 1, 5..10);
    assert_eq!(world.take(cleo), []);
    world.send(cleo, listen(Range::Km250));
    assert_eq!(heard(&mut world, cleo).map(|grade| grade.map(u8::from)), Some(Some(2)));
    world.speak_for(anna, 1, 10..12);
    assert_eq!(world.voice(cleo, 1), [10, 11]);
    assert_eq!(world.voice(bert, 1), Vec::from_iter(0..12));
}

#[test]
fn reaching_less_far_counts_from_the_next_burst_on() {
    let mut world = World::new();
    let [anna, _, cleo] = three(&mut world);
    begin(&mut world, anna, 1);
    range(&mut world, anna, Range::Km10, Range::Unlimited);
    world.speak_for(anna, 1, 1..3);
    world.release(anna, 1);
    assert_eq!(world.voice(cleo, 1), [0, 1, 2]);
    assert_eq!(hear(&mut world, anna, 2, &[cleo]), [false]);
}

#[test]
fn whoever_tunes_in_late_is_judged_too() {
    let mut world = World::new();
    let [anna, ..] = three(&mut world);
    range(&mut world, anna, Range::Km25, Range::Unlimited);
    begin(&mut world, anna, 1);
    for (name, place, hears) in [("Dora", NEAR, true), ("Emil", FAR, false)] {
        let conn = located(&mut world, name, place);
        world.take(conn);
        world.tune(conn, "19");
        assert_eq!(heard(&mut world, conn).is_some(), hears, "{name}");
    }
}

#[test]
fn lists_ignore_range() {
    let mut world = World::new();
    let [anna, bert, cleo] = three(&mut world);
    for conn in [anna, bert, cleo] {
        range(&mut world, conn, Range::Km10, Range::Km10);
    }
    world.run(ms(1000));
    world.take(cleo);
    world.tune(cleo, "19");
    let ServerMessage::Tuned { participants, .. } = world.last(cleo) else { panic!("tuned") };
    assert_eq!(participants.len(), 3);
}

#[test]
fn a_receipt_is_the_same_whoever_hears() {
    let mut world = World::new();
    let [anna, ..] = three(&mut world);
    let mut receipt = |local, tx| {
        range(&mut world, anna, tx, Range::Unlimited);
        begin(&mut world, anna, local);
        world.take(anna);
        world.release(anna, local);
        let ServerMessage::Receipt { outcome, .. } = world.last(anna) else { panic!("a receipt") };
        outcome
    };
    assert_eq!(receipt(1, Range::Unlimited), receipt(2, Range::Km10));
}

#[test]
fn listeners_are_served_in_another_order_each_time() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    world.tune(anna, "19");
    for number in 0..8_u8 {
        let conn = located(&mut world, &format!("Listener {number}"), HERE);
        world.tune(conn, "19");
    }
    let mut first = [0; 8];
    for local in 1..=400 {
        let order = world.order_of(anna, local);
        assert_eq!(order.len(), 8);
        first[order[0].0 as usize - 2] += 1;
    }
    // 50 each, with a standard deviation of 6.6.
    assert!(first.iter().all(|&times| (20..80).contains(&times)), "{first:?}");
}

#[test]
fn nothing_that_is_printed_names_a_cell() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    world.send(anna, ClientMessage::locate(Some(cell(FAR))));
    let printed = format!("{:?} {:?}", world.hub, ClientMessage::locate(Some(cell(HERE))));
    for place in [HERE, FAR] {
        let text = serde_json::to_string(&cell(place)).unwrap();
        let index = u64::from_str_radix(text.trim_matches('"'), 16).unwrap();
        assert!(!printed.contains(text.trim_matches('"')) && !printed.contains(&index.to_string()));
    }
    assert!(printed.contains("GeoCell(…)") && printed.contains("Place(…)"));
}
