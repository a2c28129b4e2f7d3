//! The binary `tenfour` as people use it: a server, talkers and listeners as processes.

mod account;
mod clock;
mod closed;
mod connection_log;
mod contact;
mod cut;
mod gateway;
mod host;
mod key;
mod killed;
mod liar;
mod newcomers;
mod no_trace;
mod operator;
mod range;
mod recipes;
mod recorded;
mod speech;
mod stalled;
mod trouble;
mod voice;
mod words;
