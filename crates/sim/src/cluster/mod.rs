//! A seeded world of several hubs on a bus that loses, doubles and delays, with nodes that are cut
//! off, stopped and killed, and clocks that differ; and people who come back on another node.
//!
//! It tests what happens between nodes. The lines of clients are perfect here and their radios simple: the other
//! simulation ([`crate::world`]) tests those.

mod act;
mod bus;
mod judge;
mod node;
mod noted;
mod person;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tenfour_core::hub::{HubConfig, Input, LoginId, NodeInput, ResumeToken, Route};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::node::NodeId;
use tenfour_protocol::{BurstNo, ChannelId, Ranges};

use self::bus::{Bus, Quality};
use self::judge::Judge;
use self::node::{Effect, Node, Task};
use self::person::{Line, Person};
use crate::place::Region;
use crate::report::Report;
use crate::schedule::Schedule;
use crate::world::secret;

pub use self::judge::Seen;

/// Size and length of a world.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Nodes.
    pub nodes: usize,
    /// People.
    pub people: usize,
    /// How long people do things.
    pub time: Duration,
    /// Keeps the log.
    pub keep_log: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { nodes: 3, people: 7, time: Duration::from_secs(25), keep_log: false }
    }
}

/// How long a frame, a burst and a session are kept.
const HOLD: Duration = Duration::from_secs(4);

enum Event {
    Node(usize, NodeId, Task),
    Wake(usize),
    Act,
    Trouble,
    /// A node goes on, is connected again, or has the bus again.
    Mended(usize, Mend),
    Connect(usize, ConnId),
    Speak(usize),
    Release(usize, BurstNo),
    Over((NodeId, BurstNo)),
}

#[derive(Debug, Clone, Copy)]
enum Mend {
    Paused,
    Cut,
    Down,
}

/// Runs the world of `seed` and says what was seen.
pub fn run(seed: u64, plan: Plan) -> Report<Seen> {
    let mut world = World::new(seed, plan);
    world.live(plan.time);
    world.settle();
    world.leave();
    Report { violations: world.judge.violations, log: world.log, seen: world.judge.seen }
}

struct World {
    schedule: Schedule<Event>,
    rng: Rng,
    nodes: Vec<Node>,
    people: Vec<Person>,
    lines: BTreeMap<ConnId, Line>,
    bus: Bus,
    judge: Judge,
    conns: u64,
    starts: u64,
    busy: bool,
    /// The route that each node has just opened.
    opened: Option<Route>,
    /// Bursts of others by the number of the node that hears them.
    known: BTreeMap<(NodeId, BurstNo), (NodeId, BurstNo)>,
    /// Which press a burst is for, until it is admitted.
    channels: BTreeMap<(NodeId, BurstNo), ChannelId>,
    wakes: Vec<Option<Time>>,
    log: Vec<String>,
    keep_log: bool,
}

impl World {
    fn new(seed: u64, plan: Plan) -> Self {
        let mut rng = Rng::with_seed(seed);
        let region = Region::any(&mut rng);
        let bus = Bus { quality: Quality::any(&mut rng), cut: Default::default() };
        let people = (0..plan.people).map(|id| any_person(id, plan.nodes, region, &mut rng)).collect();
        let mut world = Self {
            schedule: Schedule::default(),
            rng,
            nodes: Vec::new(),
            people,
            lines: BTreeMap::new(),
            bus,
            judge: Judge::default(),
            conns: 0,
            starts: 0,
            busy: true,
            opened: None,
            known: BTreeMap::new(),
            channels: BTreeMap::new(),
            wakes: vec![None; plan.nodes],
            log: Vec::new(),
            keep_log: plan.keep_log,
        };
        for number in 0..plan.nodes {
            let node = world.any_node(number);
            world.nodes.push(node);
        }
        world
    }

    /// A node that has just been started. Its clock may be wrong by minutes.
    fn any_node(&mut self, number: usize) -> Node {
        self.starts += 1;
        let config = HubConfig {
            hold: HOLD,
            talk_limit: Duration::from_secs(5),
            secret: secret(&mut self.rng),
            // No boundary while people do things: the other simulation has those.
            unix_at_zero: EPOCH * 1000 + Duration::from_secs(self.rng.u64(0..300)),
            ..HubConfig::default()
        };
        let skew = Duration::from_millis(self.rng.u64(0..180_000));
        Node::new(self.starts, number, config, skew)
    }

    fn live(&mut self, time: Duration) {
        for node in 0..self.nodes.len() {
            self.task(node, Task::Hub(Box::new(Input::Node(NodeInput::Up))));
        }
        for person in 0..self.people.len() {
            self.dial(person, Duration::from_millis(10));
        }
        self.schedule.after(Duration::from_millis(500), Event::Act);
        // Half of the worlds with a good bus show that nothing is missed when nothing goes wrong.
        if !(self.bus.quality.is_good() && self.rng.bool()) {
            self.schedule.after(Duration::from_secs(5), Event::Trouble);
        }
        self.until(Time::ZERO + time);
    }

    /// Nobody does anything more and nothing goes wrong: everybody agrees on who is there.
    fn settle(&mut self) {
        self.busy = false;
        if !self.bus.quality.is_good() {
            self.judge.trouble = Some(self.schedule.now());
        }
        let loses = self.bus.quality.loss > 0.0;
        self.bus.quality = Quality { loss: 0.0, twice: 0.0, jitter: Duration::ZERO };
        self.until(self.schedule.now() + Duration::from_secs(if loses { 30 } else { 25 }));
        for person in 0..self.people.len() {
            let unanswered = self.people[person].unanswered.len();
            self.judge.must(unanswered == 0, || format!("{person} waits for {unanswered} receipts"));
        }
        for node in 0..self.nodes.len() {
            for info in self.nodes[node].hub.channels() {
                let there = self.people.iter().filter(|person| person.tuned.contains(&info.channel)).count();
                let right = info.count as usize == there;
                self.judge.seen.counted += usize::from(there > 0);
                self.judge.must(right, || format!("node {node} counts {} of {there}: {info:?}", info.count));
            }
            let figures = self.nodes[node].hub.figures();
            let others = self.nodes.len() - 1;
            self.judge
                .must(figures.nodes == others && !figures.alone, || format!("node {node}: {figures:?}"));
        }
    }

    /// Everybody leaves, and nothing may be left of them on any node.
    fn leave(&mut self) {
        for person in 0..self.people.len() {
            self.hang_up(person);
        }
        self.until(self.schedule.now() + Duration::from_secs(60));
        for node in 0..self.nodes.len() {
            let (figures, left) = (self.nodes[node].hub.figures(), self.nodes[node].leftovers());
            // The beat runs on, and numbers of bursts are kept.
            let empty = tenfour_core::hub::HubFigures {
                nodes: figures.nodes,
                timers: figures.timers,
                ..Default::default()
            };
            self.judge.must(figures == empty && left == (0, 0, 0), || {
                format!("left on node {node}: {figures:?} {left:?}")
            });
        }
    }

    fn until(&mut self, end: Time) {
        while let Some(event) = self.schedule.next(end) {
            self.step(event);
        }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Node(node, id, task) => {
                if self.nodes[node].id == id {
                    self.task(node, task);
                }
            }
            Event::Wake(node) => {
                if self.wakes[node] == Some(self.schedule.now()) {
                    self.wakes[node] = None;
                    self.task(node, Task::Timeout);
                }
            }
            Event::Act => self.act(),
            Event::Trouble => self.go_wrong(),
            Event::Mended(node, mend) => self.mend(node, mend),
            Event::Connect(person, conn) => self.connect(person, conn),
            Event::Speak(person) => self.speak(person),
            Event::Release(person, local) => self.release(person, local),
            Event::Over(key) => {
                self.judge.over(key, self.bus.quality.is_good(), &self.people, &self.lines);
            }
        }
    }

    /// Something comes to a node.
    fn task(&mut self, node: usize, task: Task) {
        if self.nodes[node].paused {
            if !matches!(task, Task::Timeout) {
                self.nodes[node].backlog.push_back(task);
            }
            return;
        }
        let gone = if let Task::Gone(conn) = &task { Some(*conn) } else { None };
        let effects = self.nodes[node].take(task, self.schedule.now());
        for effect in effects {
            self.carry_out(node, effect);
        }
        gone.map(|conn| self.lines.remove(&conn));
        let figures = self.nodes[node].hub.figures();
        let here = figures.sessions + figures.bursts_elsewhere;
        self.judge.must(figures.located <= here, || format!("node {node} keeps a place: {figures:?}"));
        self.rest(node);
    }

    /// Wakes the node when it wants to be woken.
    fn rest(&mut self, node: usize) {
        let Some(at) = self.nodes[node].next_timeout() else { return };
        let at = at.max(self.schedule.now());
        if self.wakes[node].is_none_or(|armed| at < armed) {
            self.wakes[node] = Some(at);
            self.schedule.at(at, Event::Wake(node));
        }
    }

    fn carry_out(&mut self, node: usize, effect: Effect) {
        if self.keep_log {
            self.note(node, &effect);
        }
        match effect {
            Effect::Told(conn, message) => {
                let now = self.schedule.now();
                self.lines.get_mut(&conn).into_iter().for_each(|line| line.told(&message));
                let Some(person) = self.people.iter_mut().find(|person| person.conn == Some(conn)) else {
                    return;
                };
                if let tenfour_protocol::ServerMessage::Welcome { resumed: true, .. } = message {
                    self.judge.seen.resumed += 1;
                }
                for answer in person.told(&message, now) {
                    let id = self.nodes[node].id;
                    self.schedule.at(now, Event::Node(node, id, Task::Text(conn, answer)));
                }
            }
            Effect::Voice(conn, bytes) => {
                let person = self.people.iter_mut().find(|person| person.conn == Some(conn));
                if let (Some(person), Some(line)) = (person, self.lines.get(&conn)) {
                    self.judge.hears(person, line, &bytes);
                }
            }
            Effect::Published(subject, bytes) => {
                for (to, delay) in self.bus.carry(node, &subject, &self.nodes, &mut self.rng) {
                    let id = self.nodes[to].id;
                    self.schedule.after(delay, Event::Node(to, id, Task::Bus(bytes.clone())));
                }
            }
            Effect::Closed(conn) => {
                self.lines.remove(&conn);
                if let Some(person) = self.people.iter().position(|person| person.conn == Some(conn)) {
                    self.lose(person);
                }
            }
            Effect::Said(output) => self.judge_output(node, &output),
            Effect::Relayed(burst, seq) => {
                let key = (self.nodes[node].id, burst);
                if let Some(truth) = self.judge.bursts.get_mut(&key) {
                    truth.frames.insert(seq);
                }
            }
        }
    }

    fn dial(&mut self, person: usize, after: Duration) {
        self.conns += 1;
        self.schedule.after(after, Event::Connect(person, ConnId(self.conns)));
    }

    fn connect(&mut self, person: usize, conn: ConnId) {
        let mut token = [0; 32];
        self.rng.fill(&mut token);
        let who = &mut self.people[person];
        who.conn = Some(conn);
        let (node, login, token) = (who.node, LoginId(person as u64), ResumeToken(token));
        let input =
            Input::Connected { conn, login, user: who.user, address: None, person: who.seen.clone(), token };
        let hello = who.hello();
        self.lines.insert(conn, Line::new(person, node, who.place));
        self.task(node, Task::Hub(Box::new(input)));
        self.task(node, Task::Text(conn, hello));
    }

    /// The person's side closes the connection.
    fn hang_up(&mut self, person: usize) {
        let node = self.people[person].node;
        if let Some(conn) = self.people[person].conn {
            self.people[person].lost(self.schedule.now());
            self.task(node, Task::Gone(conn));
        }
    }

    /// The connection is gone: they come back, on any node that stands.
    fn lose(&mut self, person: usize) {
        self.people[person].lost(self.schedule.now());
        let before = self.people[person].node;
        let node = self.rng.usize(0..self.nodes.len());
        self.people[person].node = node;
        self.judge.seen.changed_node += usize::from(node != before);
        let after = Duration::from_millis(self.rng.u64(150..3000));
        self.dial(person, after);
    }
}

fn any_person(id: usize, nodes: usize, region: Region, rng: &mut Rng) -> Person {
    let place = (rng.u8(0..4) > 0).then(|| region.anywhere(rng));
    let wishes = if place.is_some() { crate::world::any_ranges(rng) } else { Ranges::default() };
    let mut person = Person::new(id, rng.usize(0..nodes), place, wishes);
    person.wanted.insert(crate::world::any_channel(rng));
    person
}
