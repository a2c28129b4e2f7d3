//! This node among others: between the bus on one side, and the hub and the workers on the other.
//!
//! What is rare goes through the hub. Frames do not: a talker's worker hands each of them to the bus once,
//! and those of other nodes go from the bus to every worker's deck.

mod logs;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenfour_core::hub::{Input, NodeInput, NodeNews, NodeOutput};
use tenfour_core::reach::scrub_stack;
use tenfour_core::voice::{Intake, IntakeOutput, Packet};
use tenfour_protocol::node::{Envelope, Frames, NodeId, Subject};
use tokio::sync::mpsc;

use crate::auth::random;
use crate::bus::{Bus, BusError, Event, Hearer, Lane, OverNats};
use crate::clock::Clock;
use crate::hub_thread::HubHandle;
use crate::nats::Nats;
use crate::worker::{ToWorker, codec};
use logs::Logs;

/// The other nodes, for whoever has something for them.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    node: NodeId,
    bus: Arc<dyn Bus>,
    side: Arc<Side>,
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
    /// Messages that are none of ours.
    pub(crate) malformed: u64,
}

/// Where a talker's frames go, beside this node's listeners.
#[derive(Debug)]
pub(crate) struct Relay(String);

impl Cluster {
    /// Joins the others.
    pub(crate) fn join(
        nats: &Nats,
        hub: HubHandle,
        workers: Vec<mpsc::UnboundedSender<ToWorker>>,
        clock: Clock,
    ) -> Result<Self, BusError> {
        let node = NodeId(u64::from_be_bytes(random()));
        let intake = Intake::new(node, codec::voice_framing);
        #[cfg(feature = "mutants")]
        let intake = intake.broken(crate::mutants::active());
        let side = Arc::new(Side {
            hub,
            workers,
            clock,
            intake: Mutex::new(intake),
            lanes: Mutex::default(),
            counts: Counts::default(),
            others: Mutex::default(),
            logs: Logs::default(),
        });
        let bus = OverNats::open(nats, node.0, side.hearer(Lane::Control), side.hearer(Lane::Voice))?;
        bus.subscribe(Lane::Control, logs::QUESTIONS);
        bus.subscribe(Lane::Control, &logs::answers_to(node));
        Ok(Self { node, bus: Arc::new(bus), side })
    }

    /// The number of this start of the node.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// Does what the hub says. `deliver` gives the workers what was said to them before.
    pub(crate) fn carry_out(&self, output: NodeOutput) {
        match output {
            NodeOutput::Publish { subject, message } => {
                let bytes = Envelope { from: self.node, message: *message }.to_bytes();
                // It may have had a cell, which was moved about while it was written.
                scrub_stack();
                self.bus.publish(lane(&subject), &subject.to_string(), &[&bytes]);
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
            // For a worker: the thread of the hub gives it to the right one.
            NodeOutput::Relay { .. } => {}
        }
    }

    /// Publishes a frame of a talker of ours, once for all nodes.
    pub(crate) fn relay(&self, relay: &Relay, packet: &Packet) {
        let message = Frames::to_bytes(self.node, [packet.message()]);
        self.bus.publish(Lane::Voice, &relay.0, &[&message]);
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
        }
    }

    /// Leaves the others.
    pub(crate) fn leave(&self) {
        self.bus.close();
    }
}

impl Relay {
    pub(crate) fn to(subject: &Subject) -> Self {
        Self(subject.to_string())
    }
}

impl Side {
    fn hearer(self: &Arc<Self>, lane: Lane) -> Hearer {
        let side = self.clone();
        Box::new(move |event| match event {
            Event::Up => side.turn(lane, true),
            Event::Down => side.turn(lane, false),
            Event::Tick => side.intake().handle_timeout(side.clock.now()),
            Event::Message { payload, .. } if Frames::is_next(payload) => side.frames(payload),
            Event::Message { subject, payload } if subject.starts_with(logs::QUESTIONS) => {
                if side.logs.message(subject, payload).is_err() {
                    side.counts.malformed.fetch_add(1, Ordering::Relaxed);
                }
            }
            Event::Message { payload, .. } => side.message(payload),
        })
    }

    /// A lane works, or does not any more.
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

    fn message(&self, payload: &[u8]) {
        let parsed = Envelope::parse(payload);
        // It may have had a cell, which was moved about while it was read.
        scrub_stack();
        match parsed {
            Ok(envelope) => self.hub.input(Input::Node(NodeInput::Message(envelope))),
            Err(_) => drop(self.counts.malformed.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn frames(&self, payload: &[u8]) {
        let mut intake = self.intake();
        match intake.message(payload, self.clock.now()) {
            Ok(()) => self.counts.frames.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.counts.malformed.fetch_add(1, Ordering::Relaxed),
        };
        self.pass_on(&mut intake);
    }

    /// While the intake is locked, so that frames keep their order.
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

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
