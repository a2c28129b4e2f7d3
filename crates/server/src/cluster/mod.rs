//! Connects the bus with the hub and the workers of this node.
//!
//! Control messages go through the hub. Frames do not: a talker's worker hands each of them to the bus once, and
//! frames of other nodes go from the bus to every worker's deck.

mod logs;
mod peers;
mod sealed;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use tenfour_core::hub::{Input, NodeInput, NodeNews, NodeOutput};
use tenfour_core::mutant;
use tenfour_core::reach::scrub_stack;
use tenfour_core::voice::{Intake, IntakeOutput, Packet};
use tenfour_protocol::node::{Envelope, Frames, NodeId, Subject};
use tokio::sync::mpsc;

use crate::bus::{Bus, BusError, Event, Hearer, Lane, OverNats};
use crate::clock::Clock;
use crate::lock::lock;
use crate::nats::Nats;
use crate::orders::{HubHandle, Relay, ToWorker};
use crate::random::random;
use crate::websocket;
use logs::Logs;
use peers::{Peers, Verdict};
use sealed::Sealer;

/// A handle to the other nodes.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    node: NodeId,
    bus: Arc<dyn Bus>,
    side: Arc<Side>,
    /// What the store has dropped, if it is that of the cluster.
    store_refused: Arc<AtomicU64>,
}

/// What the threads of the bus work with.
#[derive(Debug)]
struct Side {
    hub: HubHandle,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
    clock: Clock,
    intake: Mutex<Intake>,
    lanes: Mutex<Lanes>,
    counts: Counts,
    sealer: Sealer,
    peers: Peers,
    /// For answers. Set once the bus is open.
    bus: OnceLock<Weak<dyn Bus>>,
    /// The nodes that are there beside this one.
    others: Mutex<BTreeSet<NodeId>>,
    logs: Logs,
}

/// Which lanes work. To the hub the bus is there when both are.
#[derive(Debug, Default)]
struct Lanes {
    control: bool,
    voice: bool,
}

/// What came, for the operator.
#[derive(Debug, Default)]
struct Counts {
    frames: AtomicU64,
    malformed: AtomicU64,
}

/// What an operator is told about the bus.
#[derive(Debug, Default)]
pub(crate) struct ClusterFigures {
    /// Nodes that are there, this one not among them.
    pub(crate) others: usize,
    /// Whether the others can be reached.
    pub(crate) is_up: bool,
    /// Messages with frames that this node published.
    pub(crate) voice_out: u64,
    /// Those that did not go out.
    pub(crate) voice_lost: u64,
    /// Messages with frames that came.
    pub(crate) voice_in: u64,
    /// Messages that could not be read.
    pub(crate) malformed: u64,
    /// Messages that were not made with the cluster's secret, or came twice, or were too many.
    pub(crate) refused: u64,
    /// Values of the store that were not made with it.
    pub(crate) store_refused: u64,
}

impl Cluster {
    /// Joins the others. `store_refused` counts what the store of the cluster has dropped.
    pub(crate) fn join(
        nats: &Nats,
        store_refused: Arc<AtomicU64>,
        hub: HubHandle,
        workers: Vec<mpsc::UnboundedSender<ToWorker>>,
        clock: Clock,
    ) -> Result<Self, BusError> {
        let node = NodeId(u64::from_be_bytes(random()));
        let secret = nats.read_secret()?;
        let intake = Intake::new(node, websocket::voice_framing);
        mutant!(let intake = intake.broken(crate::mutants::active()));
        let side = Arc::new(Side {
            hub,
            workers,
            clock,
            intake: Mutex::new(intake),
            lanes: Mutex::default(),
            counts: Counts::default(),
            sealer: Sealer::of(&secret, &nats.prefix, node),
            peers: Peers::new(secret, &nats.prefix, node),
            bus: OnceLock::new(),
            others: Mutex::default(),
            logs: Logs::default(),
        });
        let bus = OverNats::open(nats, node.0, side.hearer(Lane::Control), side.hearer(Lane::Voice))?;
        bus.subscribe(Lane::Control, logs::QUESTIONS);
        bus.subscribe(Lane::Control, &logs::answers_to(node));
        let bus: Arc<dyn Bus> = Arc::new(bus);
        // Set once, here.
        side.bus.set(Arc::downgrade(&bus)).ok();
        Ok(Self { node, bus, side, store_refused })
    }

    /// The number of this start of the node.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// Does what the hub says.
    pub(crate) fn carry_out(&self, output: NodeOutput) {
        match output {
            NodeOutput::Publish { subject, message } => {
                let bytes = Envelope { from: self.node, message: *message }.to_bytes();
                // The message may have a cell, and writing it left copies on the stack.
                scrub_stack();
                self.publish(lane(&subject), &subject.to_string(), &[&bytes]);
            }
            NodeOutput::Subscribe(subject) => self.bus.subscribe(lane(&subject), &subject.to_string()),
            NodeOutput::Unsubscribe(subject) => self.bus.unsubscribe(lane(&subject), &subject.to_string()),
            NodeOutput::Hear { node, burst, local } => {
                let mut intake = self.side.intake();
                intake.hear(node, burst, local);
                self.side.pass_on(&mut intake);
            }
            NodeOutput::Unhear { node, burst } => {
                self.side.intake().unhear(node, burst, self.side.clock.now());
            }
            NodeOutput::News(news) => {
                self.side.note(&news);
                tell(&news);
            }
            // The thread of the hub gives this to the right worker.
            NodeOutput::Relay { .. } => {}
        }
    }

    /// Publishes a frame of a talker of ours, once for all nodes.
    pub(crate) fn relay(&self, relay: &Relay, packet: &Packet) {
        let message = Frames::to_bytes(self.node, [packet.message()]);
        self.publish(Lane::Voice, relay.subject(), &[&message]);
    }

    /// Seals and publishes.
    fn publish(&self, lane: Lane, subject: &str, parts: &[&[u8]]) {
        self.bus.publish(lane, subject, &[&self.side.sealer.seal(lane, subject, parts)]);
    }

    pub(crate) fn figures(&self) -> ClusterFigures {
        let (voice_out, voice_lost) = self.bus.counts(Lane::Voice);
        let lanes = lock(&self.side.lanes);
        let Counts { frames, malformed } = &self.side.counts;
        ClusterFigures {
            others: lock(&self.side.others).len(),
            is_up: lanes.control && lanes.voice,
            voice_out,
            voice_lost,
            voice_in: frames.load(Ordering::Relaxed),
            malformed: malformed.load(Ordering::Relaxed),
            refused: self.side.peers.refused(),
            store_refused: self.store_refused.load(Ordering::Relaxed),
        }
    }

    /// Leaves the others.
    pub(crate) fn leave(&self) {
        self.bus.close();
    }
}

impl Side {
    fn hearer(self: &Arc<Self>, lane: Lane) -> Hearer {
        let side = self.clone();
        Box::new(move |event| match event {
            Event::Up => side.turn(lane, true),
            Event::Down => side.turn(lane, false),
            Event::Tick => side.intake().handle_timeout(side.clock.now()),
            Event::Message { subject, payload } => {
                match side.peers.hear(lane, subject, payload, &side.sealer, side.clock.now()) {
                    Verdict::Said(from, said) => side.hear(from, subject, &said),
                    Verdict::Reply(to, words) => side.reply(to, &words),
                    Verdict::Nothing => {}
                }
            }
        })
    }

    /// Handles what a believed node says. A node may speak only for itself.
    fn hear(&self, from: NodeId, subject: &str, said: &[u8]) {
        let good = if Frames::is_next(said) {
            said.get(1..9) == Some(&from.0.to_be_bytes()[..]) && self.frames(said)
        } else if subject.starts_with(logs::QUESTIONS) {
            self.logs.message(from, subject, said)
        } else {
            self.message(from, said)
        };
        if !good {
            self.counts.malformed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn reply(&self, to: NodeId, words: &[u8]) {
        let subject = Subject::Node(to).to_string();
        if let Some(bus) = self.bus.get().and_then(Weak::upgrade) {
            bus.publish(Lane::Control, &subject, &[&self.sealer.seal(Lane::Control, &subject, &[words])]);
        }
    }

    /// Notes whether a lane works.
    fn turn(&self, lane: Lane, works: bool) {
        let mut lanes = lock(&self.lanes);
        let before = lanes.control && lanes.voice;
        match lane {
            Lane::Control => lanes.control = works,
            Lane::Voice => lanes.voice = works,
        }
        match (before, lanes.control && lanes.voice) {
            (false, true) => self.hub.input(Input::Node(NodeInput::Up)),
            (true, false) => self.hub.input(Input::Node(NodeInput::Down)),
            (true, true) | (false, false) => {}
        }
    }

    fn note(&self, news: &NodeNews) {
        let mut others = lock(&self.others);
        match news {
            NodeNews::Met { node, .. } => drop(others.insert(*node)),
            NodeNews::Lost { node, .. } => drop(others.remove(node)),
            NodeNews::SameName { .. } => {}
        }
    }

    fn message(&self, from: NodeId, payload: &[u8]) -> bool {
        let parsed = Envelope::parse(payload);
        // The message may have a cell, and reading it left copies on the stack.
        scrub_stack();
        let envelope = parsed.ok().filter(|envelope| envelope.from == from);
        let is_good = envelope.is_some();
        envelope.into_iter().for_each(|envelope| self.hub.input(Input::Node(NodeInput::Message(envelope))));
        is_good
    }

    fn frames(&self, payload: &[u8]) -> bool {
        let mut intake = self.intake();
        let is_good = intake.message(payload, self.clock.now()).is_ok();
        self.counts.frames.fetch_add(u64::from(is_good), Ordering::Relaxed);
        self.pass_on(&mut intake);
        is_good
    }

    /// Called with the intake locked, so that frames keep their order.
    fn pass_on(&self, intake: &mut Intake) {
        while let Some(output) = intake.poll() {
            match output {
                IntakeOutput::Frame { burst, packet } => {
                    for worker in &self.workers {
                        // A worker that has ended serves nobody any more.
                        worker.send(ToWorker::Frame { burst, packet: packet.clone() }).ok();
                    }
                }
                IntakeOutput::Unannounced { node, burst } => {
                    self.hub.input(Input::Node(NodeInput::Unannounced { node, burst }));
                }
            }
        }
    }

    fn intake(&self) -> MutexGuard<'_, Intake> {
        lock(&self.intake)
    }
}

fn lane(subject: &Subject) -> Lane {
    if subject.is_voice() { Lane::Voice } else { Lane::Control }
}

fn tell(news: &NodeNews) {
    match news {
        NodeNews::Met { name, .. } => tracing::info!(node = %name, "another node is there"),
        NodeNews::Lost { name, .. } => tracing::warn!(node = %name, "a node is gone"),
        NodeNews::SameName { name, .. } => {
            tracing::error!(node = %name, "two nodes have this name: give one of them another with --node NAME");
        }
    }
}
