//! Runs worlds: `cargo xtask sim --seeds 1000`, or one of them with its log: `--seed 7 --log`;
//! or pairs of worlds that nobody must be able to tell apart: `cargo xtask sim same-cell`.

use std::fmt::Debug;
use std::ops::AddAssign;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tenfour_sim::broken::Broken;
use tenfour_sim::report::Report;
use tenfour_sim::{Plan, cluster, planet, run, same_cell};

/// The simulated world of Tenfour
#[derive(Parser)]
#[command(name = "cargo xtask sim", args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    worlds: Worlds,
}

#[derive(Subcommand)]
enum Command {
    /// Worlds of several nodes on a bus that loses and delays
    Cluster(Seeds),
    /// What a cluster costs for 1e3 to 1e7 people spread like on Earth; writes docs/scale.md and its chart
    Planet(Planet),
    /// Pairs of worlds in which somebody is elsewhere in the same cell: nobody else can tell
    SameCell(Pairs),
}

#[derive(Args)]
struct Worlds {
    #[command(flatten)]
    seeds: Seeds,
    /// People in a world
    #[arg(long, default_value_t = Plan::default().clients)]
    clients: usize,
    /// Seconds in which they do things
    #[arg(long, default_value_t = Plan::default().time.as_secs())]
    seconds: u64,
}

#[derive(Args)]
struct Seeds {
    /// How many worlds
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first world's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Prints the log of the first world, and runs no other
    #[arg(long)]
    log: bool,
}

#[derive(Args)]
struct Planet {
    /// Bursts that are put to each node
    #[arg(long, default_value_t = 20_000)]
    bursts: u64,
    /// People on one node, when there are enough of them
    #[arg(long, default_value_t = 2_500)]
    node_users: u64,
    /// The most people
    #[arg(long, default_value_t = 10_000_000)]
    users: u64,
    /// Share of people who reach and hear without limit
    #[arg(long, default_value_t = 0.01)]
    unlimited: f64,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints only
    #[arg(long)]
    dry: bool,
}

#[derive(Args)]
struct Pairs {
    /// How many pairs
    #[arg(long, default_value_t = 10_000)]
    pairs: u64,
    /// The first pair's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Breaks the hub on purpose; built with the feature `mutants` only
    #[cfg(feature = "mutants")]
    #[arg(long, value_parser = tenfour_core::mutants::Mutants::parse)]
    mutant: Option<tenfour_core::mutants::Mutants>,
}

impl Pairs {
    fn broken(&self) -> Broken {
        let broken = Broken::default();
        tenfour_core::mutant!(let broken = self.mutant.map_or(broken, |mutants| Broken { mutants }));
        broken
    }
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let kept = match &flags.command {
        Some(Command::SameCell(pairs)) => compare(pairs),
        Some(Command::Planet(planet)) => planet.measure(),
        Some(Command::Cluster(seeds)) => {
            let plan = cluster::Plan { keep_log: seeds.log, ..cluster::Plan::default() };
            live(seeds, |seed| cluster::run(seed, plan))
        }
        None => {
            let Worlds { seeds, clients, seconds } = flags.worlds;
            let time = Duration::from_secs(seconds);
            let plan = Plan { clients, time, keep_log: seeds.log, ..Plan::default() };
            live(&seeds, |seed| run(seed, plan))
        }
    };
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs worlds. True when no promise was broken.
fn live<S: AddAssign + Debug + Default>(flags: &Seeds, run: impl Fn(u64) -> Report<S>) -> bool {
    let seeds = if flags.log { 1 } else { flags.seeds };
    let (mut failed, mut seen) = (0, S::default());
    for seed in flags.seed..flags.seed + seeds {
        let report = run(seed);
        report.log.iter().for_each(|line| println!("{line}"));
        seen += report.seen;
        if !report.violations.is_empty() {
            failed += 1;
            println!("seed {seed}:\n  {}", report.violations.join("\n  "));
        }
        let lived = seed + 1 - flags.seed;
        if lived == seeds || lived.is_multiple_of(100) {
            println!("{lived} worlds, {failed} with violations: {seen:?}");
        }
    }
    failed == 0
}

impl Planet {
    /// Prints the tables, and writes them into the document. False when a listener was missed.
    fn measure(&self) -> bool {
        let mut planets = planet::Planets::default();
        let mut cost =
            |users, node_users, unlimited| planets.cost(users, node_users, unlimited, self.bursts, self.seed);
        let sizes = (3..=7).map(|power| 10_u64.pow(power)).filter(|users| *users <= self.users);
        let costs: Vec<_> = sizes.map(|users| cost(users, self.node_users, self.unlimited)).collect();
        let shares = [0.0, 0.01, 0.05, 0.2].map(|share| (share, cost(1_000_000, self.node_users, share)));
        let by_node = [2_500, 5_000, 10_000].map(|users| cost(1_000_000, users, self.unlimited));
        let tables = [planet::table(&costs), planet::sensitivity(&shares), planet::table(&by_node)];
        tables.iter().for_each(|table| println!("{table}"));
        let all = costs.iter().chain(shares.iter().map(|(_, cost)| cost)).chain(&by_node);
        let missed: u64 = all.map(|cost| cost.missed).sum();
        println!("listeners missed by regional routing: {missed}");
        if !self.dry {
            let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
            let written = std::fs::write(docs.join("scale.svg"), planet::chart(&costs))
                .and_then(|()| planet::write(&docs.join("scale.md"), &tables));
            written.expect("docs can be written");
        }
        missed == 0
    }
}

/// What the threads found.
#[derive(Default)]
struct Found {
    messages: AtomicU64,
    bytes: AtomicU64,
    differing: AtomicU64,
    violated: AtomicU64,
}

/// Runs pairs of worlds on all cores. True when none differed.
fn compare(pairs: &Pairs) -> bool {
    let (broken, next, found) = (pairs.broken(), AtomicU64::new(0), Found::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let pair = next.fetch_add(1, Ordering::Relaxed);
                    if pair >= pairs.pairs {
                        return;
                    }
                    found.take(pairs.seed + pair, same_cell::compare(pairs.seed + pair, broken), broken);
                    if pair > 0 && pair.is_multiple_of(10_000) {
                        println!("{pair} of {} pairs", pairs.pairs);
                    }
                }
            });
        }
    });
    let sum = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (messages, bytes, differing) = (sum(&found.messages), sum(&found.bytes), sum(&found.differing));
    println!("pairs: {}, messages: {messages}, bytes: {bytes}, differing: {differing}", pairs.pairs);
    differing == 0 && sum(&found.violated) == 0
}

impl Found {
    fn take(&self, seed: u64, compared: same_cell::Compared, broken: Broken) {
        self.messages.fetch_add(compared.messages, Ordering::Relaxed);
        self.bytes.fetch_add(compared.bytes, Ordering::Relaxed);
        if let Some([one, other]) = compared.difference
            && self.differing.fetch_add(1, Ordering::Relaxed) == 0
        {
            println!("seed {seed} differs first in\n  {one}\n  {other}");
        }
        // A hub that is broken on purpose breaks promises.
        if broken == Broken::default() && !compared.violations.is_empty() {
            self.violated.fetch_add(1, Ordering::Relaxed);
            println!("seed {seed}:\n  {}", compared.violations.join("\n  "));
        }
    }
}
