//! What all parts of the world share: what can happen, chance, the wires, the log.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tenfour_core::hub::Input;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{BurstNo, ChannelId};

use crate::letters::{Caller, Down, Task, Up};
use crate::model::{Model, Seen};
use crate::network::{Line, Pipe};
use crate::report::Report;
use crate::schedule::Schedule;
use crate::tape::Tape;

/// Who has a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sleeper {
    /// The hub.
    Hub,
    /// A worker: its deck and its connections' uplinks.
    Worker(usize),
    /// A client's radio.
    Client(usize),
}

/// What can happen.
#[derive(Debug)]
pub enum Event {
    /// The hub takes an input from its queue.
    Hub(Input),
    /// A timer is due.
    Wake(Sleeper),
    /// A worker takes a task from its queue.
    Worker(usize, Task),
    /// A connection reaches the server.
    Accept(Caller, ConnId),
    /// A connection is up, seen from the client.
    Opened(usize, ConnId),
    /// A message reaches the server.
    Up(ConnId, Up),
    /// A message reaches the client.
    Down(usize, ConnId, Down),
    /// The server's send window has room for one more message.
    Window(ConnId),
    /// The server sees that a connection is gone.
    Gone(ConnId),
    /// The client sees that its link is gone.
    LinkLost(usize, ConnId),
    /// The next 20 ms of a microphone.
    Speak(usize, BurstNo),
    /// The button goes up.
    Release(usize),
    /// A loudspeaker wants sound.
    Listen(usize, ChannelId),
    /// A client reads from the network again.
    StallOver(usize),
    /// Somebody does something.
    Act,
}

/// What all parts of the world share.
pub struct Context {
    /// What happens next.
    pub schedule: Schedule<Event>,
    /// The only source of chance.
    pub rng: Rng,
    /// What must be true.
    pub model: Model,
    /// Records what clients are sent, if it is there.
    pub tape: Option<Tape>,
    wires: BTreeMap<ConnId, (Pipe, Pipe)>,
    timers: BTreeMap<Sleeper, Time>,
    conns: u64,
    log: Vec<String>,
    keep_log: bool,
}

impl Context {
    /// Before anything has happened.
    pub fn new(rng: Rng, model: Model) -> Self {
        Self {
            schedule: Schedule::default(),
            rng,
            model,
            tape: None,
            wires: BTreeMap::new(),
            timers: BTreeMap::new(),
            conns: 0,
            log: Vec::new(),
            keep_log: false,
        }
    }

    /// Keeps the log from now on, or no longer.
    pub fn keep_log(&mut self, keep: bool) {
        self.keep_log = keep;
    }

    /// Whether a connection's wire is whole.
    pub fn is_wired(&self, conn: ConnId) -> bool {
        self.wires.contains_key(&conn)
    }

    /// The report, and the log.
    pub fn report(self) -> Report<Seen> {
        self.model.report(self.log)
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        self.schedule.now()
    }

    /// Adds a line to the log, if it is kept: to format it takes longer than the step that it tells of.
    pub fn log(&mut self, line: impl FnOnce() -> String) {
        if !self.keep_log {
            return;
        }
        let line = format!("{:>12} {}", self.now().as_micros(), line());
        self.log.push(line);
    }

    /// Wakes `sleeper` at `at`, unless it is woken before that anyway.
    pub fn wake(&mut self, sleeper: Sleeper, at: Time) {
        let at = at.max(self.now());
        if self.timers.get(&sleeper).is_none_or(|armed| at < *armed) {
            self.timers.insert(sleeper, at);
            self.schedule.at(at, Event::Wake(sleeper));
        }
    }

    /// Whether the timer that fires now was not replaced by an earlier one.
    pub fn is_due(&mut self, sleeper: Sleeper) -> bool {
        let due = self.timers.get(&sleeper) == Some(&self.now());
        if due {
            self.timers.remove(&sleeper);
        }
        due
    }

    /// When a thing that is queued now comes out, after all that is queued before it.
    pub fn queued(&mut self, end: Time, longest: Duration) -> Time {
        end.max(self.now() + longest.mul_f64(self.rng.f64()))
    }

    /// A number for a new connection.
    pub fn new_conn(&mut self) -> ConnId {
        self.conns += 1;
        ConnId(self.conns)
    }

    /// A client opens a connection.
    pub fn dial(&mut self, caller: Caller, conn: ConnId, line: Line) {
        let (mut up, mut down) = (Pipe::new(line), Pipe::new(line));
        let there = up.stream(self.now(), &mut self.rng);
        let back = down.stream(there, &mut self.rng);
        let client = caller.client;
        self.wires.insert(conn, (up, down));
        self.schedule.at(there, Event::Accept(caller, conn));
        self.schedule.at(back, Event::Opened(client, conn));
    }

    /// A client closes a connection; the server sees it a little later.
    pub fn hang_up(&mut self, conn: ConnId, line: Line) {
        self.wires.remove(&conn);
        self.schedule.after(line.delay, Event::Gone(conn));
    }

    /// The wire is cut: what is on its way is lost, and nobody is told.
    pub fn cut(&mut self, conn: ConnId) {
        self.wires.remove(&conn);
    }

    /// A message goes to the server.
    pub fn up(&mut self, conn: ConnId, message: Up) {
        let now = self.now();
        let Some((pipe, _)) = self.wires.get_mut(&conn) else { return };
        let at = match message {
            Up::Voice(_) => pipe.voice(now, &mut self.rng),
            Up::Text(_) | Up::Pong => Some(pipe.stream(now, &mut self.rng)),
        };
        if let Some(at) = at {
            self.schedule.at(at, Event::Up(conn, message));
        }
    }

    /// A message goes to a client, `after` from now, since writing takes time.
    pub fn down(&mut self, client: usize, conn: ConnId, message: Down, after: Duration) {
        let now = self.now() + after;
        let Some((_, pipe)) = self.wires.get_mut(&conn) else { return };
        let at = match message {
            Down::Voice(_) => pipe.voice(now, &mut self.rng),
            Down::Text(_) | Down::Ping | Down::Close(_) => Some(pipe.stream(now, &mut self.rng)),
        };
        if let Some(tape) = &mut self.tape {
            tape.record((client, conn), &message, now, at);
        }
        match at {
            Some(at) => self.schedule.at(at, Event::Down(client, conn, message)),
            None => self.schedule.at(now, Event::Window(conn)),
        }
    }
}
