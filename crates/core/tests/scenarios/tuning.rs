//! Channels, affiliation, limits of both.

use tenfour_core::hub::HubConfig;
use tenfour_protocol::limits::{CHANNELS_PER_SESSION, SNAPSHOT_PARTICIPANTS};
use tenfour_protocol::{ClientMessage, Code, ServerMessage};

use crate::world::{World, channel, ms, refusals};

fn names(message: &ServerMessage) -> Vec<String> {
    match message {
        ServerMessage::Tuned { participants, .. } | ServerMessage::Participants { participants, .. } => {
            participants.iter().map(|participant| participant.person.handle.to_string()).collect()
        }
        other => panic!("no participants in {other:?}"),
    }
}

#[test]
fn forty_numbered_channels_are_there_from_the_start() {
    let world = World::new();
    let channels = world.hub.channels();
    assert_eq!(channels.len(), 40);
    assert_eq!(channels[8].label.as_deref(), Some("Emergency"));
    assert_eq!(channels[18].label.as_deref(), Some("Calling"));
    assert!(channels.iter().all(|info| info.count == 0));
}

#[test]
fn a_named_channel_lives_while_it_has_a_participant() {
    let mut world = World::new();
    let conn = world.tuned("Anna", "road-66");
    let named = world.hub.channels().pop().unwrap();
    assert_eq!((named.channel, named.count), (channel("road-66"), 1));
    world.send(conn, ClientMessage::Untune { channel: channel("road-66") });
    assert_eq!(world.hub.channels().len(), 40);
}

#[test]
fn a_suspended_session_keeps_its_channel() {
    let mut world = World::new();
    let conn = world.tuned("Anna", "road-66");
    world.drop_link(conn);
    assert_eq!(world.hub.channels().len(), 41);
    world.run(HubConfig::default().hold);
    assert_eq!(world.hub.channels().len(), 40);
}

#[test]
fn tuned_names_everybody_by_handle() {
    let mut world = World::new();
    world.tuned("Cleo", "19");
    world.tuned("Anna", "19");
    let conn = world.tuned("Bert", "19");
    let tuned = world.last(conn);
    assert_eq!(names(&tuned), ["Anna", "Bert", "Cleo"]);
    let ServerMessage::Tuned { info, pages, .. } = tuned else { panic!() };
    assert_eq!((info.label.as_deref(), info.count, pages), (Some("Calling"), 3, 1));
}

#[test]
fn tuning_twice_is_answered_and_changes_nothing() {
    let mut world = World::new();
    let conn = world.tuned("Anna", "19");
    let before = world.hub.figures();
    world.take(conn);
    world.tune(conn, "19");
    assert!(matches!(world.last(conn), ServerMessage::Tuned { .. }));
    assert_eq!(world.hub.figures(), before);
}

#[test]
fn a_session_is_tuned_to_eight_channels_at_most() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    for number in 1..=CHANNELS_PER_SESSION {
        world.tune(conn, &number.to_string());
    }
    assert_eq!(refusals(&world.control(conn)), []);
    world.tune(conn, "40");
    assert_eq!(refusals(&world.control(conn)), [Code::TooManyChannels]);
}

#[test]
fn a_full_channel_refuses_and_takes_again_when_somebody_leaves() {
    let mut world = World::with(HubConfig { channel_participants: 1, ..HubConfig::default() });
    let first = world.tuned("Anna", "19");
    let second = world.tuned("Bert", "19");
    assert_eq!(refusals(&world.control(second)), [Code::ChannelFull]);
    world.send(first, ClientMessage::Untune { channel: channel("19") });
    world.tune(second, "19");
    assert!(matches!(world.last(second), ServerMessage::Tuned { .. }));
}

#[test]
fn leaving_a_channel_one_is_not_on_is_refused() {
    let mut world = World::new();
    let conn = world.greet("Anna");
    world.send(conn, ClientMessage::Untune { channel: channel("19") });
    world.send(conn, ClientMessage::Participants { channel: channel("19"), page: 0 });
    assert_eq!(refusals(&world.control(conn)), [Code::NotTuned, Code::NotTuned]);
}

#[test]
fn a_large_channel_is_told_in_pages() {
    let mut world = World::new();
    for n in 0..SNAPSHOT_PARTICIPANTS {
        world.tuned(&format!("P{n:03}"), "19");
    }
    let conn = world.tuned("Zed", "19");
    let tuned = world.last(conn);
    assert_eq!(names(&tuned).len(), 100);
    let ServerMessage::Tuned { info, pages, .. } = tuned else { panic!() };
    assert_eq!((info.count, pages), (501, 6));
    world.run(ms(1000));
    world.take(conn);
    for (page, first, length) in [(0, "P000", 100), (4, "P400", 100), (5, "Zed", 1)] {
        world.send(conn, ClientMessage::Participants { channel: channel("19"), page });
        let got = names(&world.last(conn));
        assert_eq!((got[0].as_str(), got.len()), (first, length));
    }
    world.send(conn, ClientMessage::Participants { channel: channel("19"), page: u32::MAX });
    assert!(names(&world.last(conn)).is_empty());
}
