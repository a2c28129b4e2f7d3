//! Place and range: what is said of them, and when.

use std::time::Duration;

use crate::harness::*;
use tenfour_core::radio::{Config, Event, Input, Output};
use tenfour_core::reach::snap;
use tenfour_protocol::limits::{EPOCH, EPOCH_LEAD};
use tenfour_protocol::{ClientMessage, Code, GeoCell, Range, Ranges, Refusal, ServerMessage};

/// To the boundary, at each welcome here unless it says otherwise.
const TO_BOUNDARY: Duration = Duration::from_secs(300);
const LIMITED: Ranges = Ranges { tx: Range::Km25, rx: Range::Km100 };
const UNLIMITED: Ranges = Ranges { tx: Range::Unlimited, rx: Range::Unlimited };

/// A cell; others for other numbers.
fn cell(n: u8) -> GeoCell {
    snap(40.0 + f64::from(n), 20.0).expect("a position")
}

/// On the air in a cell, which the server knows with the stamp `one`.
fn in_cell(n: u8, ranges: Ranges) -> Harness {
    let config = Config { place: Some(cell(n)), ranges, seed: 1, ..Config::default() };
    let (mut harness, _) = Harness::with(config);
    harness.give(Input::Tune { channel: ch("19"), catch_up: false });
    harness.give(Input::Opened);
    harness.say(welcome(false, &[]));
    harness.say(located(Some("one")));
    if !ranges.are_unlimited() {
        harness.say(ranged(ranges));
    }
    harness.say(tuned("19"));
    harness
}

fn located(stamp: Option<&str>) -> ServerMessage {
    let stamp = stamp.map(str::to_owned);
    ServerMessage::Located { shared: true, country: None, stamp, effective_in_ms: None }
}

fn moving() -> ServerMessage {
    ServerMessage::Located { shared: true, country: None, stamp: None, effective_in_ms: Some(9_900) }
}

fn nowhere() -> ServerMessage {
    ServerMessage::Located { shared: false, country: None, stamp: None, effective_in_ms: None }
}

fn ranged(Ranges { tx, rx }: Ranges) -> ServerMessage {
    ServerMessage::Ranged { tx, rx }
}

/// Cells that were sent with `locate`.
fn said(out: &[Output]) -> Vec<Option<GeoCell>> {
    let cell = |message: &ClientMessage| match message {
        ClientMessage::Locate { cell, .. } => Some(cell.clone()),
        _ => None,
    };
    sent(out).into_iter().filter_map(cell).collect()
}

fn ranges_said(out: &[Output]) -> Vec<Ranges> {
    let ranges = |message: &ClientMessage| match message {
        ClientMessage::Range { tx, rx } => Some(Ranges { tx: *tx, rx: *rx }),
        _ => None,
    };
    sent(out).into_iter().filter_map(ranges).collect()
}

/// What `hello` says of place and ranges.
fn greeting(out: &[Output]) -> (Option<(GeoCell, Option<String>)>, Option<Ranges>) {
    let [ClientMessage::Hello { place, range, .. }] = sent(out)[..] else { panic!("no hello: {out:?}") };
    (place.clone().map(|place| (place.cell, place.stamp)), *range)
}

fn stamped(n: u8, stamp: &str) -> Option<(GeoCell, Option<String>)> {
    Some((cell(n), Some(stamp.to_owned())))
}

/// Lets time pass on a link that is alive.
fn stay_up(harness: &mut Harness, time: Duration) -> Vec<Output> {
    let (end, mut out) = (harness.now + time, Vec::new());
    while harness.now < end {
        out.extend(harness.give(Input::Alive));
        out.extend(harness.pass(Duration::from_secs(15).min(end.since(harness.now))));
    }
    out
}

#[test]
fn the_first_cell_is_said_at_once() {
    let config = Config { place: Some(cell(1)), ranges: LIMITED, ..Config::default() };
    let (mut harness, _) = Harness::with(config);
    assert_eq!(greeting(&harness.give(Input::Opened)), (Some((cell(1), None)), Some(LIMITED)));

    let mut harness = Harness::on_the_air();
    assert_eq!(said(&harness.give(Input::Locate(Some(cell(1))))), [Some(cell(1))]);
}

#[test]
fn a_cell_given_while_the_link_comes_is_said_as_soon_as_it_is_there() {
    let (mut harness, _) = Harness::new(1);
    assert!(harness.give(Input::Locate(Some(cell(1)))).is_empty());
    assert_eq!(greeting(&harness.give(Input::Opened)).0, Some((cell(1), None)));

    let (mut harness, _) = Harness::new(1);
    assert_eq!(greeting(&harness.give(Input::Opened)), (None, None));
    assert!(harness.give(Input::Locate(Some(cell(1)))).is_empty());
    assert_eq!(said(&harness.say(welcome(false, &[]))), [Some(cell(1))]);
}

#[test]
fn a_new_cell_is_said_ten_seconds_before_a_boundary() {
    let mut harness = in_cell(1, UNLIMITED);
    assert!(harness.give(Input::Locate(Some(cell(2)))).is_empty());
    let out = stay_up(&mut harness, TO_BOUNDARY - EPOCH_LEAD - ms(1));
    assert_eq!(said(&out), []);
    assert_eq!(said(&harness.pass(ms(1))), [Some(cell(2))]);
    harness.say(moving());
    harness.give(Input::Locate(Some(cell(3))));
    assert_eq!(said(&harness.pass(EPOCH_LEAD)), []);
    harness.say(located(Some("two")));
    assert_eq!(said(&stay_up(&mut harness, EPOCH - EPOCH_LEAD - ms(1))), []);
    assert_eq!(said(&harness.pass(ms(1))), [Some(cell(3))]);
}

#[test]
fn a_thousand_moves_are_one_and_there_and_back_is_none() {
    let mut harness = in_cell(1, UNLIMITED);
    for n in 0..1000_u16 {
        assert!(harness.give(Input::Locate(Some(cell((n % 5) as u8 + 2)))).is_empty());
    }
    assert_eq!(said(&stay_up(&mut harness, TO_BOUNDARY)), [Some(cell(6))]);
    harness.say(located(Some("two")));
    harness.give(Input::Locate(Some(cell(7))));
    harness.give(Input::Locate(Some(cell(6))));
    assert_eq!(said(&stay_up(&mut harness, EPOCH)), []);
}

#[test]
fn each_connection_repeats_the_cell_that_was_said_until_the_boundary() {
    let mut harness = in_cell(1, LIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    for stamp in ["one", "two", "three"] {
        harness.drop_link();
        assert_eq!(greeting(&harness.reconnect()), (stamped(1, stamp), Some(LIMITED)));
        let boundary = u32::try_from(TO_BOUNDARY.as_millis()).unwrap() - 5_000;
        harness.say(welcome_before(boundary, true, &["19"]));
        let next = if stamp == "one" { "two" } else { "three" };
        assert_eq!(said(&harness.say(located(Some(next)))), []);
    }
}

#[test]
fn a_boundary_that_passes_without_a_link_lets_the_next_connection_say_the_new_cell() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    harness.drop_link();
    // Never a server: all this time the radio tries in vain.
    let out = harness.pass(TO_BOUNDARY);
    assert_eq!(said(&out), []);
    harness.give(Input::Locate(Some(cell(3))));
    harness.give(Input::Closed { refusal: None });
    let hello = harness.pass(Duration::from_secs(10));
    assert!(hello.contains(&Output::Connect), "{hello:?}");
    let hello = harness.give(Input::Opened);
    assert_eq!(greeting(&hello).0, Some((cell(2), None)), "as it was at the boundary");
}

#[test]
fn a_drop_in_the_last_seconds_repeats_the_earlier_cell_and_then_moves() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    let out = stay_up(&mut harness, TO_BOUNDARY - Duration::from_secs(8));
    assert_eq!(said(&out), [Some(cell(2))]);
    harness.say(moving());
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()).0, stamped(1, "one"));
    assert_eq!(said(&harness.say(welcome_before(7_000, true, &["19"]))), []);
    assert_eq!(said(&harness.say(located(Some("two")))), [Some(cell(2))], "after the answer");
}

#[test]
fn a_stamp_is_shown_with_the_cell_it_is_for_only() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    stay_up(&mut harness, TO_BOUNDARY - EPOCH_LEAD);
    harness.say(moving());
    harness.pass(EPOCH_LEAD);
    harness.say(located(Some("two")));
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()).0, stamped(2, "two"));
}

#[test]
fn a_move_that_is_refused_is_told_and_tried_at_the_next_boundary() {
    let mut harness = in_cell(1, LIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    assert_eq!(said(&stay_up(&mut harness, TO_BOUNDARY - EPOCH_LEAD)), [Some(cell(2))]);
    let out = harness.say(error(Code::TooManyMoves));
    assert!(matches!(events(&out)[..], [Event::Refused { refusal }] if refusal.code == Code::TooManyMoves));
    assert_eq!(sent(&harness.press()).len(), 1, "the earlier cell stays, and with it the range");
    assert_eq!(said(&stay_up(&mut harness, EPOCH)), [Some(cell(2))]);
    harness.say(error(Code::TooManyMoves));
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()).0, stamped(1, "one"));
}

#[test]
fn a_shell_that_slept_over_a_boundary_says_nothing_late() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    harness.now += TO_BOUNDARY + Duration::from_secs(1);
    assert_eq!(said(&harness.give(Input::Alive)), []);
    assert_eq!(said(&stay_up(&mut harness, EPOCH - EPOCH_LEAD - Duration::from_millis(1001))), []);
    assert_eq!(said(&harness.pass(ms(2))), [Some(cell(2))]);
}

#[test]
fn a_place_is_taken_back_at_once_and_the_range_that_was_chosen_stays() {
    let mut harness = in_cell(1, LIMITED);
    harness.give(Input::Locate(Some(cell(2))));
    assert_eq!(said(&harness.give(Input::Locate(None))), [None]);
    harness.say(nowhere());
    harness.say(ranged(UNLIMITED));
    assert_eq!(said(&stay_up(&mut harness, EPOCH)), [], "nor is what was pending said");
    assert_eq!(
        receipts(&harness.press()),
        [(1, Some(Code::LocationNeeded))],
        "nobody reaches further by that"
    );
    harness.give(Input::Range(UNLIMITED));
    assert_eq!(sent(&harness.press()).len(), 1, "unless they choose to");
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()), (None, None));
}

#[test]
fn another_cell_after_taking_it_back_waits_for_the_boundary_like_any_move() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(None));
    harness.say(nowhere());
    assert_eq!(said(&harness.give(Input::Locate(Some(cell(2))))), []);
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()).0, None, "nor is a new connection a way around");
    assert_eq!(said(&harness.say(welcome(false, &[]))), []);
    assert_eq!(said(&stay_up(&mut harness, TO_BOUNDARY - EPOCH_LEAD)), [Some(cell(2))]);
}

#[test]
fn in_another_quarter_of_an_hour_it_is_a_first_cell_again() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(None));
    harness.say(nowhere());
    stay_up(&mut harness, TO_BOUNDARY);
    assert_eq!(said(&harness.give(Input::Locate(Some(cell(2))))), [Some(cell(2))]);
}

#[test]
fn a_place_taken_back_between_hello_and_welcome_is_taken_back_after_it() {
    let config = Config { place: Some(cell(1)), ranges: LIMITED, ..Config::default() };
    let (mut harness, _) = Harness::with(config);
    harness.give(Input::Opened);
    assert!(harness.give(Input::Locate(None)).is_empty());
    assert_eq!(said(&harness.say(welcome(false, &[]))), [None]);
    // The answer to hello, on its way before that.
    harness.say(located(Some("one")));
    harness.say(ranged(LIMITED));
    harness.say(nowhere());
    harness.drop_link();
    assert_eq!(greeting(&harness.reconnect()), (None, None));
}

#[test]
fn taking_it_back_is_repeated_when_the_server_had_too_many_messages() {
    let mut harness = in_cell(1, UNLIMITED);
    harness.give(Input::Locate(None));
    let refusal = Refusal::from(Code::TooManyMessages).retry_after(200);
    harness.say(ServerMessage::Error { refusal });
    assert_eq!(said(&harness.pass(ms(199))), []);
    assert_eq!(said(&harness.pass(ms(1))), [None]);
    harness.say(nowhere());
    assert_eq!(said(&stay_up(&mut harness, EPOCH)), []);
}

#[test]
fn a_limited_range_without_a_place_is_refused_here() {
    let mut harness = Harness::on_the_air();
    let out = harness.give(Input::Range(LIMITED));
    assert!(matches!(events(&out)[..], [Event::Refused { refusal }] if refusal.code == Code::LocationNeeded));
    assert_eq!(sent(&out).len(), 0);
    assert_eq!(receipts(&harness.press()), [(1, Some(Code::LocationNeeded))]);
}

#[test]
fn ranges_are_said_one_at_a_time_and_the_last_wish_counts() {
    let mut harness = in_cell(1, UNLIMITED);
    let wishes = Range::ALL.map(|tx| Ranges { tx, rx: Range::Km50 });
    let out: Vec<_> = wishes.iter().flat_map(|wish| harness.give(Input::Range(*wish))).collect();
    assert_eq!(ranges_said(&out), wishes[..1]);
    let out = harness.say(ranged(wishes[0]));
    assert!(events(&out).contains(&&Event::Ranged(wishes[0])));
    assert_eq!(ranges_said(&out), wishes[7..]);
    assert_eq!(ranges_said(&harness.say(ranged(wishes[7]))), []);
}

#[test]
fn a_burst_waits_until_the_server_has_its_range() {
    let mut harness = in_cell(1, UNLIMITED);
    assert_eq!(ranges_said(&harness.give(Input::Range(LIMITED))), [LIMITED]);
    assert_eq!(sent(&harness.press()).len(), 0);
    assert!(voice_sent(&harness.speak(0)).is_empty());
    let out = harness.say(ranged(LIMITED));
    assert!(matches!(sent(&out)[..], [ClientMessage::BurstStart { .. }]), "{out:?}");
    assert_eq!(voice_sent(&out), [0], "and loses nothing");
}

#[test]
fn after_a_drop_a_burst_waits_for_its_range_again() {
    let mut harness = in_cell(1, LIMITED);
    harness.drop_link();
    harness.press();
    harness.reconnect();
    assert_eq!(sent(&harness.say(welcome(true, &["19"]))).len(), 0);
    assert_eq!(sent(&harness.say(located(Some("two")))).len(), 0);
    assert!(matches!(sent(&harness.say(ranged(LIMITED)))[..], [ClientMessage::BurstStart { .. }]));
}

#[test]
fn a_burst_that_should_be_limited_never_goes_out_unlimited() {
    let mut harness = in_cell(1, LIMITED);
    harness.drop_link();
    harness.press();
    harness.reconnect();
    harness.say(welcome(true, &["19"]));
    assert_eq!(receipts(&harness.say(error(Code::TooManyMoves))), [(1, Some(Code::TooManyMoves))]);
    assert_eq!(receipts(&harness.say(error(Code::LocationNeeded))), []);
    assert_eq!(receipts(&harness.press()), [(2, Some(Code::TooManyMoves))]);
    // The next boundary is another try, and then it works.
    let out = stay_up(&mut harness, TO_BOUNDARY - EPOCH_LEAD);
    assert_eq!(said(&out), [Some(cell(1))]);
    assert_eq!(ranges_said(&out), [LIMITED]);
    harness.say(located(Some("two")));
    harness.say(ranged(LIMITED));
    assert!(matches!(sent(&harness.press())[..], [ClientMessage::BurstStart { .. }]));
}

#[test]
fn what_the_server_said_before_a_place_was_taken_back_lets_no_burst_out() {
    let config = Config { place: Some(cell(1)), ranges: LIMITED, seed: 1, ..Config::default() };
    let (mut harness, _) = Harness::with(config);
    harness.give(Input::Tune { channel: ch("19"), catch_up: false });
    harness.give(Input::Opened);
    harness.say(welcome(false, &[]));
    harness.give(Input::Locate(None));
    harness.give(Input::Locate(Some(cell(1))));
    harness.give(Input::Range(LIMITED));
    // Answers to hello: by now the server has forgotten cell and ranges.
    harness.say(located(Some("one")));
    harness.say(ranged(LIMITED));
    assert_eq!(receipts(&harness.press()), [(1, Some(Code::LocationNeeded))]);
}

#[test]
fn nothing_that_can_be_printed_names_a_cell() {
    let config = Config { place: Some(cell(1)), ranges: LIMITED, seed: 1, ..Config::default() };
    let mut printed = format!("{config:?}");
    let (mut harness, _) = Harness::with(config);
    let mut note = |thing: &dyn std::fmt::Debug| printed.push_str(&format!("{thing:?}"));
    let hello = harness.give(Input::Opened);
    note(&hello);
    note(&harness.say(welcome(false, &[])));
    note(&harness.say(located(Some("one"))));
    note(&Input::Locate(Some(cell(2))));
    note(&harness.give(Input::Locate(Some(cell(2)))));
    let out = stay_up(&mut harness, EPOCH);
    assert_eq!(said(&out), [Some(cell(2))]);
    note(&out);
    for n in [1, 2] {
        let text = serde_json::to_string(&cell(n)).unwrap();
        let digits = text.trim_matches('"');
        let number = u64::from_str_radix(digits, 16).unwrap().to_string();
        assert!(!printed.contains(digits) && !printed.contains(&number), "{printed}");
    }
}
