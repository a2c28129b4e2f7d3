//! The planet: what a cluster costs when people are spread like on Earth.
//!
//! The hubs are real; sockets, frames and the bus are only counted. A node's load depends on its own people and on who
//! talks anywhere. So a few nodes are filled and told of bursts of people from everywhere: from 1e5 users on, these
//! nodes are a sample that stands for all.

mod chart;
mod node;
mod people;
mod places;

use std::fmt::Write as _;

use self::node::Node;
use self::people::People;

pub use self::chart::chart;

/// A cluster has at least so many nodes.
const FEWEST_NODES: u64 = 3;
/// Most nodes that are filled.
const SAMPLE: u64 = 4;
/// Share of people who talk at any time: 18 seconds in an hour.
pub const TALKING: f64 = 0.005;
/// Frames a second of one talker.
const FRAMES: f64 = 50.0;

/// What a planet of some size costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// People.
    pub users: u64,
    /// Nodes.
    pub nodes: u64,
    /// Bursts of people of other nodes that were put to a node.
    pub bursts: u64,
    /// Share of them that a node is sent.
    pub sent: f64,
    /// Share of them that somebody on a node hears.
    pub heard: f64,
    /// Listeners whom regional routing missed: has to be none.
    pub missed: u64,
    /// Subscriptions of a node.
    pub subscriptions: f64,
    /// Memory of a hub with all its people, in MiB.
    pub memory: f64,
}

impl Cost {
    /// Frames a second that all nodes publish.
    pub fn published(&self) -> f64 {
        self.users as f64 * TALKING * FRAMES
    }

    /// Frames a second that a node is sent by others.
    pub fn node_gets(&self) -> f64 {
        self.published() * self.others() / self.nodes as f64 * self.sent
    }

    /// Frames a second that the brokers pass on.
    pub fn delivered(&self) -> f64 {
        self.published() * self.others() * self.sent
    }

    /// The same, if each frame went to each other node.
    pub fn broadcast(&self) -> f64 {
        self.published() * self.others()
    }

    /// Of the frames that nobody on a node hears, the share that it is sent.
    pub fn needless(&self) -> f64 {
        (self.sent - self.heard) / (1.0 - self.heard)
    }

    /// Of the frames that a node is sent, the share that nobody on it hears.
    pub fn in_vain(&self) -> f64 {
        if self.sent > 0.0 { (self.sent - self.heard) / self.sent } else { 0.0 }
    }

    fn others(&self) -> f64 {
        (self.nodes - 1) as f64
    }
}

/// Costs of planets. Nodes are kept when they were measured, so that the next ones get fresh memory, which is
/// measured.
#[derive(Default)]
pub struct Planets(Vec<Node>);

impl Planets {
    /// Fills nodes of `node_users` with people out of `users`, of whom a share hears and reaches without
    /// limit, and lets `bursts` others talk.
    pub fn cost(&mut self, users: u64, node_users: u64, unlimited: f64, bursts: u64, seed: u64) -> Cost {
        let nodes = users.div_ceil(node_users).max(FEWEST_NODES);
        let sample = nodes.min(SAMPLE);
        let mut people = People::new(seed, unlimited);
        let before = resident();
        let mut hubs: Vec<_> = (0..sample).map(Node::new).collect();
        for hub in &mut hubs {
            for _ in 0..users / nodes {
                hub.join(&people.draw());
            }
        }
        let memory = (resident() - before).max(0.0) / sample as f64;
        let mut desk = Node::new(sample);
        let (mut sent, mut heard, mut missed) = (0, 0, 0);
        for _ in 0..bursts {
            let (subject, start) = desk.talk(&people.draw());
            for hub in &mut hubs {
                let got = hub.hear(&subject, &start);
                sent += u64::from(got.sent);
                heard += u64::from(got.listeners > 0);
                missed += if got.sent { 0 } else { got.listeners as u64 };
            }
        }
        let share = |count: u64| count as f64 / (bursts * sample) as f64;
        let subscribed = hubs.iter().map(|hub| hub.subscribed.len()).sum::<usize>();
        self.0.append(&mut hubs);
        let (sent, heard, subscriptions) = (share(sent), share(heard), subscribed as f64 / sample as f64);
        Cost { users, nodes, bursts: bursts * sample, sent, heard, missed, subscriptions, memory }
    }
}

/// The table of the sizes.
pub fn table(costs: &[Cost]) -> String {
    let mut table = String::from(
        "| users | nodes | frames/s published | frames/s to a node | sent without a listener | of those sent, in \
         vain | brokers, frames/s | broadcast, frames/s | times less | subscriptions a node | hub, MiB |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for cost in costs {
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} | {:.0} | {:.2} % | {:.0} % | {:.0} | {:.0} | {:.1} | {:.0} | {:.1} |",
            cost.users,
            cost.nodes,
            cost.published(),
            cost.node_gets(),
            cost.needless() * 100.0,
            cost.in_vain() * 100.0,
            cost.delivered(),
            cost.broadcast(),
            cost.broadcast() / cost.delivered(),
            cost.subscriptions,
            cost.memory,
        );
    }
    table
}

/// The table of one size with more or fewer people who reach and hear without limit.
pub fn sensitivity(costs: &[(f64, Cost)]) -> String {
    let mut table = String::from(
        "| unlimited | sent to a node | heard there | sent without a listener | of those sent, in vain | times less |\n\
         |---|---|---|---|---|---|\n",
    );
    for (unlimited, cost) in costs {
        let _ = writeln!(
            table,
            "| {:.1} % | {:.1} % | {:.1} % | {:.2} % | {:.0} % | {:.1} |",
            unlimited * 100.0,
            cost.sent * 100.0,
            cost.heard * 100.0,
            cost.needless() * 100.0,
            cost.in_vain() * 100.0,
            cost.broadcast() / cost.delivered(),
        );
    }
    table
}

/// Puts tables into a document, each between its two marks.
///
/// # Errors
/// When the document cannot be read or written, or has no such mark.
pub fn write(document: &std::path::Path, tables: &[String]) -> std::io::Result<()> {
    let mut text = std::fs::read_to_string(document)?;
    for (number, table) in tables.iter().enumerate() {
        let (begin, end) = (format!("<!-- table {number} -->\n"), format!("<!-- end {number} -->"));
        let parts =
            text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = parts.ok_or_else(|| std::io::Error::other("no mark for a table"))?;
        text = format!("{before}{begin}{table}{end}{after}");
    }
    std::fs::write(document, text)
}

/// Memory of this process in MiB, where the system tells.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / (1024.0 * 1024.0)
}
