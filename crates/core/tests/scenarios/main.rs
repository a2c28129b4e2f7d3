//! What the core promises, one file for an area, one test for a behaviour, in virtual time.

mod anything;
mod authorised;
mod crowds;
mod deck;
mod deck_generated;
mod door;
mod ending;
mod fair;
mod fair_shares;
mod greeting;
mod late_entry;
mod muting;
mod nodes;
mod nodes_lost;
mod place;
mod place_again;
mod place_budget;
mod place_drop;
mod presence;
mod profile;
mod range;
mod resuming;
mod talking;
mod tuning;
mod turns;
mod world;
