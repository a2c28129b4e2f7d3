//! A link drops, and the session goes on.

use tenfour_core::ConnId;
use tenfour_core::hub::Input;
use tenfour_protocol::control::{EndReason, Heard, Resume};
use tenfour_protocol::limits::HOLD;
use tenfour_protocol::{BurstNo, ClientMessage, Code, ParticipantNo, ServerMessage};

use crate::world::{FRAME, Got, NO_VOICE, World, aired, channel, hello, ms, refusals, voice_in};

/// The token of the last welcome.
fn token(world: &mut World, conn: ConnId) -> String {
    let welcome = world.control(conn).into_iter().rev().find_map(|message| match message {
        ServerMessage::Welcome { resume, .. } => Some(resume),
        _ => None,
    });
    welcome.expect("a welcome")
}

fn resume(world: &mut World, name: &str, token: &str, newest: Option<u32>, have: &[(u32, u16)]) -> ConnId {
    let conn = world.connect(name);
    let have = have.iter().map(|&(burst, next)| Heard { burst: BurstNo(burst), next }).collect();
    world.send(conn, hello(Some(Resume { token: token.into(), newest: newest.map(BurstNo), have })));
    conn
}

fn resumed(got: &[Got]) -> Option<bool> {
    match got.first() {
        Some(Got::Control(ServerMessage::Welcome { resumed, .. })) => Some(*resumed),
        _ => None,
    }
}

#[test]
fn resume_keeps_number_channels_and_mutes() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.send(bert, ClientMessage::Mute { participant: ParticipantNo(1), muted: true });
    let token = token(&mut world, bert);
    world.drop_link(bert);
    let bert = resume(&mut world, "Bert", &token, None, &[]);
    let got = world.take(bert);
    let Got::Control(ServerMessage::Welcome { you, resumed, tuned, .. }) = &got[0] else { panic!("{got:?}") };
    assert_eq!((you.id, *resumed, tuned), (ParticipantNo(2), true, &vec![channel("19")]));
    assert!(matches!(&got[1], Got::Control(ServerMessage::Tuned { .. })), "the channel as it is now");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    assert_eq!(world.voice(bert, 1), NO_VOICE, "still muted");
}

#[test]
fn resume_brings_nothing_of_somebody_muted_who_has_left_meanwhile() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.send(bert, ClientMessage::Mute { participant: ParticipantNo(1), muted: true });
    let token = token(&mut world, bert);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.drop_link(bert);
    world.speak(anna, 1, 1);
    world.tell(Input::Left { conn: anna });
    world.drop_link(anna);
    let bert = resume(&mut world, "Bert", &token, None, &[]);
    assert_eq!(world.voice(bert, 1), NO_VOICE);
}

#[test]
fn resume_sends_only_what_is_missing() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, bert);
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    assert_eq!(world.voice(bert, 1).len(), 10);
    world.drop_link(bert);
    world.speak_for(anna, 1, 10..20);
    let bert = resume(&mut world, "Bert", &token, Some(1), &[(1, 10)]);
    world.speak_for(anna, 1, 20..25);
    assert_eq!(world.voice(bert, 1), (10..25).collect::<Vec<_>>());
}

#[test]
fn a_burst_that_the_client_has_whole_is_not_sent_again() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, bert);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.release(anna, 1);
    world.drop_link(bert);
    let bert = resume(&mut world, "Bert", &token, Some(1), &[]);
    assert_eq!(voice_in(&world.take(bert), 1), NO_VOICE);
}

#[test]
fn a_burst_that_began_and_ended_during_the_drop_is_sent() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, bert);
    world.drop_link(bert);
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    world.release(anna, 1);
    world.run(ms(1000));
    let bert = resume(&mut world, "Bert", &token, None, &[]);
    let got = world.take(bert);
    assert_eq!(voice_in(&got, 1), (0..10).collect::<Vec<_>>());
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 10, reason: EndReason::Released };
    assert_eq!(got.last(), Some(&Got::Control(ended)));
}

#[test]
fn a_burst_from_before_the_affiliation_is_not_sent_by_a_resume() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.release(anna, 1);
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, bert);
    world.drop_link(bert);
    let bert = resume(&mut world, "Bert", &token, None, &[]);
    assert_eq!(voice_in(&world.take(bert), 1), NO_VOICE);
}

#[test]
fn a_talkers_own_burst_is_not_sent_by_a_resume() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let token = token(&mut world, anna);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.drop_link(anna);
    let anna = resume(&mut world, "Anna", &token, None, &[]);
    assert_eq!(voice_in(&world.take(anna), 1), NO_VOICE);
}

#[test]
fn what_was_wiped_during_the_drop_is_told_as_a_gap() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, bert);
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..5);
    world.run(ms(500));
    world.speak(anna, 1, 5);
    world.release(anna, 1);
    world.drop_link(bert);
    world.run(HOLD - FRAME);
    let bert = resume(&mut world, "Bert", &token, Some(1), &[(1, 2)]);
    let got = world.take(bert);
    let gap = ServerMessage::BurstGap { burst: BurstNo(1), from: 2, to: 5 };
    assert!(got.contains(&Got::Control(gap)), "{got:?}");
    assert_eq!(voice_in(&got, 1), [5]);
}

#[test]
fn after_hold_a_token_is_worth_nothing() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let token = token(&mut world, anna);
    world.drop_link(anna);
    world.run(HOLD);
    let anna = resume(&mut world, "Anna", &token, None, &[]);
    assert_eq!(resumed(&world.take(anna)), Some(false));
}

#[test]
fn a_token_is_good_until_the_one_that_answered_it_is_used() {
    let mut world = World::new();
    let mut anna = world.tuned("Anna", "19");
    let first = token(&mut world, anna);
    let mut again = |world: &mut World, token: &str| {
        world.drop_link(anna);
        anna = resume(world, "Anna", token, None, &[]);
        let got = world.take(anna);
        let Some(Got::Control(ServerMessage::Welcome { resume, resumed, .. })) = got.first() else {
            panic!()
        };
        (*resumed, resume.clone())
    };
    let (resumed, lost) = again(&mut world, &first);
    assert!(resumed);
    // The answer did not arrive: the client comes with the old token.
    let (resumed, second) = again(&mut world, &first);
    assert!(resumed);
    assert!(again(&mut world, &second).0);
    for spent in [first, lost] {
        assert!(!again(&mut world, &spent).0);
    }
}

#[test]
fn a_token_of_somebody_else_is_worth_nothing() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let token = token(&mut world, anna);
    world.drop_link(anna);
    let thief = resume(&mut world, "Mallory", &token, None, &[]);
    assert_eq!(resumed(&world.take(thief)), Some(false));
    let anna = resume(&mut world, "Anna", &token, None, &[]);
    assert_eq!(resumed(&world.take(anna)), Some(true), "and it is not spent");
}

#[test]
fn what_is_no_token_is_no_error() {
    let mut world = World::new();
    for text in ["", "!", "AAAA"] {
        let anna = resume(&mut world, "Anna", text, None, &[]);
        let got = world.take(anna);
        assert_eq!(resumed(&got), Some(false));
    }
}

#[test]
fn a_connection_that_still_stands_gives_way_to_the_resume() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let token = token(&mut world, anna);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    let again = resume(&mut world, "Anna", &token, None, &[]);
    assert_eq!(world.closed.get(&anna), Some(&Code::Stalled));
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 1, reason: EndReason::TalkerLost };
    assert!(world.control(bert).contains(&ended));
    world.take(again);
    // The new connection counts its bursts from anew, and is no second participant.
    world.press(again, "19", 1);
    world.speak(again, 1, 0);
    world.release(again, 1);
    assert_eq!(world.last(again), aired(1, 1, EndReason::Released));
    assert_eq!(world.hub.figures().sessions, 2);
}

#[test]
fn bursts_are_joined_in_their_order_after_a_resume() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "2");
    let bert = world.tuned("Bert", "1");
    let cleo = world.tuned("Cleo", "1");
    world.tune(cleo, "2");
    let token = token(&mut world, cleo);
    world.drop_link(cleo);
    world.press(anna, "2", 1);
    world.speak(anna, 1, 0);
    world.press(bert, "1", 1);
    world.speak(bert, 1, 0);
    let cleo = resume(&mut world, "Cleo", &token, None, &[]);
    let started = world.control(cleo).into_iter().filter_map(|message| match message {
        ServerMessage::BurstStarted { burst, .. } => Some(burst.0),
        _ => None,
    });
    assert_eq!(started.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(refusals(&world.control(cleo)), []);
}
