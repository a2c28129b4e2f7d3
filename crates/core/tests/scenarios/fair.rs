//! Fair at the door: one burst a user, listening before talking, courtesy, rest and the budget of speech.

use std::time::Duration;

use tenfour_core::ConnId;
use tenfour_core::hub::{HubConfig, Input, Output};
use tenfour_protocol::control::{EndReason, Resume};
use tenfour_protocol::limits::{BUSY, COURTESY, REST, SPEECH, SPEECH_WAITING};
use tenfour_protocol::{Code, Range, Refusal, ServerMessage};

use crate::world::{
    FAR, FRAME, Got, HERE, NEAR, World, aired, hello, located, ms, range, receipts, refusals, start, token,
};

const SECOND: Duration = Duration::from_secs(1);

/// Somebody on 19 who is somewhere and has these ranges.
fn at(world: &mut World, name: &str, place: (f64, f64), tx: Range, rx: Range) -> ConnId {
    let conn = located(world, name, place);
    world.tune(conn, "19");
    range(world, conn, tx, rx);
    conn
}

fn granted(world: &mut World, conn: ConnId, local: u32) -> bool {
    world.take(conn);
    world.press(conn, "19", local);
    let got = world.control(conn);
    got.iter().any(|message| matches!(message, ServerMessage::BurstGranted { .. }))
}

/// A hello that goes on with a session.
fn resumed(token: String) -> tenfour_protocol::ClientMessage {
    hello(Some(Resume { token, newest: None, have: Vec::new() }))
}

/// The refusal of a press.
fn refusal(world: &mut World, conn: ConnId, on: &str, local: u32) -> Option<Refusal> {
    world.take(conn);
    world.send(conn, start(on, local));
    world.control(conn).into_iter().find_map(|message| match message {
        ServerMessage::Receipt {
            outcome: tenfour_protocol::control::Outcome::Refused { refusal }, ..
        } => Some(refusal),
        _ => None,
    })
}

/// Talks for `time` at the pace of sound, from the first frame on.
fn talk(world: &mut World, conn: ConnId, local: u32, time: Duration) {
    world.speak_for(conn, local, 0..(time.as_millis() / FRAME.as_millis()) as u16);
}

#[test]
fn one_user_has_one_burst_on_a_channel_and_two_in_all() {
    let mut world = World::new();
    let devices: Vec<_> = (0..3).map(|_| world.tuned("Anna", "19")).collect();
    world.tune(devices[1], "20");
    world.tune(devices[2], "21");
    assert!(granted(&mut world, devices[0], 1));
    let twice = refusal(&mut world, devices[1], "19", 1).expect("a second burst on one channel");
    assert_eq!((twice.code, twice.retry_after_ms), (Code::AlreadyTalking, Some(1_000)));
    assert_eq!(refusal(&mut world, devices[1], "20", 2), None);
    let third = refusal(&mut world, devices[2], "21", 1).expect("a third in all");
    assert_eq!(third.code, Code::AlreadyTalking);
    world.release(devices[0], 1);
    assert_eq!(refusal(&mut world, devices[2], "21", 2), None);
}

#[test]
fn whoever_would_hear_three_others_listens_first() {
    let mut world = World::new();
    let talkers: Vec<_> = (0..BUSY).map(|n| world.tuned(&format!("T{n}"), "19")).collect();
    let anna = at(&mut world, "Anna", HERE, Range::Unlimited, Range::Unlimited);
    let bert = at(&mut world, "Bert", HERE, Range::Km10, Range::Km10);
    for &talker in &talkers {
        assert!(granted(&mut world, talker, 1));
    }
    let busy = refusal(&mut world, anna, "19", 1).expect("busy");
    assert_eq!(busy.code, Code::ChannelBusy);
    assert!(granted(&mut world, bert, 1), "who reaches and hears nobody of them disturbs nobody");
    world.release(bert, 1);
    // A receiver that is turned down frees nobody who reaches far, and neither does a mute.
    range(&mut world, anna, Range::Unlimited, Range::Km10);
    assert!(!granted(&mut world, anna, 2));
    world.release(talkers[0], 1);
    assert!(granted(&mut world, anna, 3));
}

#[test]
fn a_press_is_answered_by_what_its_talker_would_hear_whatever_others_hear() {
    let answer = |others: Range| {
        let mut world = World::new();
        let far: Vec<_> = (0..6).map(|n| at(&mut world, &format!("T{n}"), FAR, others, others)).collect();
        let near = at(&mut world, "Nora", NEAR, Range::Km10, Range::Km10);
        let anna = at(&mut world, "Anna", HERE, Range::Km25, Range::Km25);
        for conn in far.into_iter().chain([near]) {
            world.press(conn, "19", 1);
        }
        world.take(anna);
        world.press(anna, "19", 1);
        world.take(anna)
    };
    // 60 km away three talk, or none: nobody who talks there is heard here in either world.
    assert_eq!(answer(Range::Km10), answer(Range::Km50));
    assert!(matches!(answer(Range::Km10)[..], [Got::Control(ServerMessage::BurstGranted { .. })]));
}

#[test]
fn somebody_who_waits_shortens_a_burst_and_only_its_talker_is_told_why() {
    let mut world = World::new();
    let [anna, bert, cleo] = ["Anna", "Bert", "Cleo"].map(|name| world.tuned(name, "19"));
    world.press(anna, "19", 1);
    talk(&mut world, anna, 1, 4 * SECOND);
    world.take(anna);
    world.press(bert, "19", 1);
    let told =
        ServerMessage::OthersWait { burst: tenfour_protocol::BurstNo(1), others: 1, limit_in_ms: 8_000 };
    assert_eq!(world.control(anna).first(), Some(&told));
    assert!(!world.control(bert).iter().any(|message| matches!(message, ServerMessage::OthersWait { .. })));
    world.take(cleo);
    for seq in 200..600 {
        world.speak(anna, 1, seq);
        world.speak(bert, 1, seq - 200);
        world.run(FRAME);
    }
    assert_eq!(world.last(anna), aired(1, 600, EndReason::Courtesy));
    let ended = |got: Vec<ServerMessage>| {
        got.into_iter().find_map(|message| match message {
            ServerMessage::BurstEnded { reason, .. } => Some(reason),
            _ => None,
        })
    };
    assert_eq!(ended(world.control(cleo)), Some(EndReason::Released));
    let resting = refusal(&mut world, anna, "19", 2).expect("a rest");
    assert_eq!((resting.code, resting.retry_after_ms), (Code::Resting, Some(3_000)));
    assert_eq!(refusals(&world.control(bert)), [], "who began last goes on");
    world.run(REST);
    world.speak(bert, 1, 400);
    assert!(granted(&mut world, anna, 3));
}

#[test]
fn who_does_not_hear_the_one_who_waits_hears_a_release() {
    // In one world Bert, whom Cleo does not hear, makes Anna's burst end; in the other she lets go herself.
    let heard = |waits: bool| {
        let mut world = World::new();
        let anna = at(&mut world, "Anna", HERE, Range::Unlimited, Range::Unlimited);
        let bert = at(&mut world, "Bert", NEAR, Range::Km10, Range::Km10);
        let cleo = at(&mut world, "Cleo", FAR, Range::Unlimited, Range::Unlimited);
        world.take(cleo);
        world.press(anna, "19", 1);
        if waits {
            world.press(bert, "19", 1);
        }
        let frames = (COURTESY.as_millis() / FRAME.as_millis()) as u16;
        for seq in 0..frames {
            world.speak(anna, 1, seq);
            if waits {
                world.speak(bert, 1, seq);
            }
            world.run(FRAME);
        }
        if !waits {
            world.release(anna, 1);
        }
        world.run(ms(500));
        world.take(cleo)
    };
    let (waited, released) = (heard(true), heard(false));
    assert!(matches!(waited.last(), Some(Got::Control(ServerMessage::BurstEnded { .. }))));
    assert_eq!(waited, released);
}

#[test]
fn turning_the_range_down_in_a_burst_frees_nobody_from_courtesy() {
    let mut world = World::new();
    let anna = at(&mut world, "Anna", HERE, Range::Unlimited, Range::Unlimited);
    let bert = at(&mut world, "Bert", FAR, Range::Unlimited, Range::Unlimited);
    world.press(anna, "19", 1);
    range(&mut world, anna, Range::Km10, Range::Km10);
    world.press(bert, "19", 1);
    let told = world.control(anna);
    assert!(told.iter().any(|message| matches!(message, ServerMessage::OthersWait { .. })), "{told:?}");
}

#[test]
fn letting_go_while_others_wait_and_pressing_again_gains_no_time() {
    let mut world = World::new();
    let [anna, bert] = ["Anna", "Bert"].map(|name| world.tuned(name, "19"));
    world.press(anna, "19", 1);
    world.press(bert, "19", 1);
    talk(&mut world, anna, 1, 7 * SECOND);
    world.take(anna);
    world.release(anna, 1);
    world.press(anna, "19", 2);
    let left = world.control(anna).into_iter().find_map(|message| match message {
        ServerMessage::BurstGranted { talk_limit_ms, .. } => Some(talk_limit_ms),
        _ => None,
    });
    assert_eq!(left, Some(1_000));
    talk(&mut world, anna, 2, SECOND);
    assert_eq!(world.last(anna), aired(2, 50, EndReason::Courtesy));
    assert_eq!(refusal(&mut world, anna, "19", 3).map(|refusal| refusal.code), Some(Code::Resting));
    // What was left of the time runs out in the pause, too.
    world.run(ms(4_000));
    world.press(bert, "19", 2);
    assert!(granted(&mut world, anna, 4));
    world.release(anna, 4);
    world.run(REST);
    assert!(granted(&mut world, anna, 5));
}

#[test]
fn who_comes_back_in_a_burst_presses_at_once() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let token = token(&mut world, anna);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    // The old connection is dead, and nobody has noticed: its worker has not answered when the press comes.
    let back = world.connect("Anna");
    for message in [resumed(token), start("19", 1)] {
        world.hub.handle(Input::Message { conn: back, message }, world.now);
    }
    let granted = std::iter::from_fn(|| world.hub.poll())
        .any(|output| matches!(output, Output::Admit { conn, .. } if conn == back));
    assert!(granted);
}

#[test]
fn the_talk_limit_stands_when_it_comes_first() {
    let mut world = World::with(HubConfig { talk_limit: ms(5_000), ..HubConfig::default() });
    let [anna, bert] = ["Anna", "Bert"].map(|name| world.tuned(name, "19"));
    world.press(anna, "19", 1);
    world.press(bert, "19", 1);
    talk(&mut world, anna, 1, 5 * SECOND);
    assert_eq!(world.last(anna), aired(1, 250, EndReason::TalkLimit));
    assert_eq!(refusal(&mut world, anna, "19", 2).map(|refusal| refusal.code), Some(Code::Resting));
}

#[test]
fn whoever_talked_for_five_minutes_lets_others_talk() {
    let mut world = World::new();
    let [anna, bert] = ["Anna", "Bert"].map(|name| world.tuned(name, "19"));
    let mut local = 0;
    let mut spent = Duration::ZERO;
    while spent < SPEECH {
        local += 1;
        assert!(granted(&mut world, anna, local), "{spent:?}");
        talk(&mut world, anna, local, 50 * SECOND);
        world.release(anna, local);
        spent += 50 * SECOND;
    }
    local += 1;
    assert!(granted(&mut world, anna, local), "nobody waits");
    world.release(anna, local);
    assert!(granted(&mut world, bert, 1));
    world.release(bert, 1);
    let refused = refusal(&mut world, anna, "19", local + 1).expect("others wait");
    assert_eq!((refused.code, refused.retry_after_ms), (Code::SpeechSpent, Some(60_000)));
    // Another connection of the same user has no budget of its own.
    let again = world.tuned("Anna", "19");
    assert_eq!(refusal(&mut world, again, "19", 1).map(|refusal| refusal.code), Some(Code::SpeechSpent));
    world.run(SPEECH_WAITING);
    assert!(granted(&mut world, anna, local + 2));
    assert_eq!(receipts(&world.control(anna)), [local + 1; 0]);
}
