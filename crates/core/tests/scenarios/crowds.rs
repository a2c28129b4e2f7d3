//! Large channels: frames in bundles, by the number of those who are tuned.

use tenfour_core::hub::HubConfig;
use tenfour_protocol::ServerMessage;
use tenfour_protocol::limits::BUNDLES;

use crate::world::{Got, World};

/// What `burst.started` says of bundles in a channel of so many.
fn bundle_of(participants: usize) -> Option<u8> {
    let mut world = World::with(HubConfig::default());
    let talker = world.tuned("Anna", "19");
    let listener = world.tuned("Bert", "19");
    for number in 2..participants {
        world.tuned(&format!("Extra {number}"), "19");
    }
    world.take(listener);
    world.press(talker, "19", 1);
    let started = world.take(listener).into_iter().find_map(|got| match got {
        Got::Control(ServerMessage::BurstStarted { bundle, .. }) => Some(bundle),
        _ => None,
    });
    started.expect("it is announced")
}

#[test]
fn a_large_channel_is_told_how_many_frames_come_together() {
    let [(twos, two), (threes, three)] = BUNDLES;
    assert_eq!((bundle_of(2), bundle_of(twos - 1)), (None, None));
    assert_eq!((bundle_of(twos), bundle_of(threes - 1)), (Some(two), Some(two)));
    assert_eq!(bundle_of(threes), Some(three));
}
