//! Hearing: in order, at most once, losses counted, across drops.

use std::time::Duration;

use crate::harness::*;
use tenfour_core::radio::{Event, HeardEnd, HeardNo, Input, Output};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage};

/// How a burst ended: frames that came, frames lost, why.
fn ended(out: &[Output]) -> Vec<(u32, u32, HeardEnd)> {
    events(out)
        .into_iter()
        .filter_map(|event| match event {
            Event::BurstEnded { received, lost, reason, .. } => Some((*received, *lost, *reason)),
            _ => None,
        })
        .collect()
}

fn gap(harness: &mut Harness, burst: u32, from: u16, to: u16) -> Vec<Output> {
    harness.say(ServerMessage::BurstGap { burst: BurstNo(burst), from, to })
}

const RELEASED: HeardEnd = HeardEnd::Ended(EndReason::Released);

#[test]
fn a_burst_is_heard_whole_and_counted() {
    let mut harness = Harness::on_the_air();
    assert!(matches!(events(&harness.start(5))[..], [Event::BurstStarted { .. }]));
    let out: Vec<_> = (0..3).flat_map(|seq| harness.hear(5, seq)).collect();
    assert_eq!(heard(&out), [0, 1, 2]);
    assert_eq!(ended(&harness.end(5, 3)), [(3, 0, RELEASED)]);
    assert!(harness.hear(5, 3).is_empty() && harness.end(5, 3).is_empty(), "over is over");
}

#[test]
fn a_gap_is_told_and_counted() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    let out = gap(&mut harness, 5, 1, 4);
    assert!(matches!(events(&out)[..], [Event::Gap { from: 1, to: 4, .. }]));
    assert_eq!(heard(&harness.hear(5, 4)), [4]);
    assert_eq!(ended(&harness.end(5, 5)), [(2, 3, RELEASED)]);
}

#[test]
fn a_hole_nobody_told_of_is_counted_as_well() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    let out = harness.hear(5, 3);
    assert!(matches!(events(&out)[..], [Event::Gap { from: 1, to: 3, .. }, Event::Voice { seq: 3, .. }]));
    assert_eq!(ended(&harness.end(5, 6)), [(2, 4, RELEASED)], "two in the middle, two at the end");
}

#[test]
fn what_came_before_one_tuned_in_is_no_loss() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 40);
    assert_eq!(ended(&harness.end(5, 41)), [(1, 0, RELEASED)]);
}

#[test]
fn a_frame_is_heard_at_most_once_and_never_backwards() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    let out: Vec<_> = [0, 1, 1, 0, 2, 1].into_iter().flat_map(|seq| harness.hear(5, seq)).collect();
    assert_eq!(heard(&out), [0, 1, 2]);
}

#[test]
fn bursts_that_overlap_are_kept_apart() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.start(6);
    harness.hear(5, 0);
    harness.hear(6, 0);
    harness.hear(5, 1);
    assert_eq!(ended(&harness.end(6, 1)), [(1, 0, RELEASED)]);
    assert_eq!(ended(&harness.end(5, 2)), [(2, 0, RELEASED)]);
}

#[test]
fn a_resume_names_what_is_missing() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.start(6);
    harness.end(6, 0);
    harness.start(7);
    harness.drop_link();
    let out = harness.reconnect();
    let [ClientMessage::Hello { resume: Some(resume), .. }] = sent(&out)[..] else { panic!("{out:?}") };
    assert_eq!(resume.newest, Some(BurstNo(7)));
    let have: Vec<_> = resume.have.iter().map(|heard| (heard.burst.0, heard.next)).collect();
    assert_eq!(have, [(5, 1), (7, 0)]);
}

#[test]
fn after_a_resume_a_burst_goes_on_and_nothing_is_heard_twice() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.hear(5, 1);
    harness.drop_link();
    harness.reconnect();
    harness.say(welcome(true, &["19"]));
    assert!(events(&harness.start(5)).is_empty(), "it was announced before");
    let out: Vec<_> = (1..4).flat_map(|seq| harness.hear(5, seq)).collect();
    assert_eq!(heard(&out), [2, 3]);
    assert_eq!(ended(&harness.end(5, 4)), [(4, 0, RELEASED)]);
}

#[test]
fn a_burst_that_was_heard_to_its_end_is_not_heard_again() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.end(5, 1);
    harness.drop_link();
    harness.reconnect();
    harness.say(welcome(true, &["19"]));
    let out = [harness.start(5), harness.hear(5, 0), harness.end(5, 1)].concat();
    assert!(events(&out).is_empty(), "{out:?}");
}

#[test]
fn without_a_resume_open_bursts_are_lost_and_numbers_may_begin_anew() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.drop_link();
    harness.reconnect();
    assert_eq!(ended(&harness.say(welcome(false, &[]))), [(1, 0, HeardEnd::LinkLost)]);
    assert_eq!(events(&harness.start(5)).len(), 1, "another burst with the same number");
    assert_eq!(heard(&harness.hear(5, 0)), [0]);
}

#[test]
fn a_burst_that_is_never_ended_ends_by_itself() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    assert!(ended(&harness.pass(Duration::from_secs(14))).is_empty());
    assert_eq!(ended(&harness.pass(Duration::from_secs(2))), [(1, 0, HeardEnd::LinkLost)]);
}

#[test]
fn leaving_a_channel_ends_its_bursts() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    let out = harness.give(Input::Untune { channel: ch("19") });
    assert_eq!(ended(&out), [(1, 0, HeardEnd::Untuned)]);
    assert!(harness.hear(5, 1).is_empty());
    assert!(harness.start(6).is_empty(), "announced before the server knew");
}

#[test]
fn coming_back_to_a_channel_goes_on_with_what_is_new() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.give(Input::Untune { channel: ch("19") });
    harness.give(Input::Tune { channel: ch("19"), catch_up: true });
    harness.say(tuned("19"));
    assert_eq!(events(&harness.start(5)).len(), 1);
    let out = [harness.hear(5, 0), harness.hear(5, 1)].concat();
    assert_eq!(heard(&out), [1]);
}

#[test]
fn a_burst_older_than_the_newest_is_heard_when_its_channel_is_tuned_later() {
    let mut harness = Harness::on_the_air();
    harness.start(6);
    harness.give(Input::Tune { channel: ch("20"), catch_up: false });
    harness.say(tuned("20"));
    assert_eq!(events(&harness.say(started(5, "20"))).len(), 1);
}

#[test]
fn a_server_that_opens_bursts_without_end_fills_no_memory() {
    let mut harness = Harness::on_the_air();
    let begun: usize = (0..1000)
        .map(|burst| {
            events(&harness.start(burst))
                .iter()
                .filter(|event| matches!(event, Event::BurstStarted { .. }))
                .count()
        })
        .sum();
    assert_eq!(begun, 64);
}

#[test]
fn bytes_that_are_no_voice_are_nothing() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    for bytes in [vec![], vec![0x10; 5], vec![0xff; 60]] {
        assert!(harness.give(Input::Voice(bytes)).is_empty());
    }
    assert!(harness.hear(9, 0).is_empty(), "a burst nobody announced");
}

#[test]
fn a_refusal_without_a_place_is_told() {
    let mut harness = Harness::on_the_air();
    let out = harness.say(error(Code::TooManyMessages));
    assert!(matches!(events(&out)[..], [Event::Refused { .. }]));
}

#[test]
fn a_talker_who_goes_out_of_range_is_an_end_without_losses_and_may_come_back_as_a_new_one() {
    let mut harness = Harness::on_the_air();
    let out_of_range =
        ServerMessage::BurstEnded { burst: BurstNo(5), frames: 0, reason: EndReason::OutOfRange };
    harness.start(5);
    harness.hear(5, 0);
    harness.hear(5, 1);
    let out = harness.say(out_of_range.clone());
    assert_eq!(ended(&out), [(2, 0, HeardEnd::Ended(EndReason::OutOfRange))]);
    assert!(harness.hear(5, 2).is_empty(), "what was on its way is not heard");
    let out = harness.start(5);
    assert!(matches!(events(&out)[..], [Event::BurstStarted { heard: HeardNo(2), .. }]), "{out:?}");
    assert_eq!(heard(&harness.hear(5, 9)), [9], "from the live edge");
    assert_eq!(ended(&harness.end(5, 10)), [(1, 0, RELEASED)]);
    assert!(harness.start(5).is_empty() && harness.say(out_of_range).is_empty(), "over is over");
}

#[test]
fn a_resume_asks_for_nothing_that_was_heard_before_somebody_went_out_of_range() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    harness.hear(5, 0);
    harness.hear(5, 1);
    harness.say(ServerMessage::BurstEnded { burst: BurstNo(5), frames: 0, reason: EndReason::OutOfRange });
    harness.start(5);
    harness.drop_link();
    let out = harness.reconnect();
    let [ClientMessage::Hello { resume: Some(resume), .. }] = sent(&out)[..] else { panic!("{out:?}") };
    let have: Vec<_> = resume.have.iter().map(|heard| (heard.burst.0, heard.next)).collect();
    assert_eq!(have, [(5, 2)]);
}

#[test]
fn what_was_heard_before_somebody_went_out_of_range_is_played_to_its_end() {
    let mut harness = Harness::on_the_air();
    harness.start(5);
    (0..4).for_each(|seq| drop(harness.hear(5, seq)));
    harness.say(ServerMessage::BurstEnded { burst: BurstNo(5), frames: 0, reason: EndReason::OutOfRange });
    harness.start(5);
    (7..9).for_each(|seq| drop(harness.hear(5, seq)));
    harness.end(5, 9);
    assert_eq!(harness.play(ms(140)), "012378_");
}
