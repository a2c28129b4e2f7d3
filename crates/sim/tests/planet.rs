//! A small planet: regional routing misses nobody, and spares nodes most of what they do not want.

use tenfour_sim::planet::Planets;

#[test]
fn nobody_is_missed_and_most_of_what_nobody_hears_is_not_sent() {
    let cost = Planets::default().cost(2_000, 500, 0.01, 1_000, 7);
    assert_eq!((cost.missed, cost.nodes), (0, 4));
    assert!(cost.heard > 0.005, "{cost:?}");
    assert!(cost.needless() < 0.05 && cost.sent < 0.2, "{cost:?}");
}
