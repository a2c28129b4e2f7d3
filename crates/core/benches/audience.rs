//! What the audience of a burst costs: the real hub, from a press to its drained orders.
//!
//! `cargo bench -p tenfour-core --bench audience` prints one JSON line for each size, and exits
//! with 1 when a gate fails: 100,000 participants in 2 ms, and 1,000 audiences of 1,000
//! participants within 5 % of a second.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark reads the clock")]

mod crowd;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crowd::{drain, join};
use tenfour_core::hub::{Hub, HubConfig, Input};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, Range};

/// Presses that are measured; the median counts.
const PRESSES: u32 = 101;
const TALKER: ConnId = ConnId(1);

fn main() -> ExitCode {
    let large = [Range::Unlimited, Range::Km100, Range::Km25].map(|tx| measure(100_000, tx));
    let small = measure(1_000, Range::Unlimited);
    let share = small.as_secs_f64() * 1000.0;
    println!("{{\"audiences_of_1000_a_second\":1000,\"share_of_a_core\":{share:.4}}}");
    let held = large.iter().all(|&took| took <= Duration::from_millis(2)) && share < 0.05;
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The median time from a press to its drained orders.
fn measure(participants: u64, tx: Range) -> Duration {
    let config = HubConfig { channel_participants: 200_000, ..HubConfig::default() };
    let mut hub = Hub::new(config);
    let mut now = Time::from_micros(1_000_000);
    for number in 1..=participants {
        join(&mut hub, number, tx, now);
    }
    let mut took = Vec::new();
    let mut heard = 0;
    for press in 1..=PRESSES {
        now += Duration::from_secs(1);
        hub.handle_timeout(now);
        drain(&mut hub);
        let message = crowd::press(press);
        let start = Instant::now();
        hub.handle(Input::Message { conn: TALKER, message }, now);
        heard = drain(&mut hub);
        took.push(start.elapsed());
        let (local, reason) = (BurstNo(press), EndReason::Released);
        hub.handle(Input::BurstClosed { conn: TALKER, local, frames: 1, dropped: None, reason }, now);
        drain(&mut hub);
    }
    took.sort();
    let [median, least, most] = [took.len() / 2, 0, took.len() - 1].map(|index| took[index]);
    println!(
        "{{\"participants\":{participants},\"tx\":\"{tx}\",\"heard\":{heard},\"median_us\":{},\"least_us\":{},\
         \"most_us\":{}}}",
        median.as_micros(),
        least.as_micros(),
        most.as_micros()
    );
    median
}
