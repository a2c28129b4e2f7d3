//! A page that is loaded again: it has the stamp of its last cell, and nobody remembers the cell.

use tenfour_core::{ConnId, Time};
use tenfour_protocol::limits::{EPOCH, FIRST_CELLS_PER_HOUR};
use tenfour_protocol::{ClientMessage, Code, Range, ServerMessage};

use crate::world::{FAR, HERE, NEAR, World, cell, code, hear, located, place, range, stamp};

/// A new page on a new connection, which says a cell and shows a stamp.
fn load(world: &mut World, said: (f64, f64), stamp: Option<String>) -> ConnId {
    let conn = world.greet("Anna");
    world.take(conn);
    world.send(conn, ClientMessage::Locate { cell: Some(cell(said)), stamp });
    conn
}

/// The first page of all, which is closed again, and the stamp it was given.
fn loaded_once(world: &mut World) -> Option<String> {
    let conn = load(world, HERE, None);
    let stamp = stamp(&world.control(conn));
    world.drop_link(conn);
    stamp
}

fn waits(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Located { shared: false, country: None, stamp: None, effective_in_ms: Some(_) }
    )
}

#[test]
fn loading_a_page_again_costs_no_first_cell() {
    let mut world = World::new();
    let mut newest = loaded_once(&mut world);
    for _ in 0..5 * FIRST_CELLS_PER_HOUR {
        let conn = load(&mut world, HERE, newest);
        newest = stamp(&world.control(conn));
        assert!(newest.is_some(), "taken at once");
        world.drop_link(conn);
    }
}

#[test]
fn another_cell_waits_for_the_boundary() {
    let mut world = World::new();
    let bert = located(&mut world, "Bert", NEAR);
    world.tune(bert, "19");
    range(&mut world, bert, Range::Km10, Range::Unlimited);
    let first = loaded_once(&mut world);
    let anna = load(&mut world, NEAR, first);
    world.tune(anna, "19");
    assert!(world.control(anna).iter().any(waits));
    assert_eq!(hear(&mut world, bert, 1, &[anna]), [false], "she is nowhere yet");
    world.send(anna, ClientMessage::Range { tx: Range::Km10, rx: Range::Unlimited });
    assert_eq!(code(&world.last(anna)), Some(Code::LocationNeeded));
    world.run(EPOCH - world.now.since(Time::ZERO));
    assert!(stamp(&world.control(anna)).is_some(), "the boundary");
    assert_eq!(hear(&mut world, bert, 2, &[anna]), [true]);
}

#[test]
fn in_a_later_quarter_of_an_hour_another_cell_is_a_first_cell() {
    let mut world = World::new();
    let first = loaded_once(&mut world);
    world.run(EPOCH);
    let anna = load(&mut world, FAR, first);
    assert!(stamp(&world.control(anna)).is_some(), "taken at once");
}

#[test]
fn a_cell_belongs_to_the_quarter_of_an_hour_in_which_it_was_in_force_last() {
    let mut world = World::new();
    let anna = load(&mut world, HERE, None);
    let first = stamp(&world.control(anna));
    world.run(EPOCH);
    world.drop_link(anna);
    let again = load(&mut world, NEAR, first);
    assert!(world.control(again).iter().any(waits));
}

#[test]
fn after_the_first_cell_of_a_connection_a_stamp_means_nothing() {
    let mut world = World::new();
    let first = loaded_once(&mut world);
    let anna = load(&mut world, HERE, first.clone());
    world.take(anna);
    world.send(anna, ClientMessage::Locate { cell: Some(cell(NEAR)), stamp: first });
    let moves = world.last(anna);
    assert!(
        matches!(moves, ServerMessage::Located { shared: true, effective_in_ms: Some(_), .. }),
        "{moves:?}"
    );
}

#[test]
fn a_stamp_cannot_be_tried_on_every_cell() {
    let mut world = World::new();
    let first = loaded_once(&mut world);
    let tried = (0..100).filter(|n| {
        let conn = load(&mut world, (50.0 + f64::from(*n) / 4.0, 20.0), first.clone());
        let got = world.control(conn);
        world.drop_link(conn);
        got.iter().any(waits)
    });
    assert_eq!(tried.count(), FIRST_CELLS_PER_HOUR - 1);
}

#[test]
fn a_hello_with_another_cell_waits_too() {
    let mut world = World::new();
    let first = loaded_once(&mut world);
    let conn = world.connect("Anna");
    world.send(conn, crate::world::back(None, Vec::new(), Some(place(NEAR, first)), None));
    assert!(world.control(conn).iter().any(waits));
}
