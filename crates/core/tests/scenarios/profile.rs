//! Somebody has another handle, or is erased.

use tenfour_core::hub::{HubFigures, Input};
use tenfour_core::reach::snap;
use tenfour_protocol::limits::PRESENCE_TICK;
use tenfour_protocol::{ClientMessage, Code, Description, Handle, Person, ServerMessage, UserId};

use crate::world::{World, channel, login_of};

/// Anna's log-in is seen with another handle from now on.
fn rename(world: &mut World, handle: &str, description: Option<&str>) {
    let person = Person {
        handle: Handle::parse(handle).unwrap(),
        tag: UserId::of_key(&[7; 32]).tag(),
        description: description.map(|text| Description::parse(text).unwrap()),
        country: None,
    };
    world.tell(Input::Profile { login: login_of("Anna"), person });
}

/// Who is told to look otherwise: handle, description, country.
fn changed(messages: Vec<ServerMessage>) -> Vec<(String, Option<String>, Option<String>)> {
    let changed = messages.into_iter().filter_map(|message| match message {
        ServerMessage::Presence { joined, left, changed, .. } => {
            assert!(joined.is_empty() && left.is_empty());
            Some(changed)
        }
        _ => None,
    });
    let person = |person: Person| {
        (
            person.handle.to_string(),
            person.description.map(|text| text.to_string()),
            person.country.map(|country| country.as_str().to_owned()),
        )
    };
    changed.flatten().map(|participant| person(participant.person)).collect()
}

#[test]
fn another_handle_is_told_to_each_channel_and_keeps_the_country() {
    let mut world = World::new();
    let anna = world.tuned("Anna", "19");
    world.tune(anna, "road-66");
    world.send(anna, ClientMessage::locate(snap(44.8, 20.46).ok()));
    let (bert, cleo) = (world.tuned("Bert", "19"), world.tuned("Cleo", "road-66"));
    let dora = world.tuned("Dora", "20");
    let ServerMessage::Tuned { participants, .. } = world.last(cleo) else { panic!() };
    world.run(PRESENCE_TICK);
    let country = participants[0].person.country.map(|country| country.as_str().to_owned());
    assert!(country.is_some());
    for conn in [anna, bert, cleo, dora] {
        world.take(conn);
    }
    rename(&mut world, "Zoë", Some("night shift"));
    world.run(PRESENCE_TICK);
    for conn in [anna, bert, cleo] {
        let told = changed(world.control(conn));
        assert!(told.iter().all(|told| *told == ("Zoë".into(), Some("night shift".into()), country.clone())));
        // Anna is told on both channels.
        assert_eq!(told.len(), if conn == anna { 2 } else { 1 });
    }
    assert_eq!(world.take(dora), []);
}

#[test]
fn the_list_is_in_the_order_of_handles_as_they_are_now() {
    let mut world = World::new();
    world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    rename(&mut world, "Zoë", None);
    world.send(bert, ClientMessage::Participants { channel: channel("19"), page: 0 });
    let ServerMessage::Participants { participants, .. } = world.last(bert) else { panic!() };
    let handles: Vec<_> = participants.iter().map(|participant| participant.person.handle.as_str()).collect();
    assert_eq!(handles, ["Bert", "Zoë"]);
}

#[test]
fn the_same_again_is_told_to_nobody() {
    let mut world = World::new();
    world.tuned("Anna", "19");
    let bert = world.tuned("Bert", "19");
    rename(&mut world, "Zoë", None);
    world.run(PRESENCE_TICK);
    world.take(bert);
    rename(&mut world, "Zoë", None);
    world.run(PRESENCE_TICK);
    assert_eq!(world.take(bert), []);
}

#[test]
fn a_connection_that_has_not_said_hello_and_a_dropped_one_are_renamed_too() {
    let mut world = World::new();
    let (dropped, bert) = (world.tuned("Anna", "19"), world.tuned("Bert", "19"));
    world.run(PRESENCE_TICK);
    world.take(bert);
    world.drop_link(dropped);
    let fresh = world.connect("Anna");
    rename(&mut world, "Zoë", None);
    world.run(PRESENCE_TICK);
    assert_eq!(changed(world.control(bert)).len(), 1, "others still see who has dropped");
    world.send(fresh, crate::world::hello(None));
    let ServerMessage::Welcome { you, .. } = world.last(fresh) else { panic!() };
    assert_eq!(you.person.handle.as_str(), "Zoë");
}

#[test]
fn a_press_is_announced_under_the_handle_of_its_moment() {
    let mut world = World::new();
    let (anna, bert) = (world.tuned("Anna", "19"), world.tuned("Bert", "19"));
    rename(&mut world, "Zoë", None);
    world.press(anna, "19", 1);
    let started = world.control(bert).into_iter().find_map(|message| match message {
        ServerMessage::BurstStarted { talker, .. } => Some(talker.person.handle.to_string()),
        _ => None,
    });
    assert_eq!(started.as_deref(), Some("Zoë"));
}

#[test]
fn who_is_erased_is_closed_with_a_code_of_its_own_and_nothing_is_left() {
    let mut world = World::new();
    let talking = world.tuned("Anna", "19");
    let ungreeted = world.connect("Anna");
    let dropped = world.tuned("Anna", "20");
    world.drop_link(dropped);
    world.press(talking, "19", 1);
    world.speak(talking, 1, 0);
    world.tell(Input::Erased { login: login_of("Anna") });
    for conn in [talking, ungreeted] {
        assert_eq!(world.closed.get(&conn), Some(&Code::Erased));
        world.drop_link(conn);
    }
    world.run(world.hub.config().hold * 2);
    assert_eq!(world.hub.figures(), HubFigures::default());
    world.tell(Input::Erased { login: login_of("Anna") });
    assert_eq!(world.hub.figures(), HubFigures::default(), "twice is as good as once");
}
