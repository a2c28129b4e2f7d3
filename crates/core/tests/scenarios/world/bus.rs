//! Several worlds on one bus that loses nothing by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenfour_core::hub::{ClusterConfig, HubConfig, Input, NodeInput, NodeNews, NodeOutput};
use tenfour_core::mutant;
use tenfour_core::voice::{Intake, IntakeOutput, Packet, unframed};
use tenfour_protocol::BurstNo;
use tenfour_protocol::node::{Envelope, Frames, NodeId, Subject};

use super::World;

/// What a node has of the bus.
pub(crate) struct Bus {
    pub(crate) node: NodeId,
    pub(crate) intake: Intake,
    pub(crate) subscribed: BTreeSet<Subject>,
    pub(crate) news: Vec<NodeNews>,
    relays: BTreeMap<BurstNo, Subject>,
    /// What it has published and nobody has taken yet.
    sent: Vec<(Subject, Vec<u8>)>,
}

impl Bus {
    pub(super) fn relay(&mut self, burst: BurstNo, packet: &Packet) {
        if let Some(subject) = self.relays.get(&burst) {
            let frames = Frames::to_bytes(self.node, [packet.message()]);
            self.sent.push((subject.clone(), frames.to_vec()));
        }
    }
}

impl World {
    fn node(number: u64, config: HubConfig) -> Self {
        let (node, name) = (NodeId(number), format!("node-{number}").parse().unwrap());
        let config = HubConfig { cluster: Some(ClusterConfig { node, name }), ..config };
        let intake = Intake::new(node, unframed);
        mutant!(let intake = intake.broken(super::mutants()));
        let (subscribed, relays) = Default::default();
        let bus = Bus { node, intake, subscribed, news: Vec::new(), relays, sent: Vec::new() };
        // Neither connections nor tokens are those of another node.
        Self { bus: Some(bus), connections: number * 1000, ..Self::with(config) }
    }

    pub(crate) fn on_bus(&self) -> &Bus {
        self.bus.as_ref().expect("in a cluster")
    }

    pub(super) fn carry_out_on_bus(&mut self, output: NodeOutput) {
        let Some(bus) = &mut self.bus else { panic!("not in a cluster: {output:?}") };
        match output {
            NodeOutput::Publish { subject, message } => {
                let bytes = Envelope { from: bus.node, message: *message }.to_bytes();
                bus.sent.push((subject, bytes.to_vec()));
            }
            NodeOutput::Subscribe(subject) => {
                assert!(bus.subscribed.insert(subject.clone()), "{subject} twice");
            }
            NodeOutput::Unsubscribe(subject) => assert!(bus.subscribed.remove(&subject), "{subject}"),
            NodeOutput::Relay { .. } => unreachable!("an order of a worker"),
            NodeOutput::Hear { node, burst, local } => bus.intake.hear(node, burst, local),
            NodeOutput::Unhear { node, burst } => bus.intake.unhear(node, burst, self.now),
            NodeOutput::News(news) => bus.news.push(news),
        }
        self.drain_intake();
    }

    pub(super) fn relay_to(&mut self, burst: BurstNo, subject: Subject) {
        self.bus.as_mut().expect("in a cluster").relays.insert(burst, subject);
    }

    /// Something comes from the bus.
    pub(crate) fn hear_bus(&mut self, bytes: &[u8]) {
        if Frames::is_next(bytes) {
            let now = self.now;
            self.bus.as_mut().expect("in a cluster").intake.message(bytes, now).expect("frames");
            self.drain_intake();
            self.settle();
        } else {
            self.tell(Input::Node(NodeInput::Message(Envelope::parse(bytes).expect("a message"))));
        }
    }

    /// Takes what it has published.
    pub(crate) fn take_sent(&mut self) -> Vec<(Subject, Vec<u8>)> {
        std::mem::take(&mut self.bus.as_mut().expect("in a cluster").sent)
    }

    /// The process is stopped for a while.
    pub(crate) fn sleep(&mut self, time: Duration) {
        self.now += time;
        self.run(Duration::ZERO);
    }

    fn drain_intake(&mut self) {
        let Some(bus) = &mut self.bus else { return };
        while let Some(output) = bus.intake.poll() {
            match output {
                IntakeOutput::Frame { burst, packet } => {
                    self.decks.iter_mut().for_each(|deck| deck.append(burst, packet.clone(), self.now));
                }
                IntakeOutput::Unannounced { node, burst } => {
                    self.inputs.push_back(Input::Node(NodeInput::Unannounced { node, burst }));
                }
            }
        }
    }
}

/// Several nodes.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<World>,
    /// What each was sent of voice: messages with frames.
    pub(crate) frames: Vec<usize>,
    /// Nodes that the bus does not reach, unknown to them.
    pub(crate) deaf: BTreeSet<usize>,
    /// Messages that are lost: those of which this says so.
    pub(crate) loses: fn(&Subject, &[u8]) -> bool,
}

impl Cluster {
    /// So many nodes that know each other.
    pub(crate) fn of(nodes: usize) -> Self {
        let nodes: Vec<_> = (1..=nodes).map(|n| World::node(n as u64, HubConfig::default())).collect();
        let frames = vec![0; nodes.len()];
        let mut cluster = Self { nodes, frames, deaf: BTreeSet::new(), loses: |_, _| false };
        for node in 0..cluster.nodes.len() {
            cluster.nodes[node].tell(Input::Node(NodeInput::Up));
        }
        cluster.run(Duration::from_secs(2));
        cluster
    }

    /// Time goes on for all.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.nodes[0].now + time;
        self.pass();
        while let Some(next) = self.nodes.iter().filter_map(World::next_timeout).min().filter(|at| *at <= end)
        {
            for node in &mut self.nodes {
                node.run(next.since(node.now));
            }
            self.pass();
        }
        for node in &mut self.nodes {
            node.run(end.since(node.now));
        }
        self.pass();
    }

    /// Everything that is on the bus arrives.
    pub(crate) fn pass(&mut self) {
        while let Some(from) = self.nodes.iter().position(|node| !node.on_bus().sent.is_empty()) {
            for (subject, bytes) in std::mem::take(&mut self.nodes[from].bus.as_mut().unwrap().sent) {
                if self.deaf.contains(&from) || (self.loses)(&subject, &bytes) {
                    continue;
                }
                for to in (0..self.nodes.len()).filter(|to| *to != from && !self.deaf.contains(to)) {
                    if self.nodes[to].on_bus().subscribed.iter().any(|taken| taken.takes(&subject)) {
                        self.frames[to] += usize::from(Frames::is_next(&bytes));
                        self.nodes[to].hear_bus(&bytes);
                    }
                }
            }
        }
    }
}
