//! Places: when they change, what they cost, when they are gone.

use std::time::Duration;

use tenfour_core::ConnId;
use tenfour_core::hub::HubConfig;
use tenfour_core::reach::snap;
use tenfour_protocol::control::{EndReason, Heard, Resume};
use tenfour_protocol::limits::{EPOCH, FIRST_CELLS_PER_HOUR, MOVES_PER_DAY};
use tenfour_protocol::{
    BurstNo, ClientMessage, Code, GeoCell, Place, Range, Ranges, ServerMessage, SignalGrade,
};

use crate::world::{NO_VOICE, World, hello, ms};

/// Degrees north and east. Near is 8 km, far 60 km away.
pub(crate) const HERE: (f64, f64) = (44.80, 20.46);
pub(crate) const NEAR: (f64, f64) = (44.87, 20.46);
pub(crate) const FAR: (f64, f64) = (45.34, 20.46);
/// In another country.
const ZAGREB: (f64, f64) = (45.81, 15.98);

pub(crate) fn cell((lat, lon): (f64, f64)) -> GeoCell {
    snap(lat, lon).expect("a position")
}

pub(crate) fn locate(place: (f64, f64)) -> ClientMessage {
    ClientMessage::Locate { cell: Some(cell(place)) }
}

/// Somebody who has said where they are.
pub(crate) fn located(world: &mut World, name: &str, place: (f64, f64)) -> ConnId {
    let conn = world.greet(name);
    world.send(conn, locate(place));
    assert!(matches!(world.last(conn), ServerMessage::Located { shared: true, effective_in_ms: None, .. }));
    conn
}

/// Sets ranges, which is answered.
pub(crate) fn range(world: &mut World, conn: ConnId, tx: Range, rx: Range) {
    // Budgets of messages are another test's.
    world.run(ms(200));
    world.send(conn, ClientMessage::Range { tx, rx });
    let ranged = |message: &ServerMessage| *message == ServerMessage::Ranged { tx, rx };
    let got = world.control(conn);
    assert!(got.iter().any(ranged), "{got:?}");
}

/// A burst on 19 with its first frame.
pub(crate) fn begin(world: &mut World, conn: ConnId, local: u32) {
    world.press(conn, "19", local);
    world.speak(conn, local, 0);
}

/// What somebody's meter shows, if a burst was announced to them.
pub(crate) fn heard(world: &mut World, conn: ConnId) -> Option<Option<SignalGrade>> {
    world.control(conn).into_iter().find_map(|message| match message {
        ServerMessage::BurstStarted { grade, .. } => Some(grade),
        _ => None,
    })
}

/// Who of `listeners` hears a burst of `talker`.
pub(crate) fn hear<const N: usize>(
    world: &mut World,
    talker: ConnId,
    local: u32,
    listeners: &[ConnId; N],
) -> [bool; N] {
    world.run(ms(1000));
    listeners.iter().for_each(|&conn| drop(world.take(conn)));
    begin(world, talker, local);
    world.release(talker, local);
    listeners.map(|conn| heard(world, conn).is_some())
}

fn place(said: (f64, f64), stamp: Option<String>) -> Place {
    Place { cell: cell(said), stamp }
}

/// A hello that resumes, with a place.
fn back(
    token: Option<String>,
    have: Vec<Heard>,
    place: Option<Place>,
    range: Option<Ranges>,
) -> ClientMessage {
    let resume =
        token.map(|token| Resume { token, newest: have.iter().map(|heard| heard.burst).max(), have });
    ClientMessage::Hello { client: "scenario 1".into(), resume, economy: false, place, range, device: None }
}

fn token(world: &mut World, conn: ConnId) -> String {
    let got = world.control(conn);
    let token = got.into_iter().find_map(|message| match message {
        ServerMessage::Welcome { resume, .. } => Some(resume),
        _ => None,
    });
    token.expect("a welcome")
}

fn stamp(got: &[ServerMessage]) -> Option<String> {
    got.iter().rev().find_map(|message| match message {
        ServerMessage::Located { stamp, .. } => stamp.clone(),
        _ => None,
    })
}

fn country(message: &ServerMessage) -> Option<String> {
    let ServerMessage::Located { country, .. } = message else { panic!("{message:?}") };
    country.map(|country| country.as_str().to_owned())
}

fn code(message: &ServerMessage) -> Option<Code> {
    match message {
        ServerMessage::Error { refusal } => Some(refusal.code),
        _ => None,
    }
}

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
    assert_eq!(got.iter().filter(|got| matches!(got, crate::world::Got::Voice { .. })).count(), 5, "{got:?}");
    let told = got.iter().any(|got| {
        matches!(
            got,
            crate::world::Got::Control(ServerMessage::BurstEnded { .. } | ServerMessage::BurstStarted { .. })
        )
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
    world.send(anna, ClientMessage::Locate { cell: None });
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
    world.send(anna, ClientMessage::Locate { cell: None });
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
        world.send(anna, ClientMessage::Locate { cell: Some(GeoCell::new(index)) });
        assert_eq!(code(&world.last(anna)), Some(Code::CellRefused), "{index:x}");
    }
    world.send(anna, locate(HERE));
    assert!(matches!(world.last(anna), ServerMessage::Located { shared: true, effective_in_ms: None, .. }));
}

#[test]
fn a_thousand_moves_a_second_are_one_move() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    // More would close the connection.
    for _ in 0..50 {
        world.send(anna, locate(FAR));
        world.send(anna, locate(NEAR));
    }
    let got = world.control(anna);
    assert!(got.iter().any(|message| code(message) == Some(Code::TooManyMessages)));
    world.run(EPOCH);
    assert_eq!(world.control(anna).len(), 1, "the last one took effect");
}

#[test]
fn a_key_has_a_budget_of_first_cells_and_a_stamp_shows_that_a_cell_is_the_same() {
    let mut world = World::new();
    let mut connect = |said: Place| {
        let conn = world.connect("Anna");
        world.send(conn, back(None, Vec::new(), Some(said), None));
        let got = world.control(conn);
        world.drop_link(conn);
        got
    };
    let mut stamps = Vec::new();
    for _ in 0..FIRST_CELLS_PER_HOUR {
        stamps.push(stamp(&connect(place(HERE, None))).expect("taken"));
    }
    let spent = connect(place(HERE, None));
    let Some(ServerMessage::Error { refusal }) = spent.get(1) else { panic!("{spent:?}") };
    assert_eq!(refusal.code, Code::TooManyMoves);
    assert!(refusal.retry_after_ms.is_some_and(|wait| wait <= 3_600_000));
    // The newest stamp with its cell costs nothing, again and again.
    let mut newest = stamps.pop();
    for _ in 0..50 {
        newest = stamp(&connect(place(HERE, newest)));
        assert!(newest.is_some());
    }
    // Not with another cell, and not an older one.
    assert_eq!(stamp(&connect(place(NEAR, newest))), None);
    assert_eq!(stamp(&connect(place(HERE, stamps.pop()))), None);
    assert_eq!(stamp(&connect(place(HERE, Some("nonsense".into())))), None);
}

#[test]
fn somebody_elses_stamp_is_worth_nothing() {
    let mut world = World::new();
    let bert = world.greet("Bert");
    world.send(bert, locate(HERE));
    let theirs = stamp(&world.control(bert));
    for number in 0..=FIRST_CELLS_PER_HOUR {
        let anna = world.connect("Anna");
        world.send(anna, back(None, Vec::new(), Some(place(HERE, theirs.clone())), None));
        let taken = stamp(&world.control(anna)).is_some();
        assert_eq!(taken, number < FIRST_CELLS_PER_HOUR);
    }
}

#[test]
fn a_key_moves_at_every_boundary_until_its_day_is_over() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    let mut moved = 0;
    for quarter in 0..=MOVES_PER_DAY {
        let to = if quarter % 2 == 0 { FAR } else { HERE };
        world.send(anna, locate(to));
        let said = world.last(anna);
        if let ServerMessage::Error { refusal } = &said {
            assert_eq!((refusal.code, quarter), (Code::TooManyMoves, MOVES_PER_DAY));
            break;
        }
        world.run(EPOCH);
        moved += usize::from(stamp(&world.control(anna)).is_some());
    }
    assert_eq!(moved, MOVES_PER_DAY);
}

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
        let voice = got.iter().filter(|got| matches!(got, crate::world::Got::Voice { .. })).count();
        assert_eq!(voice, if hears { 4 } else { 0 }, "{got:?}");
        let out = got.iter().any(|got| {
            matches!(
                got,
                crate::world::Got::Control(ServerMessage::BurstEnded {
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
