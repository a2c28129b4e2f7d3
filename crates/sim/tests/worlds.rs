//! A thousand worlds, in eight parts so that they run side by side.

use tenfour_sim::{Plan, run};

fn worlds(part: u64) {
    let mut seen = tenfour_sim::model::Seen::default();
    for seed in part * 125..(part + 1) * 125 {
        let report = run(seed, Plan::default());
        assert!(report.violations.is_empty(), "seed {seed}:\n{}", report.violations.join("\n"));
        seen += report.seen;
    }
    // A world in which nothing happens proves nothing.
    assert!(
        seen.aired > 1000
            && seen.heard > 100_000
            && seen.resumed > 250
            && seen.lies > 1_000_000
            && seen.gaps > 1000
            && seen.unplayed > 0
            && seen.whole > 400
            && seen.located > 800
            && seen.moved > 60
            && seen.out_of_range > 40
            && seen.beyond > 800
            && seen.unwanted > 40,
        "{seen:?}"
    );
}

macro_rules! parts {
    ($($name:ident = $part:literal),*) => { $(#[test] fn $name() { worlds($part); })* };
}
parts!(
    worlds_0 = 0,
    worlds_125 = 1,
    worlds_250 = 2,
    worlds_375 = 3,
    worlds_500 = 4,
    worlds_625 = 5,
    worlds_750 = 6,
    worlds_875 = 7
);

#[test]
fn the_same_seed_gives_the_same_log() {
    let plan = Plan { keep_log: true, ..Plan::default() };
    let (one, two) = (run(42, plan), run(42, plan));
    assert!(one.log.len() > 1000);
    assert_eq!(one.log, two.log);
    assert_ne!(one.log, run(43, plan).log);
    // Cells come in and are never written down: each of them ends with these digits.
    assert!(one.log.iter().any(|line| line.contains("GeoCell(")));
    assert!(one.log.iter().all(|line| !line.contains("ffffff")));
}
