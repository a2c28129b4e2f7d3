//! A receipt is the truth: how much was relayed, how much was not, and why.

use tenfour_core::hub::Input;
use tenfour_protocol::control::{EndReason, Outcome};
use tenfour_protocol::{BurstNo, Code, Refusal, ServerMessage, VoiceFrame};

use crate::world::{FRAME, NO_RECEIPT, World, aired, hello, login_of, ms, receipts, refusals, start};

/// SILK narrowband, one frame of 40 ms.
const OPUS_40_MS: [u8; 2] = [2 << 3, 0];

/// A frame of a burst of 20 ms frames that holds 40.
fn too_long(burst: u32, seq: u16) -> Vec<u8> {
    let media_time = u32::from(seq) * 960;
    VoiceFrame { burst: BurstNo(burst), seq, media_time, last: false, payload: &OPUS_40_MS }.to_bytes()
}

fn errors(messages: Vec<ServerMessage>) -> Vec<Refusal> {
    let errors = messages.into_iter().filter_map(|message| match message {
        ServerMessage::Error { refusal } => Some(refusal),
        _ => None,
    });
    errors.collect()
}

fn refusal(message: ServerMessage) -> Refusal {
    match message {
        ServerMessage::Receipt { outcome: Outcome::Refused { refusal }, .. } => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_press_of_which_everything_was_dropped_is_refused_with_the_reason() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    (0..5).for_each(|seq| world.binary(anna, &too_long(1, seq)));
    world.release(anna, 1);
    let refusal = refusal(world.last(anna));
    assert_eq!(refusal.code, Code::MalformedFrame);
    assert_eq!(
        refusal.message,
        "A frame was dropped: it holds 40 ms of sound, and burst.start said frame_ms 20."
    );
}

#[test]
fn garbage_counts_for_the_burst_that_is_open() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.binary(anna, &[0xff; 300]);
    world.binary(anna, b"");
    world.release(anna, 1);
    assert_eq!(refusal(world.last(anna)).code, Code::MalformedFrame);
}

#[test]
fn a_press_without_voice_is_refused_with_that() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    // It belongs to no burst of hers.
    world.speak(anna, 2, 0);
    world.release(anna, 1);
    assert_eq!(refusal(world.last(anna)).code, Code::NoVoice);
}

#[test]
fn a_receipt_says_how_many_frames_were_dropped_and_why_the_first_was() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.binary(anna, &too_long(1, 1));
    world.speak(anna, 1, 0);
    world.speak(anna, 1, 2);
    world.release(anna, 1);
    let ServerMessage::Receipt { outcome: Outcome::Aired { frames, ended, dropped }, .. } = world.last(anna)
    else {
        panic!("a receipt")
    };
    let dropped = dropped.expect("some were dropped");
    assert_eq!((frames, ended, dropped.frames), (2, EndReason::Released, 2));
    assert!(dropped.refusal.message.contains("40 ms"), "{}", dropped.refusal);
}

#[test]
fn a_hole_in_the_numbers_is_a_loss_and_the_rest_is_relayed() {
    let mut world = World::new();
    let (anna, bert) = (world.tuned("Anna", "19"), world.tuned("Bert", "19"));
    world.press(anna, "19", 1);
    [3, 4, 9].into_iter().for_each(|seq| world.speak(anna, 1, seq));
    world.release(anna, 1);
    assert_eq!(world.last(anna), aired(1, 3, EndReason::Released));
    assert_eq!(world.voice(bert, 1), [3, 4, 9]);
}

#[test]
fn each_reason_is_told_for_each_burst_and_names_it() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.take(anna);
    let mut told = Vec::new();
    // Two presses within a second: the second is told though the first was.
    for burst in [1, 2] {
        world.press(anna, "19", burst);
        world.speak(anna, burst, 5);
        for _ in 0..3 {
            world.binary(anna, &too_long(burst, 6));
            world.speak(anna, burst, 5);
        }
        world.release(anna, burst);
        told.extend(errors(world.control(anna)));
        world.run(ms(100));
    }
    let said: Vec<_> = told.iter().map(|refusal| (refusal.burst, &refusal.message[21..30])).collect();
    let (one, two) = (Some(BurstNo(1)), Some(BurstNo(2)));
    assert_eq!(said, [(one, "it holds "), (one, "its seque"), (two, "it holds "), (two, "its seque")]);
}

#[test]
fn a_press_that_cannot_be_read_has_a_receipt_if_its_number_can() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.take(anna);
    let wrong = || Refusal::because(Code::MalformedMessage, "`frame_ms` has to be 20, 40 or 60.");
    let unread = |press| Input::Malformed { conn: anna, refusal: wrong(), press };
    world.tell(unread(Some(BurstNo(7))));
    let got = world.control(anna);
    assert_eq!((receipts(&got), refusals(&got)), (vec![7], vec![Code::MalformedMessage]));
    world.tell(unread(None));
    let got = world.control(anna);
    assert_eq!((receipts(&got), refusals(&got)), (NO_RECEIPT.to_vec(), vec![Code::MalformedMessage]));
    world.press(anna, "19", 7);
    assert_eq!(refusals(&world.control(anna)), [Code::BurstNumberUsed]);
}

#[test]
fn a_press_that_cannot_be_read_does_not_end_the_burst_of_its_number() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 7);
    world.speak(anna, 7, 0);
    let refusal = Code::MalformedMessage.into();
    world.tell(Input::Malformed { conn: anna, refusal, press: Some(BurstNo(7)) });
    world.speak(anna, 7, 1);
    world.release(anna, 7);
    assert_eq!(world.last(anna), aired(7, 2, EndReason::Released));
}

/// The same as [`aired`], after a resume.
fn late(frames: u32) -> ServerMessage {
    let outcome = Outcome::Aired { frames, ended: EndReason::TalkerLost, dropped: None };
    ServerMessage::Receipt { burst: BurstNo(3), late: true, outcome }
}

fn late_in(messages: &[ServerMessage]) -> Vec<ServerMessage> {
    let is_late = |message: &&ServerMessage| matches!(message, ServerMessage::Receipt { late: true, .. });
    messages.iter().filter(is_late).cloned().collect()
}

/// Somebody on the air, with 12 frames of burst 3, and the token of the session.
fn talking(world: &mut World) -> (tenfour_core::ConnId, String) {
    let anna = world.greet("Anna");
    let resume = token(&world.control(anna));
    world.tune(anna, "19");
    world.press(anna, "19", 3);
    world.speak_for(anna, 3, 0..12);
    (anna, resume)
}

/// The token in a welcome.
fn token(messages: &[ServerMessage]) -> String {
    let token = messages.iter().find_map(|message| match message {
        ServerMessage::Welcome { resume, .. } => Some(resume.clone()),
        _ => None,
    });
    token.expect("a welcome")
}

fn come_back(world: &mut World, token: &str) -> Vec<ServerMessage> {
    let again = world.connect("Anna");
    let resume = tenfour_protocol::control::Resume { token: token.to_owned(), newest: None, have: vec![] };
    world.send(again, hello(Some(resume)));
    let mut got = world.control(again);
    world.drop_link(again);
    got.retain(|message| !matches!(message, ServerMessage::Presence { .. }));
    got
}

#[test]
fn who_comes_back_is_told_how_much_of_the_cut_burst_was_aired() {
    let mut world = World::new();
    let (anna, resume) = talking(&mut world);
    world.drop_link(anna);
    world.run(ms(500));
    let got = come_back(&mut world, &resume);
    assert_eq!(late_in(&got), [late(12)]);
    let at = |is: fn(&ServerMessage) -> bool| got.iter().position(is).expect("it came");
    let receipt = at(|message| matches!(message, ServerMessage::Receipt { .. }));
    let tuned = at(|message| matches!(message, ServerMessage::Tuned { .. }));
    assert!(0 < receipt && receipt < tuned, "after the welcome, before the channels: {got:?}");
    // The answer may have been lost: then it comes again, and no more once it is known to have come.
    let again = come_back(&mut world, &resume);
    assert_eq!(late_in(&again), [late(12)]);
    assert_eq!(late_in(&come_back(&mut world, &token(&again))), []);
}

#[test]
fn who_comes_back_before_the_drop_was_noticed_is_told_too() {
    let mut world = World::new();
    let (_, resume) = talking(&mut world);
    assert_eq!(late_in(&come_back(&mut world, &resume)), [late(12)]);
}

#[test]
fn who_begins_anew_is_told_of_no_burst_of_before() {
    let mut world = World::new();
    let (anna, _) = talking(&mut world);
    world.drop_link(anna);
    assert_eq!(late_in(&come_back(&mut world, "no token")), []);
}

#[test]
fn a_log_in_that_was_displaced_is_closed_with_a_code_of_its_own() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.send(anna, start("19", 1));
    world.run(FRAME);
    world.tell(Input::Displaced { login: login_of("Anna") });
    assert_eq!(world.closed.get(&anna), Some(&Code::Displaced));
    assert_eq!(Code::Displaced.close_code(), 4004);
}
