//! Following somebody who moves: once a minute the attacker closes in. A point that passes the test is a position, any
//! other is a cell, and a cell that changed was sent at the last boundary. In the end a particle filter runs through the
//! cells.

use std::time::Duration;

use fastrand::Rng;
use h3o::CellIndex;
use tenfour_core::reach::epoch_in;
use tenfour_protocol::ServerMessage;
use tenfour_protocol::limits::{EPOCH, EPOCH_LEAD};

use crate::air::{Act, Air};
use crate::cells::Cells;
use crate::geo::{Spot, centroid};
use crate::hunt::{Clue, RUMOUR_KM, fits, on_the_grid, pin_down, which_cell};
use crate::oracle::{Oracle, receiving};
use crate::particles::{Sighting, smooth};
use crate::patch::Patch;
use crate::target::since_start;

/// The part of the drive that is answered; the target is followed for a quarter of an hour more, for hindsight.
pub(super) const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// How far the target is from where it was a minute ago, and a quarter of an hour ago.
const NEAR_KM: f64 = 3.0;
const FAR_KM: f64 = 22.0;
/// A server that snaps is tested this often.
const DOUBTS: u64 = 20;

pub(super) fn follow(air: &mut dyn Air, oracle: &mut dyn Oracle, clue: &Clue) -> Vec<(Duration, Spot)> {
    let mut rng = clue.rng();
    let (mut positions, mut sightings) = (Vec::new(), Vec::<Sighting>::new());
    let mut last: Option<(Spot, f64)> = None;
    let mut snaps = false;
    for minute in 0..=(HOUR + EPOCH).as_secs() / MINUTE.as_secs() {
        let at = since_start(air.now());
        air.target(Act::Talk);
        let (around, km) = last.unwrap_or((clue.rumour, RUMOUR_KM));
        let position = (!snaps || minute.is_multiple_of(DOUBTS)).then(|| {
            let mut patch = Patch::around(around, km, rng.fork());
            pin_down(air, oracle, &mut patch, &mut rng)
        });
        if let Some(point) = position.flatten() {
            positions.push((at, point));
            last = Some((point, NEAR_KM));
        } else {
            snaps = true;
            let before = sightings.last().copied();
            if let Some(cell) = cell(air, oracle, clue, before.map(|sighting| sighting.cell), &mut rng) {
                sightings.extend(sighting(air, before, cell, at));
                last = Some((centroid(cell), NEAR_KM));
            }
        }
        air.target(Act::Hush);
        air.wait((at + MINUTE).saturating_sub(since_start(air.now())));
    }
    let minutes: Vec<_> =
        (0..=HOUR.as_secs() / MINUTE.as_secs()).map(|minute| MINUTE * minute as u32).collect();
    if positions.len() <= sightings.len() {
        return smooth(&sightings, &minutes, clue.turn, &mut rng);
    }
    // A minute without a position is answered by the nearest in time.
    let nearest = |minute: &Duration| positions.iter().min_by_key(|(at, _)| at.abs_diff(*minute)).copied();
    minutes.iter().filter_map(|minute| Some((*minute, nearest(minute)?.1))).collect()
}

/// What a cell says of the target's way: where it was at the last boundary, if that is news, or
/// where it is, if that changed though there was no boundary.
fn sighting(air: &mut dyn Air, before: Option<Sighting>, cell: CellIndex, at: Duration) -> Option<Sighting> {
    let Some(before) = before else { return Some(Sighting { at, cell }) };
    let said = last_word(air);
    if said > before.at {
        return Some(Sighting { at: said, cell });
    }
    (before.cell != cell).then_some(Sighting { at, cell })
}

/// The target's cell, with a look at where it was first.
fn cell(
    air: &mut dyn Air,
    oracle: &mut dyn Oracle,
    clue: &Clue,
    before: Option<CellIndex>,
    rng: &mut Rng,
) -> Option<CellIndex> {
    let near = before.and_then(|before| {
        let mut cells = Cells::around(centroid(before), FAR_KM, &[]);
        which_cell(air, oracle, &mut cells, rng);
        let fits = cells.count() > 0 && fits(air, oracle, &cells, rng);
        cells.left().next().filter(|_| fits)
    });
    near.or_else(|| {
        let guess = before.map_or(clue.rumour, centroid);
        on_the_grid(air, oracle, clue, guess, &[], rng)?.left().next()
    })
}

/// When clients said their cells last, by the server's own word of the next boundary.
fn last_word(air: &mut dyn Air) -> Duration {
    let agent = air.join(Spot::at(0.0, 0.0), receiving(tenfour_protocol::Range::Unlimited));
    let heard = air.heard(agent);
    air.leave(agent);
    let epoch_in_ms = heard.iter().find_map(|heard| match heard.message {
        ServerMessage::Welcome { epoch_in_ms, .. } => Some(epoch_in_ms),
        _ => None,
    });
    let epoch_in =
        epoch_in_ms.map_or_else(|| epoch_in(Duration::ZERO), |ms| Duration::from_millis(ms.into()));
    (since_start(air.now()) + epoch_in).saturating_sub(EPOCH + EPOCH_LEAD)
}
