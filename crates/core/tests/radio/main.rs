//! What the radio does, in virtual time: one file for each of its sides.

mod anywhere;
mod button;
mod harness;
mod hearing;
mod lag;
mod link;
mod place;
mod playout;
mod scenarios;
