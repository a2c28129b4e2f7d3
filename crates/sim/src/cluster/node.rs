//! A node's shell: hub, one worker and its end of the bus. One step does everything that follows from it: only the
//! other simulation has queues between threads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tenfour_core::front::{DeckOrder, Dispatch, Handover, Order, Port, PortOutput, Unwritten};
use tenfour_core::hub::{ClusterConfig, Hub, HubConfig, Input, NodeInput, NodeOutput, Output};
use tenfour_core::voice::{Deck, Intake, IntakeOutput, Item, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::limits::{TURN, TURNS};
use tenfour_protocol::node::{Envelope, Frames, NodeId, Subject};
use tenfour_protocol::{BurstNo, ClientMessage, ServerMessage};

/// What comes to a node.
#[derive(Debug)]
pub(super) enum Task {
    /// A connection, or anything else for the hub that came from outside.
    Hub(Box<Input>),
    /// A control message of a client.
    Text(ConnId, ClientMessage),
    /// A voice frame of a client.
    Voice(ConnId, Vec<u8>),
    /// A connection is gone.
    Gone(ConnId),
    /// A message from the bus.
    Bus(Vec<u8>),
    /// A timer is due.
    Timeout,
}

/// What goes out of a node, in its order.
#[derive(Debug)]
pub(super) enum Effect {
    /// A control message, or one of a burst.
    Told(ConnId, ServerMessage),
    /// A voice frame.
    Voice(ConnId, Vec<u8>),
    /// Something for the bus.
    Published(Subject, Vec<u8>),
    /// The node closed a connection.
    Closed(ConnId),
    /// An output of the hub, for the judge.
    Said(Output),
    /// A frame of an own burst was relayed.
    Relayed(BurstNo, u16),
}

/// A node.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) hub: Hub,
    pub(super) subscribed: BTreeSet<Subject>,
    /// It does nothing, and what comes waits in the backlog.
    pub(super) paused: bool,
    pub(super) backlog: VecDeque<Task>,
    /// Its connection to the bus is whole, as far as it knows.
    pub(super) up: bool,
    dispatch: Dispatch<ServerMessage>,
    deck: Deck<ServerMessage>,
    ports: BTreeMap<ConnId, Port>,
    intake: Intake,
    relays: BTreeMap<BurstNo, Subject>,
    inputs: VecDeque<Input>,
    /// Its clock is that much ahead.
    skew: Duration,
    effects: Vec<Effect>,
}

impl Node {
    pub(super) fn new(id: u64, number: usize, config: HubConfig, skew: Duration) -> Self {
        let id = NodeId(id);
        let name = format!("node-{number}").parse().expect("a name");
        let deck = Deck::new(config.hold);
        let config = HubConfig { cluster: Some(ClusterConfig { node: id, name }), ..config };
        Self {
            id,
            hub: Hub::new(config),
            subscribed: BTreeSet::new(),
            paused: false,
            backlog: VecDeque::new(),
            up: false,
            dispatch: Dispatch::new(1),
            deck,
            ports: BTreeMap::new(),
            intake: Intake::new(id, unframed),
            relays: BTreeMap::new(),
            inputs: VecDeque::new(),
            skew,
            effects: Vec::new(),
        }
    }

    /// Does what comes, at the world's time.
    pub(super) fn take(&mut self, task: Task, now: Time) -> Vec<Effect> {
        let now = now + self.skew;
        match task {
            Task::Hub(input) => {
                if let Input::Connected { conn, .. } = &*input {
                    self.ports.insert(*conn, Port::new(*conn, unframed, now));
                }
                if let Input::Node(NodeInput::Up | NodeInput::Down) = &*input {
                    self.up = matches!(*input, Input::Node(NodeInput::Up));
                }
                self.inputs.push_back(*input);
            }
            Task::Text(conn, message) => {
                let port = self.ports.get_mut(&conn);
                self.inputs.extend(port.and_then(|port| port.message(message, now)));
            }
            Task::Voice(conn, bytes) => {
                if let Some(port) = self.ports.get_mut(&conn) {
                    port.frame(&bytes, now);
                }
            }
            Task::Gone(conn) => self.cut(conn, now),
            Task::Bus(bytes) if Frames::is_next(&bytes) => {
                self.intake.message(&bytes, now).expect("nodes send frames");
            }
            Task::Bus(bytes) => {
                let message = Envelope::parse(&bytes).expect("nodes send messages");
                self.inputs.push_back(Input::Node(NodeInput::Message(message)));
            }
            Task::Timeout => self.timeout(now),
        }
        self.settle(now);
        std::mem::take(&mut self.effects)
    }

    /// When it wants to be woken, in the world's time.
    pub(super) fn next_timeout(&self) -> Option<Time> {
        let ports = self.ports.values().filter_map(Port::poll_timeout);
        let machines = [self.hub.poll_timeout(), self.deck.poll_timeout(), self.intake.poll_timeout()];
        let next = machines.into_iter().flatten().chain(ports).min();
        next.map(|at| Time::ZERO + at.since(Time::ZERO + self.skew))
    }

    /// Frames that it holds, connections of clients, and frames of others that wait.
    pub(super) fn leftovers(&self) -> (usize, usize, usize) {
        (self.deck.figures().frames, self.ports.len(), self.intake.figures().1)
    }

    fn cut(&mut self, conn: ConnId, now: Time) {
        let Some(port) = self.ports.get_mut(&conn) else { return };
        port.end(now);
        self.drain_ports(now);
        self.ports.remove(&conn);
        self.deck.remove(conn);
    }

    fn timeout(&mut self, now: Time) {
        if self.hub.poll_timeout().is_some_and(|at| at <= now) {
            self.hub.handle_timeout(now);
        }
        self.deck.handle_timeout(now);
        self.intake.handle_timeout(now);
        self.ports.values_mut().for_each(|port| port.handle_timeout(now));
    }

    fn settle(&mut self, now: Time) {
        loop {
            while let Some(output) = self.hub.poll() {
                self.carry_out(output, now);
            }
            self.drain_ports(now);
            self.drain_intake(now);
            self.write(now);
            let Some(input) = self.inputs.pop_front() else { return };
            self.hub.handle(input, now);
        }
    }

    fn carry_out(&mut self, output: Output, now: Time) {
        self.effects.push(Effect::Said(output.clone()));
        for handover in self.dispatch.at_once(output, &Unwritten(|_| 0)) {
            match handover {
                Handover::Worker(_, orders) => orders.into_iter().for_each(|order| self.obey(order, now)),
                Handover::Bus(output) => self.carry_out_on_bus(output, now),
            }
        }
    }

    fn obey(&mut self, order: Order<ServerMessage>, now: Time) {
        match order {
            Order::Send { to, message } => {
                self.effects.extend(to.into_iter().map(|conn| Effect::Told(conn, message.clone())));
            }
            Order::Deck(order) => {
                if let DeckOrder::Close { burst, .. } = &order {
                    self.relays.remove(burst);
                }
                order.carry_out(&mut self.deck, |conn| self.ports.contains_key(&conn), now);
            }
            Order::Port { conn, order } => match self.ports.get_mut(&conn) {
                Some(port) => port.obey(order, now),
                None => self.inputs.extend(order.without_port(conn)),
            },
            Order::Relay { burst, subject, .. } => {
                self.relays.insert(burst, subject);
            }
            Order::Disconnect { conn, .. } => {
                self.effects.push(Effect::Closed(conn));
                self.cut(conn, now);
            }
        }
    }

    fn carry_out_on_bus(&mut self, output: NodeOutput, now: Time) {
        match output {
            NodeOutput::Publish { subject, message } => {
                let bytes = Envelope { from: self.id, message: *message }.to_bytes();
                self.effects.push(Effect::Published(subject, bytes.to_vec()));
            }
            NodeOutput::Subscribe(subject) => {
                self.subscribed.insert(subject);
            }
            NodeOutput::Unsubscribe(subject) => {
                self.subscribed.remove(&subject);
            }
            NodeOutput::Relay { .. } => unreachable!("an order of a worker"),
            NodeOutput::Hear { node, burst, local } => self.intake.hear(node, burst, local),
            NodeOutput::Unhear { node, burst } => self.intake.unhear(node, burst, now),
            NodeOutput::News(_) => {}
        }
    }

    fn drain_ports(&mut self, now: Time) {
        for (&conn, port) in &mut self.ports {
            while let Some(output) = port.poll() {
                match output {
                    PortOutput::Frame { burst, packet } => {
                        self.effects.push(Effect::Relayed(burst, packet.seq()));
                        if let Some(subject) = self.relays.get(&burst) {
                            let frames = Frames::to_bytes(self.id, [packet.message()]);
                            self.effects.push(Effect::Published(subject.clone(), frames.to_vec()));
                        }
                        self.deck.append(burst, packet, now);
                    }
                    PortOutput::Hub(input) => self.inputs.push_back(input),
                    PortOutput::Send(message) => self.effects.push(Effect::Told(conn, message)),
                    // Nobody answers a ping here: links work or are gone.
                    PortOutput::Ping => {}
                }
            }
        }
    }

    fn drain_intake(&mut self, now: Time) {
        while let Some(output) = self.intake.poll() {
            match output {
                IntakeOutput::Frame { burst, packet } => self.deck.append(burst, packet, now),
                IntakeOutput::Unannounced { node, burst } => {
                    self.inputs.push_back(Input::Node(NodeInput::Unannounced { node, burst }));
                }
            }
        }
    }

    fn write(&mut self, now: Time) {
        let mut items = Vec::new();
        // Turns take no time here.
        while let Some(turn) = self.deck.due(now + TURN * 2 * u32::from(TURNS)) {
            let Some(conn) = turn.listener() else { continue };
            loop {
                items.clear();
                self.deck.gather(conn, 16, &mut items);
                if items.is_empty() {
                    break;
                }
                self.deck.advance(conn, items.len());
                self.effects.extend(items.drain(..).map(|item| match item {
                    Item::Started(message) | Item::Ended(message) => Effect::Told(conn, message),
                    Item::Gap { burst, from, to } => {
                        Effect::Told(conn, ServerMessage::BurstGap { burst, from, to })
                    }
                    Item::Voice(packet) => Effect::Voice(conn, packet.message().to_vec()),
                }));
            }
        }
    }
}
