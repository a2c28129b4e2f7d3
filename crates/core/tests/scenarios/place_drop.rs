//! Places: gone with their connection, and said again by the next.

use std::time::Duration;

use tenfour_protocol::control::{EndReason, Heard, Resume};
use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::{BurstNo, Code, Range, Ranges, ServerMessage};

use crate::world::{
    FAR, Got, HERE, NEAR, World, ZAGREB, back, begin, code, country, hear, hello, locate, located, ms, place,
    range, stamp, token,
};

#[test]
fn a_country_is_told_when_it_changes_and_kept_through_a_drop() {
    let mut world = World::new();
    let bert = world.tuned("Bert", "19");
    let anna = world.connect("Anna");
    world.send(anna, back(None, Vec::new(), Some(place(HERE, None)), None));
    let got = world.control(anna);
    assert_eq!(country(&got[1]).as_deref(), Some("RS"));
    let ServerMessage::Welcome { resume, .. } = &got[0] else { panic!("{got:?}") };
    let resume = resume.clone();
    world.tune(anna, "19");
    world.run(ms(300));
    world.take(bert);
    world.drop_link(anna);
    let anna = world.connect("Anna");
    let stamp = stamp(&got);
    world.send(anna, back(Some(resume), Vec::new(), Some(place(HERE, stamp)), None));
    world.run(ms(300));
    assert_eq!(world.control(bert), [], "nothing has changed for others");
    world.send(anna, locate(ZAGREB));
    world.run(EPOCH + ms(300));
    let ServerMessage::Presence { changed, .. } = world.last(bert) else { panic!("told") };
    assert_eq!(changed[0].person.country.map(String::from).as_deref(), Some("HR"));
}

#[test]
fn a_place_is_gone_with_the_connection() {
    let mut world = World::new();
    let bert = located(&mut world, "Bert", NEAR);
    world.tune(bert, "19");
    let anna = world.greet("Anna");
    let resume = token(&mut world, anna);
    world.send(anna, locate(HERE));
    world.tune(anna, "19");
    range(&mut world, anna, Range::Km25, Range::Km25);
    world.drop_link(anna);
    // It comes back without a place: unlimited, and others see no country any more.
    let anna = world.connect("Anna");
    world.take(bert);
    world.send(anna, hello(Some(Resume { token: resume, newest: None, have: Vec::new() })));
    world.run(ms(300));
    let ServerMessage::Presence { changed, .. } = world.last(bert) else { panic!("told") };
    assert_eq!(changed[0].person.country, None);
    assert_eq!(hear(&mut world, bert, 1, &[anna]), [true]);
    world.run(ms(1000));
    range(&mut world, bert, Range::Km25, Range::Unlimited);
    assert_eq!(hear(&mut world, bert, 2, &[anna]), [false]);
}

#[test]
fn a_resume_is_judged_by_the_place_it_says() {
    for (said, hears) in [(NEAR, true), (FAR, false)] {
        let mut world = World::new();
        let anna = located(&mut world, "Anna", HERE);
        world.tune(anna, "19");
        range(&mut world, anna, Range::Km25, Range::Unlimited);
        let bert = world.greet("Bert");
        let resume = token(&mut world, bert);
        world.send(bert, locate(NEAR));
        world.tune(bert, "19");
        begin(&mut world, anna, 1);
        world.drop_link(bert);
        world.speak_for(anna, 1, 1..4);
        world.release(anna, 1);
        world.run(ms(1000));
        begin(&mut world, anna, 2);
        let bert = world.connect("Bert");
        let have = vec![Heard { burst: BurstNo(1), next: 1 }];
        world.send(bert, back(Some(resume), have, Some(place(said, None)), None));
        let got = world.take(bert);
        let voice = got.iter().filter(|got| matches!(got, Got::Voice { .. })).count();
        assert_eq!(voice, if hears { 4 } else { 0 }, "{got:?}");
        let out = got.iter().any(|got| {
            matches!(
                got,
                Got::Control(ServerMessage::BurstEnded {
                    burst: BurstNo(1),
                    reason: EndReason::OutOfRange,
                    ..
                })
            )
        });
        assert_eq!(out, !hears, "{got:?}");
    }
}

#[test]
fn a_talker_who_is_gone_is_heard_to_the_end_only_where_range_did_not_matter() {
    for (tx, hears) in [(Range::Unlimited, true), (Range::Km25, false)] {
        let mut world = World::new();
        let anna = located(&mut world, "Anna", HERE);
        world.tune(anna, "19");
        range(&mut world, anna, tx, Range::Unlimited);
        let bert = world.greet("Bert");
        let resume = token(&mut world, bert);
        world.send(bert, locate(NEAR));
        world.tune(bert, "19");
        world.drop_link(bert);
        begin(&mut world, anna, 1);
        world.drop_link(anna);
        let bert = world.connect("Bert");
        world.send(bert, back(Some(resume), Vec::new(), Some(place(NEAR, None)), None));
        assert_eq!(!world.voice(bert, 1).is_empty(), hears);
    }
}

#[test]
fn a_hello_sets_place_and_ranges_before_anything_is_heard() {
    let mut world = World::new();
    let anna = world.connect("Anna");
    let ranges = Ranges { tx: Range::Km10, rx: Range::Km50 };
    world.send(anna, back(None, Vec::new(), Some(place(HERE, None)), Some(ranges)));
    let got = world.control(anna);
    assert!(matches!(got[0], ServerMessage::Welcome { .. }));
    assert!(matches!(got[1], ServerMessage::Located { shared: true, .. }));
    assert_eq!(got[2], ServerMessage::Ranged { tx: ranges.tx, rx: ranges.rx });
    // Without a place only unlimited ranges are taken.
    let bert = world.connect("Bert");
    world.send(bert, back(None, Vec::new(), None, Some(ranges)));
    assert_eq!(code(&world.last(bert)), Some(Code::LocationNeeded));
}

#[test]
fn nothing_is_left_of_those_who_were_somewhere() {
    let mut world = World::new();
    for (name, place) in [("Anna", HERE), ("Bert", FAR)] {
        let conn = located(&mut world, name, place);
        world.tune(conn, "19");
        world.send(conn, locate(NEAR));
        world.drop_link(conn);
    }
    world.run(Duration::from_secs(60));
    assert!(world.is_empty());
}
