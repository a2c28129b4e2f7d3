//! The binary `tenfour` as people use it: a server, talkers and listeners as processes.

mod host;
mod range;
mod speech;
mod trouble;
mod voice;
mod words;
