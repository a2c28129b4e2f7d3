//! The bus between nodes, and what goes wrong on it.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use tenfour_protocol::node::Subject;

use super::node::Node;

/// One way over the bus, at least.
const DELAY: Duration = Duration::from_micros(500);

/// How good the bus of a world is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quality {
    /// Share of messages that a node does not get.
    pub(super) loss: f64,
    /// Share of messages that a node gets twice.
    pub(super) twice: f64,
    /// Up to this much later, differently for each message: they overtake each other.
    pub(super) jitter: Duration,
}

impl Quality {
    /// Every third bus loses nothing and keeps the order.
    pub(super) fn any(rng: &mut Rng) -> Self {
        if rng.u8(0..3) == 0 {
            return Self { loss: 0.0, twice: [0.0, 0.1][rng.usize(0..2)], jitter: Duration::ZERO };
        }
        Self {
            loss: [0.0, 0.01, 0.1][rng.usize(0..3)],
            twice: [0.0, 0.05][rng.usize(0..2)],
            jitter: Duration::from_millis([1, 10, 60][rng.usize(0..3)]),
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.loss == 0.0 && self.jitter == Duration::ZERO
    }
}

/// The bus.
pub(super) struct Bus {
    pub(super) quality: Quality,
    /// Nodes that are cut off.
    pub(super) cut: BTreeSet<usize>,
}

impl Bus {
    /// Who gets a message that node `from` publishes, and after how long.
    pub(super) fn carry(
        &self,
        from: usize,
        subject: &Subject,
        nodes: &[Node],
        rng: &mut Rng,
    ) -> Vec<(usize, Duration)> {
        let mut carried = Vec::new();
        if self.cut.contains(&from) {
            return carried;
        }
        for (to, node) in nodes.iter().enumerate().filter(|(to, _)| *to != from && !self.cut.contains(to)) {
            if !node.subscribed.iter().any(|subscribed| subscribed.takes(subject)) {
                continue;
            }
            let times = match rng.f64() {
                lot if lot < self.quality.loss => 0,
                lot if lot > 1.0 - self.quality.twice => 2,
                _ => 1,
            };
            for _ in 0..times {
                carried.push((to, DELAY + self.quality.jitter.mul_f64(rng.f64())));
            }
        }
        carried
    }
}
