//! Places: what it costs to change them.

use tenfour_protocol::limits::{EPOCH, FIRST_CELLS_PER_HOUR, MOVES_PER_DAY};
use tenfour_protocol::{ClientMessage, Code, Place, ServerMessage};

use crate::world::{FAR, HERE, NEAR, World, back, code, locate, located, place, stamp};

#[test]
fn a_thousand_moves_a_second_are_one_move() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    // More would close the connection.
    for _ in 0..50 {
        world.send(anna, locate(FAR));
        world.send(anna, locate(NEAR));
    }
    let got = world.control(anna);
    assert!(got.iter().any(|message| code(message) == Some(Code::TooManyMessages)));
    world.run(EPOCH);
    assert_eq!(world.control(anna).len(), 1, "the last one took effect");
}

#[test]
fn a_cell_can_be_taken_back_when_all_else_is_spent() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    (0..30).for_each(|n| world.send(anna, ClientMessage::Ping { n }));
    assert_eq!(code(&world.last(anna)), Some(Code::TooManyMessages));
    world.send(anna, ClientMessage::locate(None));
    assert!(matches!(world.last(anna), ServerMessage::Located { shared: false, .. }));
}

#[test]
fn a_key_has_a_budget_of_first_cells_and_a_stamp_shows_that_a_cell_is_the_same() {
    let mut world = World::new();
    let mut connect = |said: Place| {
        let conn = world.connect("Anna");
        world.send(conn, back(None, Vec::new(), Some(said), None));
        let got = world.control(conn);
        world.drop_link(conn);
        got
    };
    let mut stamps = Vec::new();
    for _ in 0..FIRST_CELLS_PER_HOUR {
        stamps.push(stamp(&connect(place(HERE, None))).expect("taken"));
    }
    let spent = connect(place(HERE, None));
    let Some(ServerMessage::Error { refusal }) = spent.get(1) else { panic!("{spent:?}") };
    assert_eq!(refusal.code, Code::TooManyMoves);
    assert!(refusal.retry_after_ms.is_some_and(|wait| wait <= 3_600_000));
    // The newest stamp with its cell costs nothing, again and again.
    let mut newest = stamps.pop();
    for _ in 0..50 {
        newest = stamp(&connect(place(HERE, newest)));
        assert!(newest.is_some());
    }
    // Not with another cell, and not an older one.
    assert_eq!(stamp(&connect(place(NEAR, newest))), None);
    assert_eq!(stamp(&connect(place(HERE, stamps.pop()))), None);
    assert_eq!(stamp(&connect(place(HERE, Some("nonsense".into())))), None);
}

#[test]
fn somebody_elses_stamp_is_worth_nothing() {
    let mut world = World::new();
    let bert = world.greet("Bert");
    world.send(bert, locate(HERE));
    let theirs = stamp(&world.control(bert));
    for number in 0..=FIRST_CELLS_PER_HOUR {
        let anna = world.connect("Anna");
        world.send(anna, back(None, Vec::new(), Some(place(HERE, theirs.clone())), None));
        let taken = stamp(&world.control(anna)).is_some();
        assert_eq!(taken, number < FIRST_CELLS_PER_HOUR);
    }
}

#[test]
fn a_key_moves_at_every_boundary_until_its_day_is_over() {
    let mut world = World::new();
    let anna = located(&mut world, "Anna", HERE);
    let mut moved = 0;
    for quarter in 0..=MOVES_PER_DAY {
        let to = if quarter % 2 == 0 { FAR } else { HERE };
        world.send(anna, locate(to));
        let said = world.last(anna);
        if let ServerMessage::Error { refusal } = &said {
            assert_eq!((refusal.code, quarter), (Code::TooManyMoves, MOVES_PER_DAY));
            break;
        }
        world.run(EPOCH);
        moved += usize::from(stamp(&world.control(anna)).is_some());
    }
    assert_eq!(moved, MOVES_PER_DAY);
}
