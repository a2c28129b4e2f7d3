//! What the server passes on of a press, whatever its talker says.

use std::time::Duration;

use proptest::prelude::*;
use tenfour_core::voice::{Uplink, UplinkOutput, unframed};
use tenfour_core::{Time, mutant};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::{BurstNo, Code, VoiceFrame};

use crate::shapes::{Arrival, Row, SECOND, START, all, any, arrivals, forward, honest, samples, span};
use crate::{Placed, ahead, door, length, say};

const MS_20: FrameTime = FrameTime::Ms20;

#[test]
fn each_shape_of_the_table_passes_the_door_as_far_as_it_says() {
    for shape in all() {
        let (passed, _) = door(shape.frame_ms, &shape.arrivals);
        let got = (passed.len() as u64, length(shape.frame_ms, &passed));
        assert_eq!(got, shape.door, "{}", shape.name);
    }
}

#[test]
fn a_clock_that_does_not_lie_is_passed_on_as_it_stands() {
    let mut uplink = uplink();
    uplink.start(BurstNo(1), MS_20, START);
    uplink.admit(BurstNo(1), BurstNo(9), START);
    for (n, media_time) in [u32::MAX - 959, 0, 960 + 4800].into_iter().enumerate() {
        let at = START + Duration::from_millis(200) * n as u32;
        uplink.frame(&Arrival { at, seq: n as u16, media_time }.bytes(1, MS_20), at);
        let Some(UplinkOutput::Frame { packet, .. }) = uplink.poll() else { panic!("frame {n}") };
        assert_eq!(VoiceFrame::parse(packet.message()).expect("a frame").media_time, media_time);
    }
}

#[test]
fn who_runs_ahead_is_told_and_is_heard_again_at_once_at_the_pace_of_sound() {
    let rows = [
        Row { frames: 400, after: Duration::ZERO, media: 960, seq: 1 },
        Row { frames: 100, after: Duration::from_millis(20), media: 960, seq: 1 },
    ];
    let (passed, told) = door(MS_20, &arrivals(&rows));
    assert_eq!(told, [Code::TooMuchVoice]);
    let seqs: Vec<_> = passed.iter().map(|frame| frame.seq).collect();
    assert_eq!(seqs, (0..150).chain(400..500).collect::<Vec<_>>());
    // What was dropped leaves no silence behind, or that would be too much again.
    assert!(passed.iter().zip(0..).all(|(frame, n)| frame.at == n * 960));
}

#[test]
fn what_waits_for_the_hub_has_its_place_already() {
    let rows = [Row { frames: 20, after: Duration::ZERO, media: 48_000, seq: 1 }];
    let arrivals = arrivals(&rows);
    let mut uplink = uplink();
    uplink.start(BurstNo(1), MS_20, START);
    assert_eq!(say(&mut uplink, 1, MS_20, &arrivals).0, []);
    uplink.admit(BurstNo(1), BurstNo(9), START + Duration::from_millis(200));
    let (waited, _) = say(&mut uplink, 2, MS_20, &arrivals[..1]);
    assert_eq!(waited, door(MS_20, &arrivals).0);
}

#[test]
fn a_row_of_presses_has_no_more_time_than_one() {
    let rows = [Row { frames: 2, after: Duration::ZERO, media: 144_000, seq: 1 }];
    let press = arrivals(&rows);
    let (mut uplink, mut said) = (uplink(), 0);
    for n in 0..40 {
        let now = START + Duration::from_millis(250) * n;
        uplink.start(BurstNo(n + 1), MS_20, now);
        uplink.admit(BurstNo(n + 1), BurstNo(n + 100), now);
        let press: Vec<_> = press.iter().map(|frame| Arrival { at: now, ..*frame }).collect();
        said += length(MS_20, &say(&mut uplink, n + 1, MS_20, &press).0);
        uplink.release(BurstNo(n + 1), now);
    }
    assert!(said <= (10 + 3) * SECOND, "{said} samples in ten seconds");
}

fn uplink() -> Uplink {
    let uplink = Uplink::new(unframed, START);
    mutant!(let uplink = uplink.broken(crate::harness::mutants()));
    uplink
}

/// Whether each frame is where its talker said, seen from the first.
fn as_told(passed: &[Placed], arrivals: &[Arrival]) -> bool {
    let first = arrivals[0].media_time;
    let told = arrivals.iter().map(|frame| (frame.seq, frame.media_time.wrapping_sub(first), frame.at));
    told.eq(passed.iter().map(|frame| (frame.seq, frame.at, frame.arrived)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// In no stretch of time does a press have more media time than that and three seconds; its frames
    /// lie in their order, side by side.
    #[test]
    fn media_time_never_outruns_arrival((frame_ms, arrivals) in any()) {
        let (passed, _) = door(frame_ms, &arrivals);
        let apart = |two: &[Placed]| two[0].at + frame_ms.samples() <= two[1].at && two[0].seq < two[1].seq;
        prop_assert!(passed.windows(2).all(apart));
        prop_assert_eq!(passed.first().map_or(0, |first| first.at), 0);
        prop_assert!(ahead(frame_ms, &passed) <= 3 * SECOND);
        prop_assert!(length(frame_ms, &passed) <= samples(span(&arrivals)) + 3 * SECOND);
    }

    /// Nothing of what is said honestly is lost or moved, though it waited for its link, and though the
    /// network holds some of it back.
    #[test]
    fn who_does_not_lie_is_passed_on_as_they_are((frame_ms, arrivals) in honest(1000)) {
        let (passed, told) = door(frame_ms, &arrivals);
        prop_assert_eq!(told, []);
        prop_assert!(as_told(&passed, &arrivals));
    }

    /// Whatever came before, who talks at the pace of sound from some moment on is passed on whole.
    #[test]
    fn no_past_is_held_against_a_talker((frame_ms, mut arrivals) in forward()) {
        let last = *arrivals.last().expect("a frame");
        let pace = Duration::from_millis(frame_ms.millis().into());
        let (before, _) = door(frame_ms, &arrivals);
        arrivals.extend((1..=50).map(|n| Arrival {
            at: last.at + pace * n,
            seq: last.seq + n as u16,
            media_time: last.media_time.wrapping_add(n * frame_ms.samples()),
        }));
        let (passed, _) = door(frame_ms, &arrivals);
        prop_assert_eq!(passed.len() - before.len(), 50);
    }
}

/// Time never goes back in a shape.
#[test]
fn shapes_are_in_order() {
    for shape in all() {
        assert!(shape.arrivals.is_sorted_by_key(|frame| (frame.at, frame.seq)), "{}", shape.name);
        assert!(span(&shape.arrivals) <= Duration::from_secs(70));
        assert!(shape.arrivals[0].at == Time::from_micros(5_000_000));
    }
}
