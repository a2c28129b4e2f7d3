//! A thousand worlds of three nodes, in eight parts so that they run side by side.

use tenfour_sim::cluster::{Plan, Seen, run};

fn clusters(part: u64) {
    let mut seen = Seen::default();
    for seed in part * 125..(part + 1) * 125 {
        let report = run(seed, Plan::default());
        assert!(report.violations.is_empty(), "seed {seed}:\n{}", report.violations.join("\n"));
        seen += report.seen;
    }
    println!("{seen:?}");
    // A world in which nothing happens proves nothing.
    assert!(
        seen.aired > 1000
            && seen.heard_here > 10_000
            && seen.heard_elsewhere > 30_000
            && seen.whole > 100
            && seen.opened_elsewhere > 1000
            && seen.beyond > 100
            && seen.resumed > 30
            && seen.changed_node > 300
            && seen.faults > 200
            && seen.counted > 300,
        "{seen:?}"
    );
}

macro_rules! parts {
    ($($name:ident = $part:literal),*) => { $(#[test] fn $name() { clusters($part); })* };
}
parts!(
    clusters_0 = 0,
    clusters_125 = 1,
    clusters_250 = 2,
    clusters_375 = 3,
    clusters_500 = 4,
    clusters_625 = 5,
    clusters_750 = 6,
    clusters_875 = 7
);

#[test]
fn the_same_seed_gives_the_same_log() {
    let plan = Plan { keep_log: true, ..Plan::default() };
    let (one, two) = (run(42, plan), run(42, plan));
    assert!(one.log.len() > 1000);
    assert_eq!(one.log, two.log);
    assert_ne!(one.log, run(43, plan).log);
}
