//! Broken hubs are noticed, and a whole one is not taken for broken.

use tenfour_core::mutants::Mutant;
use tenfour_sim::broken::Broken;
use tenfour_sim::{Plan, run, same_cell};

/// Of how many pairs the first `pairs` show that a hub is broken in these ways.
fn noticed(mutants: &[Mutant], pairs: u64) -> usize {
    let broken = Broken::by(mutants);
    (0..pairs).filter(|&seed| same_cell::compare(seed, broken).difference.is_some()).count()
}

#[test]
fn a_whole_hub_tells_nothing_apart_though_it_is_told_positions() {
    assert_eq!(noticed(&[], 500), 0);
}

#[test]
fn raw_distances_show() {
    assert!(noticed(&[Mutant::RawDistance], 100) > 0);
}

#[test]
fn a_grid_for_each_session_shows() {
    assert!(noticed(&[Mutant::SessionGrid], 100) > 0);
}

#[test]
fn listeners_sorted_by_distance_show() {
    assert!(noticed(&[Mutant::SortedFanOut], 100) > 0);
}

#[test]
fn the_country_of_the_position_shows() {
    assert!(noticed(&[Mutant::RawCountry], 100) > 0);
}

/// Worlds of which the reference model notices that they break a promise.
fn complaints(mutant: Mutant) -> usize {
    let plan = Plan { broken: Broken::by(&[mutant]), ..Plan::default() };
    (0..40).filter(|&seed| !run(seed, plan).violations.is_empty()).count()
}

#[test]
fn the_model_notices_who_is_judged_by_anything_but_the_cell() {
    for mutant in [Mutant::RawDistance, Mutant::SessionGrid, Mutant::RawCountry, Mutant::MovesAtOnce] {
        assert!(complaints(mutant) > 0, "{mutant:?}");
    }
}

#[test]
fn the_model_notices_a_clock_that_is_believed() {
    assert!(complaints(Mutant::BelieveClock) > 0);
}
