//! The binary `tenfour`.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A virtual CB radio that anyone can host in a minute.
#[derive(Debug, Parser)]
#[command(name = "tenfour", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a server.
    Serve(serve::Serve),
}

/// Exit codes: 0 done, 1 failed, 2 wrong use (clap's own), 3 refused by the server, 4 no link.
fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(serve) => serve.run(),
    }
}
