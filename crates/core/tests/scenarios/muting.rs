//! Not hearing somebody.

use tenfour_core::ConnId;
use tenfour_protocol::limits::MUTES_PER_SESSION;
use tenfour_protocol::{ClientMessage, Code, ParticipantNo, ServerMessage};

use crate::world::{NO_VOICE, World, hello, ms, refusals};

fn mute(world: &mut World, conn: ConnId, participant: u32, muted: bool) {
    world.send(conn, ClientMessage::Mute { participant: ParticipantNo(participant), muted });
}

#[test]
fn a_muted_talker_is_not_heard() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    let cleo = world.tuned("Cleo", "19");
    mute(&mut world, bert, 1, true);
    world.run(ms(200));
    world.take(bert);
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    assert_eq!(world.take(bert), []);
    assert_eq!(world.voice(cleo, 1), [0]);
}

#[test]
fn muting_works_in_the_middle_of_a_burst_and_back() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    mute(&mut world, bert, 1, true);
    world.speak(anna, 1, 1);
    mute(&mut world, bert, 1, false);
    world.speak(anna, 1, 2);
    assert_eq!(world.voice(bert, 1), [0, 2]);
}

#[test]
fn whoever_tunes_in_late_does_not_hear_a_muted_talker() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.greet("Bert");
    mute(&mut world, bert, 1, true);
    world.press(anna, "19", 1);
    world.tune(bert, "19");
    world.speak(anna, 1, 0);
    assert_eq!(world.voice(bert, 1), NO_VOICE);
}

#[test]
fn nobody_and_oneself_cannot_be_muted() {
    let mut world = World::new();
    let anna = world.greet("Anna");
    mute(&mut world, anna, 99, true);
    mute(&mut world, anna, 1, true);
    assert_eq!(refusals(&world.control(anna)), [Code::UnknownParticipant, Code::UnknownParticipant]);
}

#[test]
fn mutes_are_limited_and_end_with_the_muted_session() {
    let mut world = World::new();
    let anna = world.greet("Anna");
    let others: Vec<_> = (0..=MUTES_PER_SESSION).map(|n| world.greet(&format!("P{n}"))).collect();
    for participant in 2..2 + MUTES_PER_SESSION as u32 {
        world.run(ms(200));
        mute(&mut world, anna, participant, true);
    }
    assert_eq!(refusals(&world.control(anna)), []);
    mute(&mut world, anna, 2 + MUTES_PER_SESSION as u32, true);
    assert_eq!(refusals(&world.control(anna)), [Code::TooManyMuted]);
    world.drop_link(others[0]);
    world.run(ms(10_000));
    assert_eq!(world.hub.figures().mutes, MUTES_PER_SESSION - 1);
    mute(&mut world, anna, 2 + MUTES_PER_SESSION as u32, true);
    assert_eq!(world.control(anna), Vec::<ServerMessage>::new());
}

/// A socket that asked to hear others of its user.
fn hears_itself(world: &mut World, name: &str) -> ConnId {
    let conn = world.connect(name);
    let mut hello = hello(None);
    if let ClientMessage::Hello { hear_self, .. } = &mut hello {
        *hear_self = true;
    }
    world.send(conn, hello);
    world.tune(conn, "19");
    conn
}

#[test]
fn sockets_of_one_user_do_not_hear_each_other_unless_they_asked() {
    let mut world = World::new();
    let desk = world.tuned("Anna", "19");
    let gateway = hears_itself(&mut world, "Anna");
    let phone = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    // Those that were there before it, and those that came after it.
    for (talker, deaf) in [(phone, desk), (desk, phone)] {
        world.press(talker, "19", 1);
        world.speak(talker, 1, 0);
        world.release(talker, 1);
        let burst = if talker == phone { 1 } else { 2 };
        assert_eq!(world.voice(deaf, burst), NO_VOICE);
        assert_eq!((world.voice(gateway, burst), world.voice(bert, burst)), (vec![0], vec![0]));
        world.run(ms(500));
    }
}

#[test]
fn whoever_wants_to_hear_one_of_its_own_sockets_says_so() {
    let mut world = World::new();
    let desk = world.tuned("Anna", "19");
    let phone = world.tuned("Anna", "19");
    mute(&mut world, desk, 2, false);
    world.press(phone, "19", 1);
    world.speak(phone, 1, 0);
    assert_eq!(world.voice(desk, 1), [0]);
}
