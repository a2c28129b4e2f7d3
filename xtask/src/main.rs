//! Build, run, test and measure Tenfour. Each command says what it does while it does it.

mod attack;
mod bench;
mod check;
mod circles;
mod cluster;
mod generate;
mod guards;
mod packages;
mod policy;
mod reference;
mod run;
mod runners;
mod shell;
mod sim;
mod soak;
mod test;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Tenfour")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build all and start the radio; prints its address
    Run {
        /// Flags of `tenfour serve`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Build all and start one nats-server and three nodes on loopback; prints their addresses
    Cluster {
        /// Flags of `tenfour serve`, for each node
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Run every test, and install what the tests need
    Test {
        /// Print how long each step took, and the slowest tests
        #[arg(long)]
        timings: bool,
    },
    /// Formatting, lints, types, generated files, dependencies
    Check,
    /// Circles of imports alone
    Circles,
    /// Write generated files anew
    Gen {
        /// Only compare, and fail when a file is out of date
        #[arg(long)]
        check: bool,
    },
    /// Browser tests alone
    E2e {
        /// Flags of Playwright, e.g. `-g 'two pages'`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// The simulated world, e.g. `cargo xtask sim --seeds 10000` or `sim same-cell --pairs 100000`
    Sim {
        /// Flags of the simulation
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// The policy: every clause's tests, clean and against the mutants that break the clause
    Policy,
    /// Programs that look for somebody on the air, and docs/privacy/attack-league.md
    Attack {
        /// Flags of the league, e.g. `--targets 400`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Instructions of the voice path, against those of before
    Guards {
        /// Takes them as those to compare with
        #[arg(long)]
        write: bool,
    },
    /// Measure, and write docs/benchmarks.md; without a name, everything
    Bench(bench::Bench),
    /// Voice as canaries, whole and broken, plain and TLS: none is left a second after its time, in memory, on disk, in
    /// queues
    Canary {
        /// With the code as it is released
        #[arg(long)]
        release: bool,
    },
    /// Prove at length what the tests prove in short
    Soak {
        #[command(subcommand)]
        what: Soak,
    },
}

#[derive(Subcommand)]
enum Soak {
    /// No cell stays in the server's memory after its client has gone
    Cells {
        /// Sessions in each mode, each with a cell of its own
        #[arg(long, default_value_t = 10_000)]
        sessions: usize,
        /// With the code as it is released
        #[arg(long)]
        release: bool,
    },
    /// What attackers do, beside 500 pairs and a channel of 1,000, and docs/reliability.md
    Floods(soak::Floods),
}

fn main() -> ExitCode {
    match perform(Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    std::env::set_current_dir(shell::root())?;
    packages::require_build()?;
    match task {
        Task::Run { flags } => run::run(&flags),
        Task::Cluster { flags } => cluster::cluster(&flags),
        Task::Test { timings } => test::test(timings),
        Task::Check => check::check(),
        Task::Circles => circles::check(),
        Task::Gen { check } => generate::generate(check),
        Task::E2e { flags } => test::e2e(&flags).map(drop),
        Task::Sim { flags } => sim::simulate(&flags),
        Task::Policy => policy::policy(),
        Task::Attack { flags } => attack::attack(&flags),
        Task::Guards { write } => guards::guards(write),
        Task::Bench(what) => bench::bench(&what),
        Task::Canary { release } => soak::canary(release),
        Task::Soak { what: Soak::Cells { sessions, release } } => soak::cells(sessions, release),
        Task::Soak { what: Soak::Floods(floods) } => floods.run(),
    }
}
