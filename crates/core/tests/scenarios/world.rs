//! A hub, two workers and any number of clients, on one clock and without a network.

mod bus;
mod decks;
mod messages;
mod places;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tenfour_core::front::{Dispatch, Handover, Order, Port, PortOutput, Unwritten};
use tenfour_core::hub::{AddressNo, Hub, HubConfig, Input, Output, ResumeToken};
use tenfour_core::voice::{Deck, Framing, Uplink, unframed};
use tenfour_core::{ConnId, Time, mutant};
use tenfour_protocol::{BurstNo, ClientMessage, Code, Handle, Person, ServerMessage, UserId};

pub(crate) use self::bus::*;
pub(crate) use self::decks::*;
pub(crate) use self::messages::*;
pub(crate) use self::places::*;

/// What a client got, in its order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Got {
    Control(ServerMessage),
    Voice { burst: u32, seq: u16, at: Time },
}

struct Client {
    worker: usize,
    port: Port,
    got: Vec<Got>,
    stalled: bool,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) hub: Hub,
    dispatch: Dispatch<ServerMessage>,
    pub(crate) decks: Vec<Deck<ServerMessage>>,
    pub(crate) closed: BTreeMap<ConnId, Code>,
    /// Those whose link answers nothing for now.
    pub(crate) stalled: BTreeSet<ConnId>,
    clients: BTreeMap<ConnId, Client>,
    inputs: VecDeque<Input>,
    /// The listeners of the newest burst, in their order.
    opened: Vec<ConnId>,
    /// Each turn that was given, and how much was written or would have been.
    pub(crate) turns: Vec<Given>,
    connections: u64,
    /// What it has of the bus, in a cluster.
    bus: Option<Bus>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(HubConfig::default())
    }

    pub(crate) fn with(config: HubConfig) -> Self {
        mutant!(let config = HubConfig { mutants: mutants(), ..config });
        let deck = || Deck::new(config.hold).broken(config.mutants);
        let decks = vec![deck(), deck()];
        Self {
            now: Time::from_micros(1_000_000),
            hub: Hub::new(config),
            dispatch: Dispatch::new(decks.len()),
            decks,
            closed: BTreeMap::new(),
            stalled: BTreeSet::new(),
            clients: BTreeMap::new(),
            inputs: VecDeque::new(),
            opened: Vec::new(),
            turns: Vec::new(),
            connections: 0,
            bus: None,
        }
    }

    /// A connection of a user called `name`, whose log-in is the name too.
    pub(crate) fn connect(&mut self, name: &str) -> ConnId {
        self.connect_from(name, None)
    }

    /// The same from an address.
    pub(crate) fn connect_from(&mut self, name: &str, address: Option<u64>) -> ConnId {
        let address = address.map(AddressNo);
        self.connections += 1;
        let conn = ConnId(self.connections);
        let mut key = [0; 32];
        key[..name.len()].copy_from_slice(name.as_bytes());
        let user = UserId::of_key(&key);
        let handle = Handle::parse(name).unwrap();
        let person = Person { handle, tag: user.tag(), description: None, country: None };
        let mut token = [0; 32];
        token[..8].copy_from_slice(&self.connections.to_be_bytes());
        let client =
            Client { worker: worker_of(conn), port: port(conn, self.now), got: Vec::new(), stalled: false };
        self.clients.insert(conn, client);
        let login = login_of(name);
        self.tell(Input::Connected { conn, login, user, address, person, token: ResumeToken(token) });
        conn
    }

    /// A connection that has said hello.
    pub(crate) fn greet(&mut self, name: &str) -> ConnId {
        let conn = self.connect(name);
        self.send(conn, hello(None));
        conn
    }

    /// A connection that is tuned to `on`.
    pub(crate) fn tuned(&mut self, name: &str, on: &str) -> ConnId {
        let conn = self.greet(name);
        self.tune(conn, on);
        conn
    }

    pub(crate) fn tune(&mut self, conn: ConnId, on: &str) {
        self.send(conn, ClientMessage::Tune { channel: channel(on), catch_up: false });
    }

    /// A control message, as a worker handles it.
    pub(crate) fn send(&mut self, conn: ConnId, message: ClientMessage) {
        let port = &mut self.clients.get_mut(&conn).expect("connected").port;
        self.inputs.extend(port.message(message, self.now));
        self.settle();
    }

    pub(crate) fn press(&mut self, conn: ConnId, on: &str, local: u32) {
        self.send(conn, start(on, local));
    }

    pub(crate) fn release(&mut self, conn: ConnId, local: u32) {
        self.send(conn, ClientMessage::BurstEnd { burst: BurstNo(local), frames: 0 });
    }

    /// One frame, now.
    pub(crate) fn speak(&mut self, conn: ConnId, local: u32, seq: u16) {
        self.binary(conn, &frame(local, seq));
    }

    /// Frames at their pace.
    pub(crate) fn speak_for(&mut self, conn: ConnId, local: u32, seqs: std::ops::Range<u16>) {
        for seq in seqs {
            self.speak(conn, local, seq);
            self.run(FRAME);
        }
    }

    pub(crate) fn binary(&mut self, conn: ConnId, bytes: &[u8]) {
        let now = self.now;
        self.clients.get_mut(&conn).expect("connected").port.frame(bytes, now);
        self.settle();
    }

    /// The client is gone.
    pub(crate) fn drop_link(&mut self, conn: ConnId) {
        self.cut(conn);
        self.settle();
    }

    /// The client's socket takes nothing, or takes everything again.
    pub(crate) fn stall(&mut self, conn: ConnId, stalled: bool) {
        self.clients.get_mut(&conn).expect("connected").stalled = stalled;
        if !stalled {
            self.write(conn);
        }
        self.settle();
    }

    pub(crate) fn tell(&mut self, input: Input) {
        self.inputs.push_back(input);
        self.settle();
    }

    /// Lets `time` pass, with everything that is due in it.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next_timeout().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.hub.handle_timeout(self.now);
            for deck in &mut self.decks {
                deck.handle_timeout(self.now);
            }
            for client in self.clients.values_mut() {
                client.port.handle_timeout(self.now);
            }
            self.bus.iter_mut().for_each(|bus| bus.intake.handle_timeout(self.now));
            self.settle();
        }
        self.now = end;
    }

    /// Takes what a client got.
    pub(crate) fn take(&mut self, conn: ConnId) -> Vec<Got> {
        self.clients.get_mut(&conn).map(|client| std::mem::take(&mut client.got)).unwrap_or_default()
    }

    /// Takes what a client got, control messages only.
    pub(crate) fn control(&mut self, conn: ConnId) -> Vec<ServerMessage> {
        let control = |got| match got {
            Got::Control(message) => Some(message),
            Got::Voice { .. } => None,
        };
        self.take(conn).into_iter().filter_map(control).collect()
    }

    /// Takes what a client got, and returns the sequence numbers of the voice of `burst`.
    pub(crate) fn voice(&mut self, conn: ConnId, burst: u32) -> Vec<u16> {
        voice_in(&self.take(conn), burst)
    }

    /// A burst of one frame, and its listeners in their order.
    pub(crate) fn order_of(&mut self, conn: ConnId, local: u32) -> Vec<ConnId> {
        self.run(Duration::from_secs(1));
        self.opened.clear();
        self.press(conn, "19", local);
        self.speak(conn, local, 0);
        self.release(conn, local);
        self.opened.clone()
    }

    pub(crate) fn last(&mut self, conn: ConnId) -> ServerMessage {
        self.control(conn).pop().expect("a message")
    }

    pub(crate) fn is_empty(&self) -> bool {
        let hub = self.hub.figures();
        let decks = self.decks.iter().all(|deck| deck.figures() == Default::default());
        hub == Default::default() && decks && self.clients.is_empty()
    }

    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let decks = self.decks.iter().filter_map(Deck::poll_timeout);
        let uplinks = self.clients.values().filter_map(|client| client.port.poll_timeout());
        let intake = self.bus.iter().filter_map(|bus| bus.intake.poll_timeout());
        self.hub.poll_timeout().into_iter().chain(decks).chain(uplinks).chain(intake).min()
    }

    fn settle(&mut self) {
        loop {
            self.drain_hub();
            self.drain_ports();
            self.drain_decks();
            let Some(input) = self.inputs.pop_front() else { return };
            self.hub.handle(input, self.now);
        }
    }

    fn drain_hub(&mut self) {
        while let Some(output) = self.hub.poll() {
            if let Output::Open(route) = &output {
                self.opened = route.listeners().map(|listener| listener.conn).collect();
            }
            let handovers = self.dispatch.at_once(output, &Unwritten(worker_of));
            handovers.for_each(|handover| self.carry_out(handover));
        }
    }

    fn carry_out(&mut self, handover: Handover<ServerMessage>) {
        match handover {
            Handover::Worker(worker, orders) => {
                orders.into_iter().for_each(|order| self.obey(worker, order));
            }
            Handover::Bus(output) => self.carry_out_on_bus(output),
        }
    }

    fn obey(&mut self, worker: usize, order: Order<ServerMessage>) {
        let now = self.now;
        match order {
            Order::Send { to, message } => {
                for conn in to {
                    self.get(conn, Got::Control(message.clone()));
                }
            }
            Order::Deck(order) => {
                order.carry_out(&mut self.decks[worker], |conn| self.clients.contains_key(&conn), now);
            }
            Order::Port { conn, order } => match self.clients.get_mut(&conn) {
                Some(client) => client.port.obey(order, now),
                None => self.inputs.extend(order.without_port(conn)),
            },
            Order::Relay { burst, subject, .. } => self.relay_to(burst, subject),
            Order::Disconnect { conn, code } => {
                self.drain_decks();
                self.closed.insert(conn, code);
                self.cut(conn);
            }
        }
    }

    fn cut(&mut self, conn: ConnId) {
        let Some(client) = self.clients.get_mut(&conn) else { return };
        client.port.end(self.now);
        self.drain_ports();
        self.clients.remove(&conn);
        self.decks.iter_mut().for_each(|deck| deck.remove(conn));
    }

    fn drain_ports(&mut self) {
        for (conn, client) in &mut self.clients {
            while let Some(output) = client.port.poll() {
                match output {
                    PortOutput::Frame { burst, packet } => {
                        for deck in &mut self.decks {
                            deck.append(burst, packet.clone(), self.now);
                        }
                        self.bus.iter_mut().for_each(|bus| bus.relay(burst, &packet));
                    }
                    PortOutput::Hub(input) => self.inputs.push_back(input),
                    PortOutput::Send(message) => client.got.push(Got::Control(message)),
                    PortOutput::Ping if self.stalled.contains(conn) => {}
                    PortOutput::Ping => client.port.alive(self.now),
                }
            }
        }
    }

    fn get(&mut self, conn: ConnId, got: Got) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.got.push(got);
        }
    }
}

fn port(conn: ConnId, now: Time) -> Port {
    let port = Port::new(conn, unframed, now);
    mutant!(let port = port.broken(mutants()));
    port
}

/// An uplink, broken as the environment asks for.
pub(crate) fn uplink(framing: Framing, now: Time) -> Uplink {
    let uplink = Uplink::new(framing, now);
    mutant!(let uplink = uplink.broken(mutants()));
    uplink
}

fn worker_of(conn: ConnId) -> usize {
    (conn.0 % 2) as usize
}

/// What the environment asks to be broken: a test must notice.
#[cfg(feature = "mutants")]
pub(crate) fn mutants() -> tenfour_core::mutants::Mutants {
    use tenfour_core::mutants::{Mutants, VARIABLE};
    let named = std::env::var_os(VARIABLE);
    Mutants::of_process(named.as_ref().and_then(|named| named.to_str()))
}
