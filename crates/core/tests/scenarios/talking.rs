//! Press, talk, release, receipt.

use tenfour_core::hub::HubConfig;
use tenfour_protocol::control::EndReason;
use tenfour_protocol::limits::{
    BUSY, PRESS_PATIENCE, PRESSES_WAITING, SILENT_BURST, STALLED_LINK, TALK_LIMIT,
};
use tenfour_protocol::{BurstNo, ClientMessage, Code, ServerMessage};

use crate::world::{
    FRAME, Got, NO_RECEIPT, NO_VOICE, World, aired, channel, flagged_frame, ms, receipts, refusals, start,
    voice_in,
};

#[test]
fn a_burst_is_announced_then_heard_then_ended() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.take(bert);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.speak(anna, 1, 1);
    world.release(anna, 1);
    let got = world.take(bert);
    let Got::Control(ServerMessage::BurstStarted { burst: BurstNo(1), talker, .. }) = &got[0] else {
        panic!("{got:?}")
    };
    assert_eq!(talker.person.handle.as_str(), "Anna");
    assert_eq!(voice_in(&got[1..3], 1), [0, 1]);
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 2, reason: EndReason::Released };
    assert_eq!(got[3..], [Got::Control(ended)]);
}

#[test]
fn a_talker_gets_a_grant_and_a_receipt_and_does_not_hear_itself() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.take(anna);
    world.press(anna, "19", 7);
    world.speak(anna, 7, 0);
    world.release(anna, 7);
    let granted = ServerMessage::BurstGranted { burst: BurstNo(7), talk_limit_ms: 60_000 };
    let receipt = aired(7, 1, EndReason::Released);
    assert_eq!(world.take(anna), [Got::Control(granted), Got::Control(receipt)]);
}

#[test]
fn voice_sent_with_the_press_is_not_clipped() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    // All of it is in the uplink before the hub has heard of the press.
    let mut uplink = crate::world::uplink(tenfour_core::voice::unframed, world.now);
    uplink.start(BurstNo(1), tenfour_protocol::control::FrameTime::Ms20, world.now);
    for seq in 0..5 {
        uplink.frame(&crate::world::frame(1, seq), world.now);
    }
    assert_eq!((uplink.poll(), uplink.figures().1), (None, 5));
    world.press(anna, "19", 1);
    for seq in 0..50 {
        world.speak(anna, 1, seq);
    }
    assert_eq!(world.voice(bert, 1), (0..50).collect::<Vec<_>>());
}

#[test]
fn two_talkers_are_both_relayed() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let cleo = world.tuned("Cleo", "19");
    world.press(anna, "19", 1);
    world.press(bert, "19", 1);
    for seq in 0..10 {
        world.speak(anna, 1, seq);
        world.speak(bert, 1, seq);
        world.run(FRAME);
    }
    let got = world.take(cleo);
    let all: Vec<u16> = (0..10).collect();
    assert_eq!((voice_in(&got, 1), voice_in(&got, 2)), (all.clone(), all.clone()));
    assert_eq!(world.voice(anna, 2), all, "talkers hear each other");
}

#[test]
fn nobody_on_another_channel_hears() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "1");
    let bert = world.tuned("Bert", "2");
    world.take(bert);
    world.press(anna, "1", 1);
    world.speak(anna, 1, 0);
    assert_eq!(world.take(bert), []);
}

#[test]
fn a_frame_with_the_last_flag_ends_the_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.binary(anna, &flagged_frame(1, 1, true));
    assert_eq!(world.last(anna), aired(1, 2, EndReason::Released));
}

#[test]
fn a_talker_whose_link_stalls_is_waited_for_and_then_lost() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    world.stalled.insert(anna);
    world.run(STALLED_LINK - FRAME - ms(1));
    // What was held back comes at once, and the burst goes on.
    (10..150).for_each(|seq| world.speak(anna, 1, seq));
    assert_eq!(receipts(&world.control(anna)), NO_RECEIPT);
    assert_eq!(world.voice(bert, 1).len(), 150);
    world.run(STALLED_LINK);
    assert_eq!(world.last(anna), aired(1, 150, EndReason::TalkerLost));
}

#[test]
fn a_silent_burst_is_ended_after_a_second() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    world.run(SILENT_BURST - FRAME - ms(1));
    assert_eq!(receipts(&world.control(anna)), NO_RECEIPT);
    world.run(ms(1));
    assert_eq!(world.last(anna), aired(1, 10, EndReason::Silent));
}

#[test]
fn the_talk_limit_ends_a_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    let frames = (TALK_LIMIT.as_millis() / FRAME.as_millis()) as u16;
    world.speak_for(anna, 1, 0..frames);
    assert_eq!(world.last(anna), aired(1, frames.into(), EndReason::TalkLimit));
    world.take(bert);
    world.speak(anna, 1, frames);
    world.run(ms(1000));
    assert_eq!(world.take(bert), [], "what comes after the end is dropped");
    assert_eq!(refusals(&world.control(anna)), [], "without a word");
}

#[test]
fn leaving_the_channel_ends_the_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.send(anna, ClientMessage::Untune { channel: channel("19") });
    assert_eq!(world.last(anna), aired(1, 1, EndReason::Untuned));
}

#[test]
fn leaving_another_channel_does_not_end_the_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.tune(anna, "20");
    world.press(anna, "19", 1);
    world.send(anna, ClientMessage::Untune { channel: channel("20") });
    assert_eq!(receipts(&world.control(anna)), NO_RECEIPT);
}

#[test]
fn a_talkers_drop_ends_the_burst_for_its_listeners() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.drop_link(anna);
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 1, reason: EndReason::TalkerLost };
    assert_eq!(world.last(bert), ended);
}

#[test]
fn talking_on_a_channel_one_is_not_on_is_refused() {
    let mut world = World::new();
    let anna = world.greet("Anna");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    let got = world.control(anna);
    assert_eq!((refusals(&got), receipts(&got)), (vec![Code::NotTuned], vec![1]));
}

#[test]
fn a_burst_number_is_used_once() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 5);
    world.speak(anna, 5, 0);
    world.press(anna, "19", 5);
    world.press(anna, "19", 4);
    assert_eq!(refusals(&world.control(anna)), [Code::BurstNumberUsed, Code::BurstNumberUsed]);
    world.speak(anna, 5, 1);
    world.release(anna, 5);
    assert_eq!(world.last(anna), aired(5, 2, EndReason::Released), "the burst of that number goes on");
}

#[test]
fn who_talks_already_is_refused_a_second_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.press(anna, "19", 2);
    for seq in 0..30 {
        world.speak(anna, 1, seq);
        world.speak(anna, 2, seq);
        world.run(FRAME);
    }
    let got = world.control(anna);
    assert_eq!((refusals(&got), receipts(&got)), (vec![Code::AlreadyTalking], vec![2]));
    let heard = world.take(bert);
    assert_eq!((voice_in(&heard, 1).len(), voice_in(&heard, 2)), (30, vec![]));
}

#[test]
fn a_press_that_overtakes_the_release_before_it_is_aired() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.press(anna, "19", 2);
    world.speak(anna, 2, 0);
    world.run(PRESS_PATIENCE - ms(1));
    world.release(anna, 1);
    world.release(anna, 2);
    let got = world.control(anna);
    assert_eq!((refusals(&got), receipts(&got)), (vec![], vec![1, 2]));
    assert_eq!(voice_in(&world.take(bert), 2), [0]);
}

#[test]
fn more_presses_than_may_wait_are_refused_at_once() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    for local in 1..=PRESSES_WAITING as u32 + 2 {
        world.press(anna, "19", local);
    }
    let got = world.control(anna);
    assert_eq!((refusals(&got), receipts(&got)), (vec![Code::AlreadyTalking], vec![6]));
}

#[test]
fn a_busy_channel_refuses_and_says_when_to_try_again() {
    let mut world = World::new();
    let talkers: Vec<_> = (0..=BUSY).map(|n| world.tuned(&format!("T{n}"), "19")).collect();
    for &talker in &talkers {
        world.press(talker, "19", 1);
    }
    let last = talkers[BUSY];
    assert_eq!(refusals(&world.control(last)), [Code::ChannelBusy]);
    world.release(talkers[0], 1);
    world.press(last, "19", 2);
    assert!(matches!(world.last(last), ServerMessage::BurstGranted { .. }));
}

#[test]
fn every_press_gets_exactly_one_receipt() {
    let mut world = World::with(HubConfig { talk_limit: ms(5_000), ..HubConfig::default() });
    let anna = world.tuned("Anna", "19");
    // Released, refused (not tuned), silent, talk limit, untuned.
    world.press(anna, "19", 1);
    world.release(anna, 1);
    world.press(anna, "20", 2);
    world.press(anna, "19", 3);
    world.run(ms(1500));
    world.press(anna, "19", 4);
    world.speak_for(anna, 4, 0..300);
    world.press(anna, "19", 5);
    world.send(anna, ClientMessage::Untune { channel: channel("19") });
    world.release(anna, 5);
    world.run(ms(60_000));
    assert_eq!(receipts(&world.control(anna)), [1, 2, 3, 4, 5]);
}

#[test]
fn frames_without_a_press_are_dropped_without_a_word() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.take(anna);
    world.take(bert);
    world.speak(anna, 9, 0);
    world.run(ms(100));
    assert_eq!(refusals(&world.control(anna)), []);
    assert_eq!(voice_in(&world.take(bert), 9), NO_VOICE);
}

#[test]
fn a_burst_is_open_before_its_talker_is_admitted() {
    use tenfour_core::hub::{Input, Output};
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.hub.handle(Input::Message { conn: anna, message: start("19", 1) }, world.now);
    let order: Vec<_> = std::iter::from_fn(|| world.hub.poll()).collect();
    assert!(matches!(order[0], Output::Open(_)), "{order:?}");
    assert!(matches!(order[1], Output::Admit { .. }), "{order:?}");
}
