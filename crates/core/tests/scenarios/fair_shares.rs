//! What one user and one address may have in all.

use tenfour_core::ConnId;
use tenfour_protocol::control::Resume;
use tenfour_protocol::limits::{
    BURSTS_PER_ADDRESS, BUSY, CHANNEL_NUMBERS, CHANNELS_PER_USER, CONNECTIONS_PER_USER, NAMED_CHANNELS,
};
use tenfour_protocol::{Code, ServerMessage};

use crate::world::{World, channel, hello, ms, refusals, token};

const CROWD: Option<u64> = Some(1);
const ELSEWHERE: Option<u64> = Some(2);

fn tuned_from(world: &mut World, name: &str, address: Option<u64>, on: &str) -> ConnId {
    let conn = world.connect_from(name, address);
    world.send(conn, hello(None));
    world.tune(conn, on);
    conn
}

/// Whether a press is granted.
fn talks(world: &mut World, conn: ConnId, on: &str, local: u32) -> bool {
    world.take(conn);
    world.press(conn, on, local);
    world.control(conn).iter().any(|message| matches!(message, ServerMessage::BurstGranted { .. }))
}

#[test]
fn a_ninth_connection_takes_the_place_of_the_one_that_was_idle_longest() {
    let mut world = World::new();
    let mut open: Vec<_> = (0..CONNECTIONS_PER_USER)
        .map(|_| {
            world.run(ms(1_000));
            world.tuned("Anna", "19")
        })
        .collect();
    // The oldest is on the air, the second says something: the third was idle longest.
    world.press(open[0], "19", 1);
    world.tune(open[1], "20");
    open.push(world.tuned("Anna", "19"));
    assert_eq!(world.closed.get(&open[2]), Some(&Code::Replaced));
    assert_eq!(world.closed.len(), 1);
    world.tuned("Bert", "19");
    assert_eq!(world.closed.len(), 1, "others have their own");
}

#[test]
fn who_resumes_takes_nobodys_place() {
    let mut world = World::new();
    let open: Vec<_> = (0..CONNECTIONS_PER_USER).map(|_| world.tuned("Anna", "19")).collect();
    let token = token(&mut world, open[0]);
    // The phone is back, and its old connection is not known to be dead.
    let back = world.connect("Anna");
    world.send(back, hello(Some(Resume { token, newest: None, have: Vec::new() })));
    assert_eq!(world.closed.iter().collect::<Vec<_>>(), [(&open[0], &Code::Stalled)]);
}

#[test]
fn a_user_is_tuned_to_sixteen_channels_whatever_the_connections() {
    let mut world = World::new();
    let devices: Vec<_> = (0..3).map(|_| world.greet("Anna")).collect();
    for number in 0..CHANNELS_PER_USER {
        world.tune(devices[number / 8], &format!("{}", number % 8 + 1));
    }
    world.tune(devices[2], "30");
    let got = world.control(devices[2]);
    assert_eq!(refusals(&got), [Code::TooManyChannels]);
    let ServerMessage::Error { refusal } = got.last().unwrap() else { panic!("{got:?}") };
    assert_eq!(refusal.channel, Some(channel("30")));
    // A device whose link is gone waits for a resume, but not at the cost of one that is here.
    world.drop_link(devices[0]);
    world.tune(devices[2], "30");
    assert!(matches!(world.last(devices[2]), ServerMessage::Tuned { .. }));
    assert_eq!(world.hub.figures().affiliations, 9);
}

#[test]
fn sessions_that_wait_for_a_resume_do_not_pile_up() {
    let mut world = World::new();
    for _ in 0..100 {
        let conn = world.tuned("Anna", "19");
        world.drop_link(conn);
    }
    assert!(world.hub.figures().sessions <= CONNECTIONS_PER_USER + 1);
}

#[test]
fn one_account_refuses_nobody_a_press() {
    let mut world = World::new();
    // 680 sockets on all channels: most are closed at once, and two bursts are all there are.
    for number in 0..680 {
        let conn = world.greet("Troll");
        let on = format!("{}", number % usize::from(CHANNEL_NUMBERS) + 1);
        if !world.closed.contains_key(&conn) {
            world.tune(conn, &on);
            world.press(conn, &on, 1);
        }
    }
    assert!(world.hub.figures().bursts_on_air <= 2);
    assert!(world.hub.figures().connections <= CONNECTIONS_PER_USER);
    for number in 1..=CHANNEL_NUMBERS {
        let on = format!("{number}");
        let honest = world.tuned(&format!("H{number}"), &on);
        assert!(talks(&mut world, honest, &on, 1), "{on}");
    }
}

#[test]
fn twenty_accounts_of_one_address_refuse_nobody_elsewhere_a_press() {
    let mut world = World::new();
    let crowd: Vec<_> = (0..20).map(|n| tuned_from(&mut world, &format!("Troll {n}"), CROWD, "19")).collect();
    let on_air = crowd.iter().filter(|&&conn| talks(&mut world, conn, "19", 1)).count();
    assert_eq!(on_air, BUSY, "among themselves they listen as everybody does");
    for n in 0..BUSY {
        let honest = tuned_from(&mut world, &format!("Honest {n}"), Some(10 + n as u64), "19");
        // To others they are one, and two more may talk beside them.
        assert_eq!(talks(&mut world, honest, "19", 1), n + 1 < BUSY, "{n}");
    }
}

#[test]
fn an_address_has_so_many_bursts_on_the_air() {
    let mut world = World::new();
    for n in 0..BURSTS_PER_ADDRESS {
        let on = format!("room-{n}");
        let conn = tuned_from(&mut world, &format!("P{n}"), CROWD, &on);
        assert!(talks(&mut world, conn, &on, 1));
    }
    let more = tuned_from(&mut world, "One more", CROWD, "19");
    assert!(!talks(&mut world, more, "19", 1));
    let other = tuned_from(&mut world, "Other", ELSEWHERE, "19");
    assert!(talks(&mut world, other, "19", 1));
    // What ends is given back.
    world.run(ms(1_100));
    assert!(talks(&mut world, more, "19", 2));
}

#[test]
fn an_address_opens_no_more_named_channels_than_are_left() {
    let mut world = World::new();
    let mut opened = 0;
    'users: for user in 0.. {
        let conn = world.connect_from(&format!("U{user}"), CROWD);
        world.send(conn, hello(None));
        for number in 0..8 {
            world.take(conn);
            world.tune(conn, &format!("room-{user}-{number}"));
            if refusals(&world.control(conn)) == [Code::NoRoomForChannel] {
                break 'users;
            }
            opened += 1;
        }
        world.run(ms(200));
    }
    assert_eq!(opened, NAMED_CHANNELS / 2);
    let other = tuned_from(&mut world, "Other", ELSEWHERE, "my-own-room");
    assert!(matches!(world.last(other), ServerMessage::Tuned { .. }));
}
