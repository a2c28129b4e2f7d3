//! Whoever is tuned and does not hear a burst costs the server as much as whoever hears it. That turns are
//! the same is the core's promise; here a server that runs is seen to take them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::desk::Desk;
use crate::place::cell;
use crate::radio::{Heard, Radio, frame};

const HERE: (f64, f64) = (44.8125, 20.4612);
/// Some 60 km from there.
const FAR: (f64, f64) = (45.3510, 20.4612);
const FRAMES: u16 = 50;
/// Longest that the burst takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Turns for nobody in a press, with a listener who hears it and one who is at `place`.
async fn unheard(place: (f64, f64)) -> u64 {
    let desk = Desk::new();
    let at = |(lat, lon)| {
        let range = json!({ "tx": "unlimited", "rx": "10km" });
        json!({ "place": { "cell": cell(lat, lon) }, "range": range })
    };
    let mut radios = Vec::new();
    for (seed, handle, place) in [(1, "Talker", HERE), (2, "Near", HERE), (3, "Vera", place)] {
        let mut radio = Radio::arrive(&desk, &desk.register(seed, handle), at(place)).await;
        radio.expect("ranged").await;
        radio.tune("19").await;
        radios.push(radio);
    }
    radios[0].press(1).await;
    let begun = Instant::now();
    for seq in 0..FRAMES {
        radios[0].voice(frame(1, seq, 80, seq + 1 == FRAMES)).await;
        // Each on its own: frames that come together go with one turn, so everybody has to have had the one before.
        let hearers = if place == HERE { 1..3 } else { 1..2 };
        for radio in &mut radios[hearers] {
            while !matches!(radio.hear().await, Heard::Voice(_)) {}
        }
        while place != HERE && turns(&desk) <= u64::from(seq) {
            assert!(begun.elapsed() < TIMEOUT, "{} turns in {seq} frames", turns(&desk));
        }
    }
    radios[1].expect("burst.ended").await;
    turns(&desk)
}

/// Turns for nobody until now.
fn turns(desk: &Desk) -> u64 {
    let figures = desk.ops("/metrics");
    let line = figures.lines().find_map(|line| line.strip_prefix("tenfour_turns_unheard_total "));
    line.expect("it is counted").parse().unwrap()
}

#[tokio::test]
async fn whoever_is_out_of_range_has_as_many_turns_as_frames() {
    // A word of something else may take a frame along before its turn.
    let heard = unheard(HERE).await;
    assert!(heard <= 5, "{heard}: two listeners hear all");
    // The words that it begins and ends may go together with a frame, or by themselves.
    let turns = unheard(FAR).await;
    assert!((FRAMES..=FRAMES + 2).contains(&u16::try_from(turns).unwrap()), "{turns}");
}
