//! `tenfour-fanout`: the same work on different servers, measured the same way.
//!
//! One thread holds all virtual users, with plain sockets and epoll. Frames carry the time when they were due, so
//! that a late talker adds to the latency. The server's CPU and memory are read from `/proc`. It prints one JSON line;
//! `cargo xtask bench` starts it beside each server.

mod air;
mod beside;
mod fanout;
mod file_limit;
mod flood;
mod joins;
mod lines;
mod network;
mod ocb2;
mod process;
mod score;
mod stamp;
mod storm;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "tenfour-fanout", version, about = "The same work on different servers")]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Talkers and their listeners
    Fanout(fanout::Fanout),
    /// Log-ins and joins, as many as go
    Joins(joins::Joins),
    /// What attackers do
    Flood(flood::Flags),
    /// Drops many connections at once and waits until all are back
    Storm(storm::Storm),
}

fn main() -> ExitCode {
    let figures = match Arguments::parse().work {
        Work::Fanout(fanout) => fanout.run(),
        Work::Joins(joins) => joins.run(),
        Work::Flood(flood) => flood.run(),
        Work::Storm(storm) => storm.run(),
    };
    match figures {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tenfour-fanout: {error:#}");
            ExitCode::FAILURE
        }
    }
}
