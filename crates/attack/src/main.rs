//! Plays a season of the attack league: `cargo xtask attack`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tenfour_attack::season::{Size, season};

/// Programs that look for somebody, by all that a server lets them see
#[derive(Parser)]
struct Args {
    /// Quarries that stay, for each program
    #[arg(long, default_value_t = 2000)]
    quarries: u64,
    /// Quarries that drive, for each program
    #[arg(long, default_value_t = 80)]
    drives: u64,
    /// Quarries of the programs over sockets
    #[arg(long, default_value_t = 12)]
    sockets: u64,
    /// Seed of everything
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the report here
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Args { quarries, drives, sockets, seed, report } = Args::parse();
    if cfg!(not(feature = "mutants")) {
        println!("built without the feature `mutants`: the half with the defence only");
    }
    let command = format!(
        "cargo xtask attack --quarries {quarries} --drives {drives} --sockets {sockets} --seed {seed}"
    );
    let size = Size { quarries, drives, sockets, told: true, seed };
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
    println!("no program beats the grid; without it, each finds its quarry");
    ExitCode::SUCCESS
}
