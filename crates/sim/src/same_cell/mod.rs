//! Nobody can tell where in its cell somebody is.
//!
//! Two worlds have everything in common, chance included, but one thing: where in its cells one person (the victim)
//! is, first and after each move. Everybody else watches as closely as they can, and all that the server sends them
//! must be the same in both worlds: bytes, order and time.

mod act;
mod scene;

use std::time::Duration;

use fastrand::Rng;
use tenfour_core::hub::HubConfig;
use tenfour_core::radio::{Config, Input as Act};
use tenfour_protocol::Ranges;
use tenfour_protocol::limits::EPOCH;

use self::act::Play;
use self::scene::Scene;
use crate::broken::Broken;
use crate::client::Client;
use crate::network::{Carriage, Line};
use crate::place::Position;
use crate::tape::Tape;
use crate::world::{World, secret};

/// People in a world, the victim among them.
const PEOPLE: usize = 5;

/// What a pair showed.
#[derive(Debug)]
pub struct Compared {
    /// Messages that were compared.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the worlds part, if they do: in the one, and in the other.
    pub difference: Option<[String; 2]>,
    /// What was not true in the first world.
    pub violations: Vec<String>,
}

/// Runs the pair of worlds of `seed`.
pub fn compare(seed: u64, broken: Broken) -> Compared {
    let mut rng = Rng::with_seed(seed);
    let scene = Scene::draw(&mut rng);
    let [(one, violations), (other, _)] = [1, 2].map(|variant| {
        // Draws where the victim is in its cell, and nothing else.
        let hidden = Rng::with_seed(seed ^ (variant << 62));
        live(&scene, rng.clone(), hidden, broken)
    });
    let text = |entry: Option<_>| entry.map_or("nothing more".to_owned(), |entry| format!("{entry:?}"));
    let difference = one.parts(&other).map(|(one, other)| [text(one), text(other)]);
    Compared { messages: one.messages(), bytes: one.bytes(), difference, violations }
}

/// One world: what the others were sent, and what was not true.
fn live(scene: &Scene, mut rng: Rng, mut hidden: Rng, broken: Broken) -> (Tape, Vec<String>) {
    let config = broken.apply(HubConfig {
        hold: Duration::from_secs(2),
        talk_limit: Duration::from_secs(5),
        // Short, so that it ends many bursts of a short life.
        courtesy_limit: Duration::from_millis(rng.u64(100..600)),
        secret: secret(&mut rng),
        unix_at_zero: EPOCH * rng.u32(1..1_000_000) - scene.boundary,
        ..HubConfig::default()
    });
    let victim = rng.usize(0..PEOPLE);
    let at = Position::within(scene.cells[0], &mut hidden);
    let clients = (0..PEOPLE).map(|id| {
        let place = if id == victim {
            Some(at.said())
        } else {
            // A client that gives no place with `hello` may give any later.
            let invented = scene.any_invented(&mut rng);
            rng.bool().then(|| invented.said())
        };
        let ranges = if place.is_some() { scene.any_ranges(&mut rng) } else { Ranges::default() };
        let config = Config {
            client: format!("sim-{id}"),
            economy: rng.u8(0..4) == 0,
            playout: false,
            seed: rng.u64(..),
            place,
            ranges,
            ..Config::default()
        };
        Client::new(id, any_line(&mut rng), config)
    });
    let clients = clients.collect();
    let workers = rng.usize(1..3);
    let mut world = World::of(clients, config, workers, rng);
    world.cx.tape = Some(Tape::of_all_but(victim));
    for client in &mut world.clients {
        client.handle(Act::Tune { channel: act::channel(), catch_up: false }, &mut world.cx);
    }
    Play::new(scene, victim, hidden).run(&mut world);
    let tape = world.cx.tape.take().expect("put in above");
    (tape, world.cx.report().violations)
}

/// A good line, through which most is seen.
fn any_line(rng: &mut Rng) -> Line {
    Line {
        delay: Duration::from_millis(rng.u64(1..20)),
        jitter: Duration::from_millis(rng.u64(0..4)),
        loss: if rng.u8(0..8) == 0 { 0.02 } else { 0.0 },
        carriage: if rng.u8(0..8) == 0 { Carriage::Datagram } else { Carriage::Stream },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_victim_of_a_pair_is_at_two_places_of_one_cell() {
        for seed in 0..20 {
            let mut rng = Rng::with_seed(seed);
            let cell = Scene::draw(&mut rng).cells[0];
            let [one, other] =
                [1, 2].map(|variant| Position::within(cell, &mut Rng::with_seed(seed ^ (variant << 62))));
            assert!(one.cell() == cell && other.cell() == cell && one.km(other) > 0.001);
        }
    }
}
