//! What a radio makes of a press: how far it reaches in a recording, and how long it fills an ear.

use std::time::Duration;

use proptest::prelude::*;
use tenfour_core::Time;
use tenfour_core::radio::{Event, Output};
use tenfour_protocol::ServerMessage;
use tenfour_protocol::control::FrameTime;

use crate::harness::{Harness, ch, events, ms, started};
use crate::shapes::{Arrival, SECOND, START, all, any, honest, samples, span};
use crate::{Placed, door, length};

/// What came of a press.
struct Ear {
    taken: Vec<Placed>,
    /// From its first sound to the end of its last.
    played: Duration,
}

/// Hears a press, and plays it as it comes; `end` tells that no more comes.
fn hear(frame_ms: FrameTime, arrivals: &[Arrival]) -> Ear {
    let mut harness = Harness::on_the_air();
    harness.pass(START - Time::ZERO);
    let mut message = started(5, "19");
    if let ServerMessage::BurstStarted { frame_ms: said, .. } = &mut message {
        *said = frame_ms;
    }
    harness.say(message);
    let (mut taken, mut coming) = (Vec::new(), arrivals.iter().peekable());
    let (mut begun, mut over, mut due) = (None, None, START);
    while over.is_none() {
        while let Some(arrival) = coming.next_if(|arrival| arrival.at <= due) {
            harness.pass(arrival.at - harness.now);
            let out = harness.give(tenfour_core::radio::Input::Voice(arrival.bytes(5, frame_ms)));
            taken.extend(places(&out, arrival.at));
            if coming.peek().is_none() {
                harness.end(5, u32::from(arrival.seq) + 1);
            }
        }
        harness.pass(due - harness.now);
        let (sound, out) = harness.pull();
        for event in events(&out) {
            match event {
                Event::PlayStarted { .. } => begun = Some(due),
                Event::PlayEnded { .. } => over = Some(due),
                _ => {}
            }
        }
        due += Duration::from_micros(u64::from(sound.samples) * 1000 / 48);
    }
    Ear { taken, played: over.unwrap() - begun.unwrap() }
}

fn places(out: &[Output], now: Time) -> Vec<Placed> {
    let voice = |event: &Event| match event {
        Event::Voice { seq, media_time, .. } => Some(Placed { arrived: now, seq: *seq, at: *media_time }),
        _ => None,
    };
    events(out).into_iter().filter_map(voice).collect()
}

/// What a door passes on, as a listener gets it.
fn behind_a_door(frame_ms: FrameTime, arrivals: &[Arrival]) -> Vec<Arrival> {
    let (passed, _) = door(frame_ms, arrivals);
    passed
        .into_iter()
        .map(|Placed { arrived, seq, at }| Arrival { at: arrived, seq, media_time: at })
        .collect()
}

/// The most by which sound itself ran ahead of its arrival, in samples: what was held comes so.
fn sound_ahead(frame_ms: FrameTime, arrivals: &[Arrival]) -> u64 {
    let (mut lead, mut most, mut before) = (0, 0, START);
    for arrival in arrivals {
        lead = u64::saturating_sub(lead, samples(arrival.at - before)) + u64::from(frame_ms.samples());
        (most, before) = (most.max(lead), arrival.at);
    }
    most
}

#[test]
fn each_shape_of_the_table_is_heard_as_far_as_it_says() {
    for shape in all() {
        let ear = hear(shape.frame_ms, &shape.arrivals);
        let got = (ear.taken.len() as u64, length(shape.frame_ms, &ear.taken));
        assert_eq!(got, shape.heard, "{}", shape.name);
    }
}

#[test]
fn a_minute_of_any_shape_of_the_table_plays_for_less_than_64_seconds() {
    for shape in all() {
        let name = &shape.name;
        let span = span(&shape.arrivals);
        let ear = hear(shape.frame_ms, &behind_a_door(shape.frame_ms, &shape.arrivals));
        assert!(ear.played <= span + Duration::from_secs(4), "{name}: {:?} of {span:?}", ear.played);
        // A server that does not look at the clock, or lies.
        let ear = hear(shape.frame_ms, &shape.arrivals);
        let most = span.max(Duration::from_secs(60)) + Duration::from_secs(4);
        assert!(ear.played < most, "{name}: {:?}", ear.played);
    }
}

#[test]
fn a_burst_that_never_ends_is_over_for_a_radio_and_takes_no_more() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    let mut out = Vec::new();
    for seq in 0..2000u16 {
        out.extend(harness.hear(5, seq));
        out.extend(harness.pass(ms(500)));
    }
    let places = places(&out, harness.now);
    // The longest burst, and twice the hold: so late an honest frame can be.
    assert_eq!(places.len(), (63_500 + 20_000) / 500 + 1);
    assert!(events(&out).iter().any(|event| matches!(event, Event::BurstEnded { .. })));
}

#[test]
fn what_a_server_says_of_its_times_is_taken_within_bounds() {
    let mut harness = Harness::on_the_air();
    let mut welcome = crate::harness::welcome(false, &[]);
    if let ServerMessage::Welcome { hold_ms, talk_limit_ms, .. } = &mut welcome {
        (*hold_ms, *talk_limit_ms) = (u32::MAX, u32::MAX);
    }
    harness.drop_link();
    harness.reconnect();
    harness.say(welcome);
    harness.say(crate::harness::tuned("19"));
    harness.start(5);
    let out: Vec<_> = (0..u16::MAX).flat_map(|seq| harness.hear(5, seq)).collect();
    // Ten minutes are the longest talk limit there is.
    assert_eq!(length(FrameTime::Ms20, &places(&out, harness.now)), 603_500 * 48 / 960 * 960);
}

#[test]
fn burst_after_burst_has_an_end_too() {
    let mut harness = Harness::on_the_air();
    let mut taken = 0;
    for burst in 0..200 {
        harness.start(burst);
        for seq in 0..3000 {
            taken += places(&harness.hear(burst, seq), harness.now).len() as u64;
        }
        harness.end(burst, 3000);
    }
    // 64 bursts at once, each with what a server may hold of it; then 64 times the pace of sound.
    assert_eq!(taken * 960, 64 * 33_500 * 48 / 960 * 960);
    harness.pass(Duration::from_secs(10));
    harness.start(1000);
    assert!(!places(&harness.hear(1000, 0), harness.now).is_empty());
}

#[test]
fn what_was_held_is_played_whole_though_it_comes_at_once() {
    let mut harness = Harness::on_the_air();
    harness.give(tenfour_core::radio::Input::Tune { channel: ch("20"), catch_up: true });
    harness.start(5);
    let out: Vec<_> = (300..800).flat_map(|seq| harness.hear(5, seq)).collect();
    let taken = places(&out, harness.now);
    assert!(taken.iter().zip(0..).all(|(frame, n)| (frame.seq, frame.at) == (300 + n, u32::from(n) * 960)));
    assert_eq!(taken.len(), 500);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is said, behind the door of an honest server a press plays for as long as it took, and
    /// four seconds at most.
    #[test]
    fn a_press_of_any_shape_plays_no_longer_than_it_took_and_four_seconds((frame_ms, arrivals) in any()) {
        let ear = hear(frame_ms, &behind_a_door(frame_ms, &arrivals));
        prop_assert!(ear.played <= span(&arrivals) + Duration::from_secs(4), "{:?}", ear.played);
        prop_assert!(ear.played <= Duration::from_secs(64));
        prop_assert!(length(frame_ms, &ear.taken) <= samples(span(&arrivals)) + 3 * SECOND);
    }

    /// A server that passes on everything does not make it longer, but by sound that comes early: that is
    /// what an honest one does with frames it held.
    #[test]
    fn no_server_makes_a_press_longer((frame_ms, arrivals) in any()) {
        let ear = hear(frame_ms, &arrivals);
        // Of the three and a half seconds silence leaves one to sound.
        let early = (SECOND + SECOND / 2) + (sound_ahead(frame_ms, &arrivals) + SECOND).max(2 * SECOND);
        let reaches = length(frame_ms, &ear.taken);
        prop_assert!(reaches <= samples(span(&arrivals)) + early);
        prop_assert!(reaches <= 63 * SECOND + SECOND / 2);
        let half = Duration::from_millis(500);
        prop_assert!(ear.played <= span(&arrivals) + Duration::from_micros(early * 1000 / 48) + half);
    }

    /// Nothing that is said honestly is lost on the way, though the listener's network holds it back for
    /// as long as the server does.
    #[test]
    fn who_does_not_lie_is_heard_whole(
        (frame_ms, arrivals) in honest(1000),
        late in prop::collection::vec(prop_oneof![4 => Just(0), 1 => 0..9000u64], 1..40),
    ) {
        let mut passed = behind_a_door(frame_ms, &arrivals);
        let mut before = START;
        for (frame, late) in passed.iter_mut().zip(late.iter().cycle()) {
            before = before.max(frame.at + ms(*late));
            frame.at = before;
        }
        let ear = hear(frame_ms, &passed);
        prop_assert_eq!(ear.taken.len(), arrivals.len());
    }
}
