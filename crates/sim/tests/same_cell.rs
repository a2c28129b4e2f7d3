//! Ten thousand pairs of worlds that nobody can tell apart, in four parts that run side by side.

use tenfour_sim::broken::Broken;
use tenfour_sim::same_cell::compare;

fn pairs(part: u64) {
    let mut messages = 0;
    for seed in part * 2500..(part + 1) * 2500 {
        let compared = compare(seed, Broken::default());
        if let Some([one, other]) = compared.difference {
            panic!("seed {seed} differs first in\n{one}\n{other}");
        }
        assert!(compared.violations.is_empty(), "seed {seed}:\n{}", compared.violations.join("\n"));
        messages += compared.messages;
    }
    // Worlds in which nobody is told anything are easily the same.
    assert!(messages > 500_000, "{messages}");
}

macro_rules! parts {
    ($($name:ident = $part:literal),*) => { $(#[test] fn $name() { pairs($part); })* };
}
parts!(pairs_0 = 0, pairs_2500 = 1, pairs_5000 = 2, pairs_7500 = 3);
