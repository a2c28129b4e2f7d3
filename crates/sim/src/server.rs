//! The server's shell: a hub and its workers. Between them lie queues that take time, each
//! read in the order in which it was written, as between threads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_core::front::{Dispatch, Handover, Order, Port, PortOutput, Round, Unwritten};
use tenfour_core::hub::{Hub, HubConfig, HubFigures, Input, ResumeToken};
use tenfour_core::mutants::Mutants;
use tenfour_core::voice::{Deck, DeckFigures, Item, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::ServerMessage;

use crate::context::{Context, Event, Sleeper};
use crate::letters::{Caller, Down, Task, Up};

/// Messages that a connection's send queue takes before the socket refuses more.
const WINDOW: usize = 256;
/// Time in which a worker writes one message, so that a listener who is served later gets it later.
const WRITE: Duration = Duration::from_micros(5);
/// Longest stay in a queue between threads.
const QUEUE: Duration = Duration::from_millis(3);

struct Conn {
    client: usize,
    worker: usize,
    port: Port,
    /// Control that the window did not take.
    control: VecDeque<Down>,
    /// Room that is left in the window.
    room: usize,
}

/// The server.
pub struct Server {
    hub: Hub,
    dispatch: Dispatch<ServerMessage>,
    decks: Vec<Deck<ServerMessage>>,
    conns: BTreeMap<ConnId, Conn>,
    /// The worker of each connection, also of one that is gone.
    homes: BTreeMap<ConnId, usize>,
    /// When the last thing in each queue comes out: nothing overtakes it.
    hub_queue: Time,
    worker_queues: Vec<Time>,
    mutants: Mutants,
}

impl Server {
    /// A server with `workers` workers.
    pub fn new(config: HubConfig, workers: usize) -> Self {
        let hold = config.hold;
        Self {
            mutants: config.mutants,
            hub: Hub::new(config),
            dispatch: Dispatch::new(workers),
            decks: (0..workers).map(|_| Deck::new(hold)).collect(),
            conns: BTreeMap::new(),
            homes: BTreeMap::new(),
            hub_queue: Time::ZERO,
            worker_queues: vec![Time::ZERO; workers],
        }
    }

    /// A client's socket arrives.
    pub fn accept(&mut self, caller: Caller, conn: ConnId, cx: &mut Context) {
        let worker = cx.rng.usize(0..self.decks.len());
        self.homes.insert(conn, worker);
        let port = Port::new(conn, unframed, cx.now()).broken(self.mutants);
        let Caller { client, login, user, person } = caller;
        self.conns.insert(conn, Conn { client, worker, port, control: VecDeque::new(), room: WINDOW });
        let mut token = [0; 32];
        cx.rng.fill(&mut token);
        self.queue_for_hub(
            Input::Connected { conn, login, user, address: None, person, token: ResumeToken(token) },
            cx,
        );
    }

    /// A message arrives from a client.
    pub fn receive(&mut self, conn: ConnId, up: Up, cx: &mut Context) {
        let now = cx.now();
        let Some(state) = self.conns.get_mut(&conn) else { return };
        match up {
            Up::Voice(bytes) => state.port.frame(&bytes, now),
            Up::Pong => state.port.alive(now),
            Up::Text(message) => {
                if let Some(input) = state.port.message(message, now) {
                    self.queue_for_hub(input, cx);
                }
            }
        }
        self.drain_port(conn, cx);
    }

    /// The socket is gone: closed by the client, or given up.
    pub fn disconnect(&mut self, conn: ConnId, cx: &mut Context) {
        let now = cx.now();
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.port.end(now);
        self.drain_port(conn, cx);
        let state = self.conns.remove(&conn).expect("looked up above");
        self.decks[state.worker].remove(conn);
    }

    /// The client's side took a message out of the window.
    pub fn window(&mut self, conn: ConnId, cx: &mut Context) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.room += 1;
        self.write(conn, Duration::ZERO, cx);
    }

    /// The hub takes the next input of its queue.
    pub fn hub(&mut self, input: Input, cx: &mut Context) {
        cx.log(|| format!("hub <- {input:?}"));
        cx.model.hub_hears(&input, cx.now());
        self.hub.handle(input, cx.now());
        self.drain_hub(cx);
    }

    /// The hub's timer.
    pub fn hub_timeout(&mut self, cx: &mut Context) {
        self.hub.handle_timeout(cx.now());
        self.drain_hub(cx);
    }

    /// A worker takes the next task of its queue.
    pub fn worker(&mut self, worker: usize, task: Task, cx: &mut Context) {
        let now = cx.now();
        let deck = &mut self.decks[worker];
        match task {
            Task::Frame(burst, packet) => deck.append(burst, packet, now),
            Task::Orders(orders) => orders.into_iter().for_each(|order| self.obey(worker, order, cx)),
        }
        self.pump(worker, cx);
    }

    /// The timers of a worker: its deck's and its connections' ports'.
    pub fn worker_timeout(&mut self, worker: usize, cx: &mut Context) {
        let now = cx.now();
        self.decks[worker].handle_timeout(now);
        let due = |conn: &Conn| conn.worker == worker && conn.port.poll_timeout().is_some_and(|at| at <= now);
        let conns: Vec<_> = self.conns.iter().filter(|(_, conn)| due(conn)).map(|(id, _)| *id).collect();
        for id in conns {
            self.conns.get_mut(&id).expect("listed above").port.handle_timeout(now);
            self.drain_port(id, cx);
        }
        let here = self.conns.values().filter(|conn| conn.worker == worker);
        if let Some(at) = here.filter_map(|conn| conn.port.poll_timeout()).min() {
            cx.wake(Sleeper::Worker(worker), at);
        }
        self.pump(worker, cx);
    }

    /// When the oldest frame arrived that any worker holds.
    pub fn oldest(&self) -> Option<Time> {
        self.decks.iter().filter_map(|deck| deck.figures().oldest).min()
    }

    /// What is left of anybody: nothing when everyone has gone and the hold is over.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.hub.figures() != HubFigures::default() {
            left.push(format!("hub: {:?}", self.hub.figures()));
        }
        for deck in self.decks.iter().filter(|deck| deck.figures() != DeckFigures::default()) {
            left.push(format!("deck: {:?}", deck.figures()));
        }
        left.extend(self.conns.keys().map(|conn| format!("connection {conn:?}")));
        left
    }

    fn obey(&mut self, worker: usize, order: Order<ServerMessage>, cx: &mut Context) {
        match order {
            Order::Send { to, message } => {
                to.into_iter().for_each(|conn| self.send(conn, Down::Text(message.clone()), cx));
            }
            Order::Deck(order) => {
                let is_here = |conn| self.conns.contains_key(&conn);
                order.carry_out(&mut self.decks[worker], is_here, cx.now());
            }
            Order::Port { conn, order } => match self.conns.get_mut(&conn) {
                Some(state) => {
                    state.port.obey(order, cx.now());
                    self.drain_port(conn, cx);
                }
                None => order.without_port(conn).into_iter().for_each(|input| self.queue_for_hub(input, cx)),
            },
            Order::Relay { .. } => {}
            Order::Disconnect { conn, code } => {
                self.send(conn, Down::Close(code), cx);
                self.disconnect(conn, cx);
            }
        }
    }

    fn drain_port(&mut self, id: ConnId, cx: &mut Context) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let (client, worker) = (conn.client, conn.worker);
        let mut outputs = Vec::new();
        while let Some(output) = conn.port.poll() {
            outputs.push(output);
        }
        if let Some(at) = conn.port.poll_timeout() {
            cx.wake(Sleeper::Worker(worker), at);
        }
        for output in outputs {
            match output {
                PortOutput::Frame { burst, packet } => {
                    cx.model.relayed(burst, &packet, cx.schedule.now());
                    for worker in 0..self.decks.len() {
                        self.queue_for_worker(worker, Task::Frame(burst, packet.clone()), cx);
                    }
                }
                PortOutput::Hub(input) => {
                    if let Input::BurstClosed { local, frames, reason, .. } = input {
                        cx.model.closed(client, local, frames, reason, cx.schedule.now());
                    }
                    self.queue_for_hub(input, cx);
                }
                PortOutput::Send(message) => self.send(id, Down::Text(message), cx),
                PortOutput::Ping => self.send(id, Down::Ping, cx),
            }
        }
    }

    fn drain_hub(&mut self, cx: &mut Context) {
        while let Some(output) = self.hub.poll() {
            cx.log(|| format!("hub -> {output:?}"));
            cx.model.hub_says(
                &output,
                |conn| self.conns.get(&conn).map(|conn| conn.client),
                cx.schedule.now(),
            );
            let before = self.dispatch.take(output, &Unwritten(|conn| self.homes[&conn]));
            before.into_iter().for_each(|round| self.hand_over(round, cx));
        }
        let rest = self.dispatch.rest();
        self.hand_over(rest, cx);
        cx.model.hub_is_done(self.hub.figures(), cx.schedule.now());
        if let Some(at) = self.hub.poll_timeout() {
            cx.wake(Sleeper::Hub, at);
        }
    }

    fn hand_over(&mut self, round: Round<ServerMessage>, cx: &mut Context) {
        for handover in round.handovers() {
            // Without other nodes the hub has nothing for the bus.
            if let Handover::Worker(worker, orders) = handover {
                self.queue_for_worker(worker, Task::Orders(orders), cx);
            }
        }
    }

    /// Writes what is due on a worker, as far as the windows allow.
    fn pump(&mut self, worker: usize, cx: &mut Context) {
        let mut written = 0;
        while let Some(turn) = self.decks[worker].due(cx.now()) {
            written += turn.listener().map_or(1, |conn| self.write(conn, WRITE * written, cx));
        }
        let deck = &mut self.decks[worker];
        for at in deck.poll_timeout().into_iter().chain(deck.next_due()) {
            cx.wake(Sleeper::Worker(worker), at);
        }
    }

    /// Writes control, then voice, until the window is full, from `after` on. Gives the number of messages.
    fn write(&mut self, id: ConnId, after: Duration, cx: &mut Context) -> u32 {
        let Some(conn) = self.conns.get_mut(&id) else { return 0 };
        let mut written = 0;
        while conn.room > 0 {
            let Some(message) = conn.control.pop_front() else { break };
            conn.room -= 1;
            cx.down(conn.client, id, message, after + WRITE * written);
            written += 1;
        }
        let deck = &mut self.decks[conn.worker];
        let mut items = Vec::new();
        while conn.room > 0 {
            items.clear();
            deck.gather(id, conn.room, &mut items);
            if items.is_empty() {
                break;
            }
            conn.room -= items.len();
            for item in &items {
                if let Item::Voice(packet) = item {
                    cx.model.written(conn.client, id, packet, cx.schedule.now());
                }
                cx.down(conn.client, id, down(item), after + WRITE * written);
                written += 1;
            }
            deck.advance(id, items.len());
        }
        written
    }

    fn send(&mut self, id: ConnId, message: Down, cx: &mut Context) {
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.control.push_back(message);
            self.write(id, Duration::ZERO, cx);
        }
    }

    fn queue_for_hub(&mut self, input: Input, cx: &mut Context) {
        self.hub_queue = cx.queued(self.hub_queue, QUEUE);
        cx.schedule.at(self.hub_queue, Event::Hub(input));
    }

    fn queue_for_worker(&mut self, worker: usize, task: Task, cx: &mut Context) {
        self.worker_queues[worker] = cx.queued(self.worker_queues[worker], QUEUE);
        cx.schedule.at(self.worker_queues[worker], Event::Worker(worker, task));
    }
}

fn down(item: &Item<ServerMessage>) -> Down {
    match item {
        Item::Started(message) | Item::Ended(message) => Down::Text(message.clone()),
        Item::Gap { burst, from, to } => {
            Down::Text(ServerMessage::BurstGap { burst: *burst, from: *from, to: *to })
        }
        Item::Voice(packet) => Down::Voice(packet.message().to_vec()),
    }
}
