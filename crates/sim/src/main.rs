//! Runs worlds: `cargo xtask sim --seeds 1000`, or one of them with its log: `--seed 7 --log`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tenfour_sim::{Plan, run};

/// The simulated world of Tenfour
#[derive(Parser)]
struct Args {
    /// How many worlds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first world's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// People in a world
    #[arg(long, default_value_t = Plan::default().clients)]
    clients: usize,
    /// Seconds in which they do things
    #[arg(long, default_value_t = Plan::default().time.as_secs())]
    seconds: u64,
    /// Prints the log of the first world, and runs no other
    #[arg(long)]
    log: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let plan = Plan {
        clients: args.clients,
        time: Duration::from_secs(args.seconds),
        keep_log: args.log,
        ..Plan::default()
    };
    let seeds = if args.log { 1 } else { args.seeds };
    let mut failed = 0;
    for seed in args.seed..args.seed + seeds {
        let report = run(seed, plan);
        for line in &report.log {
            println!("{line}");
        }
        if !report.violations.is_empty() {
            failed += 1;
            println!("seed {seed}:\n  {}", report.violations.join("\n  "));
        }
        if args.log || (seed + 1 - args.seed).is_multiple_of(100) {
            println!("{} worlds, {failed} with violations; last: {:?}", seed + 1 - args.seed, report.seen);
        }
    }
    if failed > 0 {
        eprintln!("{failed} of {seeds} worlds broke a promise; see above");
        return ExitCode::FAILURE;
    }
    println!("{seeds} worlds, no promise broken");
    ExitCode::SUCCESS
}
