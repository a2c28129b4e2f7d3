//! Who came and who left.

use tenfour_core::hub::HubConfig;
use tenfour_protocol::limits::{PRESENCE_TICK, SNAPSHOT_PARTICIPANTS};
use tenfour_protocol::{ClientMessage, ServerMessage};

use crate::world::{World, channel, ms};

/// Handles that came, number that left, count: of each presence message.
fn presence(messages: Vec<ServerMessage>) -> Vec<(Vec<String>, usize, u32)> {
    let presence = messages.into_iter().filter_map(|message| match message {
        ServerMessage::Presence { joined, left, count, .. } => {
            let joined = joined.iter().map(|participant| participant.person.handle.to_string()).collect();
            Some((joined, left.len(), count))
        }
        _ => None,
    });
    presence.collect()
}

#[test]
fn joins_are_collected_for_a_tick() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.run(PRESENCE_TICK);
    world.take(anna);
    world.tuned("Bert", "19");
    world.run(PRESENCE_TICK - ms(1));
    world.tuned("Cleo", "19");
    assert_eq!(presence(world.control(anna)), []);
    world.run(ms(1));
    assert_eq!(presence(world.control(anna)), [(vec!["Bert".into(), "Cleo".into()], 0, 3)]);
}

#[test]
fn nothing_is_told_while_nobody_comes_or_leaves() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.run(PRESENCE_TICK);
    world.take(anna);
    world.run(ms(60_000));
    assert_eq!(world.take(anna), []);
    assert_eq!(world.hub.poll_timeout(), None, "an idle hub is not woken");
}

#[test]
fn somebody_who_came_and_left_in_one_tick_is_told_as_left() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.run(PRESENCE_TICK);
    world.take(anna);
    let bert = world.tuned("Bert", "19");
    // Cleo's snapshot names Bert.
    let cleo = world.tuned("Cleo", "19");
    world.send(bert, ClientMessage::Untune { channel: channel("19") });
    world.run(PRESENCE_TICK);
    assert_eq!(presence(world.control(cleo)), [(vec!["Cleo".into()], 1, 2)]);
}

#[test]
fn others_do_not_see_a_drop_that_is_resumed_or_not_yet_over() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    world.run(PRESENCE_TICK);
    world.take(anna);
    world.drop_link(bert);
    let hold = HubConfig::default().hold;
    world.run(hold - ms(1));
    assert_eq!(world.take(anna), []);
    world.run(ms(1) + PRESENCE_TICK);
    assert_eq!(presence(world.control(anna)), [(vec![], 1, 1)]);
}

#[test]
fn a_large_channel_is_told_its_count_only() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    for n in 0..SNAPSHOT_PARTICIPANTS {
        world.tuned(&format!("P{n:03}"), "19");
    }
    world.run(PRESENCE_TICK);
    assert_eq!(presence(world.control(anna)), [(vec![], 0, 501)]);
}

#[test]
fn a_participant_on_another_channel_is_told_nothing() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "1");
    world.run(PRESENCE_TICK);
    world.take(anna);
    world.tuned("Bert", "2");
    world.run(PRESENCE_TICK);
    assert_eq!(world.take(anna), []);
}
