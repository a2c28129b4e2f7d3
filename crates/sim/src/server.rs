//! The server's shell: a hub and its workers. Between them lie queues that take time, each
//! read in the order in which it was written, as between threads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_core::hub::{Hub, HubConfig, HubFigures, Input, Output, Recipients, ResumeToken, Tuned};
use tenfour_core::voice::{Deck, DeckFigures, Item, Uplink, UplinkOutput, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{ClientMessage, ServerMessage};

use crate::context::{Context, Event, Sleeper};
use crate::letters::{Caller, Down, Task, Up};

/// Messages that a connection's send queue takes before the socket refuses more.
const WINDOW: usize = 256;
/// A worker writes one message in this time, and then the next: who is served later gets it later.
const WRITE: Duration = Duration::from_micros(5);
/// Longest stay in a queue between threads.
const QUEUE: Duration = Duration::from_millis(3);

struct Conn {
    client: usize,
    worker: usize,
    uplink: Uplink,
    /// Control that the window did not take.
    control: VecDeque<Down>,
    /// Room that is left in the window.
    room: usize,
}

/// The server.
pub struct Server {
    hub: Hub,
    decks: Vec<Deck<ServerMessage>>,
    conns: BTreeMap<ConnId, Conn>,
    /// The worker of each connection, also of one that is gone.
    homes: BTreeMap<ConnId, usize>,
    /// The end of each queue: nothing overtakes within one.
    hub_queue: Time,
    worker_queues: Vec<Time>,
    #[cfg(feature = "mutants")]
    mutants: tenfour_core::mutants::Mutants,
}

impl Server {
    /// A server with `workers` workers.
    pub fn new(config: HubConfig, workers: usize) -> Self {
        let hold = config.hold;
        Self {
            #[cfg(feature = "mutants")]
            mutants: config.mutants,
            hub: Hub::new(config),
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
        let uplink = Uplink::new(unframed, cx.now());
        #[cfg(feature = "mutants")]
        let uplink = uplink.broken(self.mutants);
        let Caller { client, login, user, person } = caller;
        self.conns.insert(conn, Conn { client, worker, uplink, control: VecDeque::new(), room: WINDOW });
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
            Up::Voice(bytes) => state.uplink.frame(&bytes, now),
            Up::Pong => state.uplink.alive(now),
            Up::Text(ClientMessage::BurstEnd { burst, .. }) => {
                state.uplink.release(burst, now);
            }
            Up::Text(message) => {
                if let ClientMessage::BurstStart { burst, frame_ms, .. } = &message {
                    state.uplink.start(*burst, *frame_ms, now);
                }
                state.uplink.alive(now);
                self.queue_for_hub(Input::Message { conn, message }, cx);
            }
        }
        self.drain_uplink(conn, cx);
    }

    /// The socket is gone: closed by the client, or given up.
    pub fn disconnect(&mut self, conn: ConnId, cx: &mut Context) {
        let now = cx.now();
        let Some(state) = self.conns.get_mut(&conn) else { return };
        state.uplink.disconnect(now);
        self.drain_uplink(conn, cx);
        let state = self.conns.remove(&conn).expect("looked up above");
        self.decks[state.worker].remove(conn);
        self.queue_for_hub(Input::Disconnected { conn }, cx);
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
            Task::Hub(output) => self.carry_out(worker, *output, cx),
        }
        self.pump(worker, cx);
    }

    /// The timers of a worker: its deck's and its connections' uplinks'.
    pub fn worker_timeout(&mut self, worker: usize, cx: &mut Context) {
        let now = cx.now();
        self.decks[worker].handle_timeout(now);
        let due =
            |conn: &Conn| conn.worker == worker && conn.uplink.poll_timeout().is_some_and(|at| at <= now);
        let conns: Vec<_> = self.conns.iter().filter(|(_, conn)| due(conn)).map(|(id, _)| *id).collect();
        for id in conns {
            self.conns.get_mut(&id).expect("listed above").uplink.handle_timeout(now);
            self.drain_uplink(id, cx);
        }
        let here = self.conns.values().filter(|conn| conn.worker == worker);
        if let Some(at) = here.filter_map(|conn| conn.uplink.poll_timeout()).min() {
            cx.wake(Sleeper::Worker(worker), at);
        }
        self.pump(worker, cx);
    }

    /// When the oldest frame arrived that any worker holds.
    pub fn oldest(&self) -> Option<Time> {
        self.decks.iter().filter_map(|deck| deck.figures().oldest).min()
    }

    /// What is left of anybody: empty when everyone has gone and the hold is over.
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

    fn carry_out(&mut self, worker: usize, output: Output, cx: &mut Context) {
        let now = cx.now();
        match output {
            Output::Send { to, message } => {
                let Recipients::One(conn) = to else { unreachable!("split when it was queued") };
                self.send(conn, Down::Text(message), cx);
            }
            Output::Open(route) => {
                let here = |who: &Tuned| self.homes[&who.conn()] == worker;
                // Nobody hears without a connection.
                let there = |who: Tuned| self.conns.contains_key(&who.conn());
                let present = |who: Tuned| if there(who) { who } else { Tuned::Not(who.conn()) };
                let tuned = route.tuned.iter().copied().filter(here).map(present);
                let (tuned, started): (Vec<_>, _) = (tuned.collect(), route.started());
                self.decks[worker].open(route.burst, started, route.bundle, route.small, tuned, now);
            }
            Output::Join { burst, who, from } => {
                if self.conns.contains_key(&who.conn()) {
                    self.decks[worker].join(burst, who, from, now);
                }
            }
            Output::Leave { burst, conn } => self.decks[worker].leave(burst, conn),
            Output::Bundle { conn, frames } => {
                if self.conns.contains_key(&conn) {
                    self.decks[worker].set_bundle(conn, frames);
                }
            }
            Output::Close { burst, ended } => self.decks[worker].close(burst, ended, now),
            Output::Admit { conn, local, burst } => {
                self.with_uplink(conn, cx, |uplink| uplink.admit(local, burst, now));
            }
            Output::Refuse { conn, local } => self.with_uplink(conn, cx, |uplink| uplink.refuse(local)),
            Output::EndBurst { conn, local, reason } => {
                self.with_uplink(conn, cx, |uplink| uplink.end(local, reason, now));
            }
            Output::Node(_) => {}
            Output::Disconnect { conn, code } => {
                self.send(conn, Down::Close(code), cx);
                self.disconnect(conn, cx);
            }
        }
    }

    fn with_uplink(&mut self, conn: ConnId, cx: &mut Context, act: impl FnOnce(&mut Uplink)) {
        if let Some(state) = self.conns.get_mut(&conn) {
            act(&mut state.uplink);
            self.drain_uplink(conn, cx);
        }
    }

    fn drain_uplink(&mut self, id: ConnId, cx: &mut Context) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let (client, worker) = (conn.client, conn.worker);
        let mut outputs = Vec::new();
        while let Some(output) = conn.uplink.poll() {
            outputs.push(output);
        }
        if let Some(at) = conn.uplink.poll_timeout() {
            cx.wake(Sleeper::Worker(worker), at);
        }
        for output in outputs {
            match output {
                UplinkOutput::Frame { burst, packet } => {
                    cx.model.relayed(burst, &packet, cx.schedule.now());
                    for worker in 0..self.decks.len() {
                        self.queue_for_worker(worker, Task::Frame(burst, packet.clone()), cx);
                    }
                }
                UplinkOutput::Closed { local, frames, dropped, reason } => {
                    cx.model.closed(client, local, frames, reason, cx.schedule.now());
                    self.queue_for_hub(Input::BurstClosed { conn: id, local, frames, dropped, reason }, cx);
                }
                UplinkOutput::Refused(refusal) => {
                    self.send(id, Down::Text(ServerMessage::Error { refusal }), cx);
                }
                UplinkOutput::Ask => self.send(id, Down::Ping, cx),
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
            match &output {
                Output::Open(_) | Output::Close { .. } => {
                    for worker in 0..self.decks.len() {
                        self.queue_for_worker(worker, Task::Hub(Box::new(output.clone())), cx);
                    }
                }
                Output::Send { to: Recipients::Many(conns), message } => {
                    for conn in conns.iter() {
                        let to = Recipients::One(*conn);
                        self.queue_for_worker_of(*conn, Output::Send { to, message: message.clone() }, cx);
                    }
                }
                Output::Send { to: Recipients::One(conn), .. }
                | Output::Leave { conn, .. }
                | Output::Bundle { conn, .. }
                | Output::Admit { conn, .. }
                | Output::Refuse { conn, .. }
                | Output::EndBurst { conn, .. }
                | Output::Disconnect { conn, .. } => self.queue_for_worker_of(*conn, output.clone(), cx),
                Output::Join { who, .. } => self.queue_for_worker_of(who.conn(), output.clone(), cx),
                Output::Node(_) => {}
            }
        }
        cx.model.hub_is_done(self.hub.figures(), cx.schedule.now());
        if let Some(at) = self.hub.poll_timeout() {
            cx.wake(Sleeper::Hub, at);
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

    /// Control before voice, until the window is full; from `after` on. Says how many messages.
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

    fn queue_for_worker_of(&mut self, conn: ConnId, output: Output, cx: &mut Context) {
        if let Some(worker) = self.conns.get(&conn).map(|conn| conn.worker) {
            self.queue_for_worker(worker, Task::Hub(Box::new(output)), cx);
        }
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
