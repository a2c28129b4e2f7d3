//! Where clients are, and what they say of it.

use tenfour_core::ConnId;
use tenfour_core::reach::snap;
use tenfour_protocol::control::{Heard, Resume};
use tenfour_protocol::{ClientMessage, Code, GeoCell, Place, Range, Ranges, ServerMessage, SignalGrade};

use super::{World, ms};

/// Degrees north and east. Near is 8 km, far 60 km away.
pub(crate) const HERE: (f64, f64) = (44.80, 20.46);
pub(crate) const NEAR: (f64, f64) = (44.87, 20.46);
pub(crate) const FAR: (f64, f64) = (45.34, 20.46);
/// In another country.
pub(crate) const ZAGREB: (f64, f64) = (45.81, 15.98);

pub(crate) fn cell((lat, lon): (f64, f64)) -> GeoCell {
    snap(lat, lon).expect("a position")
}

pub(crate) fn locate(place: (f64, f64)) -> ClientMessage {
    ClientMessage::locate(Some(cell(place)))
}

/// Somebody who has said where they are.
pub(crate) fn located(world: &mut World, name: &str, place: (f64, f64)) -> ConnId {
    let conn = world.greet(name);
    world.send(conn, locate(place));
    assert!(matches!(world.last(conn), ServerMessage::Located { shared: true, effective_in_ms: None, .. }));
    conn
}

/// Sets ranges, which is answered.
pub(crate) fn range(world: &mut World, conn: ConnId, tx: Range, rx: Range) {
    // Budgets of messages are another test's.
    world.run(ms(200));
    world.send(conn, ClientMessage::Range { tx, rx });
    let ranged = |message: &ServerMessage| *message == ServerMessage::Ranged { tx, rx };
    let got = world.control(conn);
    assert!(got.iter().any(ranged), "{got:?}");
}

/// A burst on 19 with its first frame.
pub(crate) fn begin(world: &mut World, conn: ConnId, local: u32) {
    world.press(conn, "19", local);
    world.speak(conn, local, 0);
}

/// What somebody's meter shows, if a burst was announced to them.
pub(crate) fn heard(world: &mut World, conn: ConnId) -> Option<Option<SignalGrade>> {
    world.control(conn).into_iter().find_map(|message| match message {
        ServerMessage::BurstStarted { grade, .. } => Some(grade),
        _ => None,
    })
}

/// Who of `listeners` hears a burst of `talker`.
pub(crate) fn hear<const N: usize>(
    world: &mut World,
    talker: ConnId,
    local: u32,
    listeners: &[ConnId; N],
) -> [bool; N] {
    world.run(ms(1000));
    listeners.iter().for_each(|&conn| drop(world.take(conn)));
    begin(world, talker, local);
    world.release(talker, local);
    listeners.map(|conn| heard(world, conn).is_some())
}

pub(crate) fn place(said: (f64, f64), stamp: Option<String>) -> Place {
    Place { cell: cell(said), stamp }
}

/// A hello that resumes, with a place.
pub(crate) fn back(
    token: Option<String>,
    have: Vec<Heard>,
    place: Option<Place>,
    range: Option<Ranges>,
) -> ClientMessage {
    let resume =
        token.map(|token| Resume { token, newest: have.iter().map(|heard| heard.burst).max(), have });
    ClientMessage::Hello {
        client: "scenario 1".into(),
        resume,
        economy: false,
        hear_self: false,
        place,
        range,
        device: None,
    }
}

pub(crate) fn token(world: &mut World, conn: ConnId) -> String {
    let got = world.control(conn);
    let token = got.into_iter().find_map(|message| match message {
        ServerMessage::Welcome { resume, .. } => Some(resume),
        _ => None,
    });
    token.expect("a welcome")
}

pub(crate) fn stamp(got: &[ServerMessage]) -> Option<String> {
    got.iter().rev().find_map(|message| match message {
        ServerMessage::Located { stamp, .. } => stamp.clone(),
        _ => None,
    })
}

pub(crate) fn country(message: &ServerMessage) -> Option<String> {
    let ServerMessage::Located { country, .. } = message else { panic!("{message:?}") };
    country.map(|country| country.as_str().to_owned())
}

pub(crate) fn code(message: &ServerMessage) -> Option<Code> {
    match message {
        ServerMessage::Error { refusal } => Some(refusal.code),
        _ => None,
    }
}
