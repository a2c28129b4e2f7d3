//! Plays a season of the attack league: `cargo xtask attack`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tenfour_attack::over_sockets::moment;
use tenfour_attack::season::{Size, season};

/// Programs that look for somebody, by all that a server lets them see
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// Targets that stay, for each program
    #[arg(long, default_value_t = 2000)]
    targets: u64,
    /// Targets that drive, for each program
    #[arg(long, default_value_t = 80)]
    drives: u64,
    /// Targets of the programs over sockets
    #[arg(long, default_value_t = 12)]
    sockets: u64,
    /// Seed of everything
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the report here
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Instead {
    /// Whether the moment at which a frame comes tells who else hears it
    Moment {
        /// Presses a side
        #[arg(long, default_value_t = 10_000)]
        presses: usize,
        /// Everybody tuned to a channel
        #[arg(long, default_value_t = 4)]
        tuned: usize,
        /// Workers of the server
        #[arg(long, default_value_t = 1)]
        workers: usize,
        /// Attacks this program, `tenfour`, instead of a server of this build
        #[arg(long)]
        server: Option<PathBuf>,
        /// Seed of the order of blocks
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// One run, instead of all
        #[arg(long)]
        only: Option<moment::Run>,
    },
    /// The server that `moment` attacks
    #[command(hide = true)]
    Serve {
        /// Its folder
        data: PathBuf,
        /// Its workers
        workers: usize,
    },
}

fn main() -> ExitCode {
    let Args { instead, targets, drives, sockets, seed, report } = Args::parse();
    match instead {
        None => league(targets, drives, sockets, seed, report),
        Some(Instead::Serve { data, workers }) => {
            moment::serve(&data, workers);
            ExitCode::SUCCESS
        }
        Some(Instead::Moment { presses, tuned, workers, server, seed, only }) => {
            let plan = moment::Plan { presses, tuned, workers, server, seed, only };
            let good = moment::play(&plan, &mut |line| println!("{line}"));
            if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn league(targets: u64, drives: u64, sockets: u64, seed: u64, report: Option<PathBuf>) -> ExitCode {
    if cfg!(not(feature = "mutants")) {
        println!("built without the feature `mutants`: the half with the defence only");
    }
    let command =
        format!("cargo xtask attack --targets {targets} --drives {drives} --sockets {sockets} --seed {seed}");
    let size = Size { targets, drives, sockets, told: true, seed };
    let season = season(size, command, &mut |line| println!("{line}"));
    let text = season.markdown();
    if let Some(path) = report {
        if let Err(error) = std::fs::write(&path, &text) {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("written: {}", path.display());
    }
    let faults = season.faults();
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if !faults.is_empty() {
        return ExitCode::FAILURE;
    }
    println!("no program beats the grid; without it, each finds its target");
    ExitCode::SUCCESS
}
