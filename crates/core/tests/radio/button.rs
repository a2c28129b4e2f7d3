//! The button: voice leaves with the press, and every press gets one receipt.

use std::time::Duration;

use crate::harness::*;
use tenfour_core::radio::{Event, Input, Output};
use tenfour_protocol::control::{EndReason, FrameTime};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage};

#[test]
fn voice_leaves_with_the_press_before_it_is_granted() {
    let mut harness = Harness::on_the_air();
    let out = harness.press();
    assert!(matches!(events(&out)[..], [Event::Pressed { burst: BurstNo(1), .. }]));
    assert!(matches!(sent(&out)[..], [ClientMessage::BurstStart { burst: BurstNo(1), .. }]));
    assert_eq!(voice_sent(&harness.speak(0)), [0]);
    assert_eq!(voice_sent(&harness.speak(1)), [1]);
    let out = harness.say(ServerMessage::BurstGranted { burst: BurstNo(1), talk_limit_ms: 60_000 });
    assert!(matches!(events(&out)[..], [Event::Granted { burst: BurstNo(1), .. }]));
}

#[test]
fn the_release_tells_how_many_frames_there_were() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.speak(0);
    harness.speak(1);
    let out = harness.give(Input::Release);
    assert_eq!(sent(&out), [&ClientMessage::BurstEnd { burst: BurstNo(1), frames: 2 }]);
    assert!(harness.speak(2).is_empty(), "the microphone is off");
    assert_eq!(receipts(&harness.say(aired(1, 2, EndReason::Released))), [(1, None)]);
    assert!(harness.say(aired(1, 2, EndReason::Released)).is_empty(), "one receipt");
}

#[test]
fn a_press_before_the_link_is_up_waits_with_its_voice() {
    let (mut harness, _) = Harness::new(1);
    harness.give(Input::Tune { channel: ch("19"), catch_up: false });
    harness.press();
    for n in 0..5 {
        assert!(harness.speak(n).is_empty());
    }
    harness.give(Input::Release);
    harness.give(Input::Opened);
    let out = harness.say(welcome(false, &[]));
    let order: Vec<_> = sent(&out).into_iter().map(std::mem::discriminant).collect();
    assert_eq!(order.len(), 3, "tune, start, end: {out:?}");
    assert!(matches!(sent(&out)[2], ClientMessage::BurstEnd { frames: 5, .. }));
    assert_eq!(voice_sent(&out), [0, 1, 2, 3, 4]);
}

#[test]
fn a_press_that_waits_too_long_is_lost_once() {
    let (mut harness, _) = Harness::new(1);
    harness.give(Input::Tune { channel: ch("19"), catch_up: false });
    harness.press();
    let out = harness.pass(Duration::from_secs(3));
    assert_eq!(receipts(&out), [(1, Some(Code::LinkLost))]);
    assert!(harness.speak(0).is_empty() && harness.give(Input::Release).is_empty());
    harness.give(Input::Opened);
    assert!(voice_sent(&harness.say(welcome(false, &[]))).is_empty(), "old words are not sent late");
}

#[test]
fn the_voice_that_waits_is_bounded() {
    let (mut harness, _) = Harness::new(1);
    harness.give(Input::Tune { channel: ch("19"), catch_up: false });
    harness.press();
    let lost: Vec<_> = (0..200).flat_map(|n| receipts(&harness.speak(n))).collect();
    assert_eq!(lost, [(1, Some(Code::LinkLost))]);
}

#[test]
fn a_drop_during_a_burst_is_told_at_once_and_once() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.speak(0);
    assert_eq!(receipts(&harness.drop_link()), [(1, Some(Code::LinkLost))]);
    assert!(harness.speak(1).is_empty() && harness.give(Input::Release).is_empty());
    harness.reconnect();
    assert!(receipts(&harness.say(welcome(true, &["19"]))).is_empty());
}

#[test]
fn a_drop_between_release_and_receipt_is_told_too() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.give(Input::Release);
    assert_eq!(receipts(&harness.drop_link()), [(1, Some(Code::LinkLost))]);
}

#[test]
fn a_press_during_a_drop_goes_out_with_the_resume() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    harness.press();
    harness.speak(0);
    harness.reconnect();
    let out = harness.say(welcome(true, &["19"]));
    assert!(matches!(sent(&out)[..], [ClientMessage::BurstStart { .. }]));
    assert_eq!(voice_sent(&out), [0]);
    assert_eq!(voice_sent(&harness.speak(1)), [1], "and goes on live");
}

#[test]
fn a_refused_burst_takes_no_more_voice() {
    let mut harness = Harness::on_the_air();
    harness.press();
    assert_eq!(receipts(&harness.say(refused(1, Code::ChannelBusy))), [(1, Some(Code::ChannelBusy))]);
    assert!(harness.speak(0).is_empty() && harness.give(Input::Release).is_empty());
    assert!(matches!(sent(&harness.press())[..], [ClientMessage::BurstStart { burst: BurstNo(2), .. }]));
}

#[test]
fn the_talk_limit_ends_the_burst_under_the_finger() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.speak(0);
    assert_eq!(receipts(&harness.say(aired(1, 1, EndReason::TalkLimit))), [(1, None)]);
    assert!(harness.speak(1).is_empty() && harness.give(Input::Release).is_empty());
}

#[test]
fn a_second_press_does_not_disturb_the_first() {
    let mut harness = Harness::on_the_air();
    harness.press();
    assert_eq!(receipts(&harness.press()), [(2, Some(Code::AlreadyTalking))]);
    assert_eq!(voice_sent(&harness.speak(0)), [0]);
    assert!(matches!(
        sent(&harness.give(Input::Release))[..],
        [ClientMessage::BurstEnd { burst: BurstNo(1), .. }]
    ));
}

#[test]
fn a_quick_press_after_the_release_need_not_wait_for_the_receipt() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.give(Input::Release);
    assert!(matches!(sent(&harness.press())[..], [ClientMessage::BurstStart { burst: BurstNo(2), .. }]));
    assert_eq!(receipts(&harness.say(aired(1, 0, EndReason::Released))), [(1, None)]);
    assert_eq!(voice_sent(&harness.speak(0)), [0], "the first receipt does not end the second burst");
}

#[test]
fn a_receipt_that_never_comes_is_made_up() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.give(Input::Release);
    let out = harness.pass(Duration::from_secs(11));
    assert_eq!(receipts(&out), [(1, Some(Code::LinkLost))]);
    assert!(receipts(&harness.say(aired(1, 0, EndReason::Released))).is_empty());
}

#[test]
fn a_press_without_a_channel_or_a_link_is_refused_at_once() {
    let mut harness = Harness::on_the_air();
    let out = harness.give(Input::Press { channel: ch("20"), frame_ms: FrameTime::Ms20 });
    assert_eq!(receipts(&out), [(1, Some(Code::NotTuned))]);
    assert!(sent(&out).is_empty());
    harness.give(closed(Code::LoggedOut));
    assert_eq!(receipts(&harness.press()), [(2, Some(Code::LinkLost))]);
}

#[test]
fn a_frame_that_no_server_would_take_is_not_sent() {
    let mut harness = Harness::on_the_air();
    harness.press();
    harness.speak(1);
    for (media_time, bytes) in [(960, 10), (0, 10), (9600, 0), (9600, 401)] {
        let out = harness.give(Input::Frame { media_time, payload: vec![8; bytes] });
        assert!(
            matches!(&out[..], [Output::Event(Event::Refused { refusal })] if refusal.code == Code::MalformedFrame),
            "{out:?}"
        );
    }
    assert_eq!(voice_sent(&harness.speak(2)), [1], "and leaves no hole");
}
