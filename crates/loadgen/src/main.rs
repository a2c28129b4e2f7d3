//! `tenfour-load`: many virtual users of one server, in one process on one thread.
//!
//! Listeners and talkers share a clock, so the latency of a frame is the time from the moment it
//! was due at its talker to the moment a listener's socket gave it. One JSON line comes out; the
//! exit code says whether the gates were passed.

mod arguments;
mod listener;
mod report;
mod scenario;
mod score;
mod socket;
mod talker;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    match scenario::run(&Arguments::parse()) {
        Ok(report) => {
            println!("{}", report.line());
            for failed in &report.failed_gates {
                eprintln!("tenfour-load: {failed}");
            }
            if report.failed_gates.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("tenfour-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
