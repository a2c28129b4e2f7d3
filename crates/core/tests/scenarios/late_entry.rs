//! Who tunes in late, and who takes what comes too late.

use tenfour_core::hub::HubConfig;
use tenfour_protocol::control::EndReason;
use tenfour_protocol::limits::HOLD;
use tenfour_protocol::{BurstNo, ClientMessage, ServerMessage};

use crate::world::{FRAME, Got, NO_VOICE, World, channel, ms, voice_in};

fn gaps(got: &[Got]) -> Vec<(u16, u16)> {
    let gaps = got.iter().filter_map(|got| match got {
        Got::Control(ServerMessage::BurstGap { from, to, .. }) => Some((*from, *to)),
        _ => None,
    });
    gaps.collect()
}

#[test]
fn late_entry_begins_at_the_live_edge() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    let bert = world.tuned("Bert", "19");
    world.speak_for(anna, 1, 10..13);
    let got = world.take(bert);
    assert!(got.iter().any(|got| matches!(got, Got::Control(ServerMessage::BurstStarted { .. }))));
    assert_eq!((voice_in(&got, 1), gaps(&got)), (vec![10, 11, 12], vec![]));
}

#[test]
fn catch_up_begins_at_the_oldest_held_frame() {
    let mut world = World::with(HubConfig { hold: ms(2000), ..HubConfig::default() });
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..150);
    let bert = world.greet("Bert");
    world.send(bert, ClientMessage::Tune { channel: channel("19"), catch_up: true });
    let got = world.take(bert);
    // 3 s were spoken and 2 s are held: the first frame that is not wiped is number 51.
    assert_eq!(voice_in(&got, 1), (51..150).collect::<Vec<_>>());
    assert_eq!(gaps(&got), [], "what came before is no loss");
}

#[test]
fn a_burst_that_is_over_is_not_entered() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.release(anna, 1);
    let bert = world.greet("Bert");
    world.send(bert, ClientMessage::Tune { channel: channel("19"), catch_up: true });
    assert_eq!(voice_in(&world.take(bert), 1), NO_VOICE);
}

#[test]
fn who_leaves_the_channel_hears_no_more_of_a_burst() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.send(bert, ClientMessage::Untune { channel: channel("19") });
    world.take(bert);
    world.speak(anna, 1, 1);
    world.release(anna, 1);
    assert_eq!(world.take(bert), []);
}

#[test]
fn a_stalled_listener_gets_a_gap_and_costs_nothing() {
    let mut world = World::with(HubConfig { hold: ms(2000), ..HubConfig::default() });
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.take(bert);
    world.press(anna, "19", 1);
    world.speak_for(anna, 1, 0..10);
    world.stall(bert, true);
    world.speak_for(anna, 1, 10..310);
    let held = world.decks[0].figures();
    assert!(held.frames <= 100, "{} frames are held", held.frames);
    world.stall(bert, false);
    let got = world.take(bert);
    assert_eq!(gaps(&got), [(10, 211)]);
    let heard: Vec<u16> = (0..10).chain(211..310).collect();
    assert_eq!(voice_in(&got, 1), heard);
}

#[test]
fn a_listener_that_was_stalled_past_the_end_learns_how_it_ended() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.take(bert);
    world.stall(bert, true);
    world.speak_for(anna, 1, 0..5);
    world.release(anna, 1);
    world.run(HOLD * 3);
    world.stall(bert, false);
    let gap = ServerMessage::BurstGap { burst: BurstNo(1), from: 0, to: 5 };
    let ended = ServerMessage::BurstEnded { burst: BurstNo(1), frames: 5, reason: EndReason::Released };
    let got = world.take(bert);
    assert_eq!(got[got.len() - 2..], [Got::Control(gap), Got::Control(ended)]);
    assert_eq!(world.decks[0].figures().bursts + world.decks[1].figures().bursts, 0);
}

#[test]
fn frames_are_wiped_at_hold() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.press(anna, "19", 1);
    world.speak(anna, 1, 0);
    world.run(FRAME);
    world.speak(anna, 1, 1);
    world.release(anna, 1);
    let frames = |world: &World| world.decks.iter().map(|deck| deck.figures().frames).collect::<Vec<_>>();
    world.run(HOLD - FRAME - ms(1));
    assert_eq!(frames(&world), [2, 2]);
    world.run(ms(1));
    assert_eq!(frames(&world), [1, 1]);
    world.run(FRAME);
    assert_eq!(frames(&world), [0, 0]);
}

#[test]
fn nothing_is_heard_later_than_hold() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.press(anna, "19", 1);
    world.stall(bert, true);
    let sent = world.now;
    world.speak(anna, 1, 0);
    world.run(HOLD);
    world.stall(bert, false);
    assert_eq!(world.now, sent + HOLD);
    assert_eq!(world.voice(bert, 1), NO_VOICE);
}
