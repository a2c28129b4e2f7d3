//! The hub itself, driven in virtual time: agents hear what a shell would send.

mod orders;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_core::front::{Dispatch, Port};
use tenfour_core::hub::{Hub, HubConfig, Input, LoginId, ResumeToken};
use tenfour_core::radio::{Config, Input as ToRadio, Output as FromRadio, Radio};
use tenfour_core::voice::{ByGrade, unframed};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::limits::REST;
use tenfour_protocol::{BurstNo, ClientMessage, Handle, Person, ServerMessage, UserId, json};

use crate::air::{Act, Agent, Air, Heard, TARGET, channel};
use crate::path::STEP;
use crate::target::{Target, since_start};

/// The target presses and releases this often.
const PRESS_INTERVAL: Duration = Duration::from_millis(200);
/// How often, and how many times, to wait for its link to come back.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
const MAX_RETRIES: usize = 100;

/// Who a connection belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Target,
    Agent(usize),
}

/// A connection that may be talking.
struct Line {
    owner: Owner,
    port: Port,
    /// The connection's own number of the burst it has on the air.
    talks: Option<BurstNo>,
}

/// One key of the attacker's.
struct Seat {
    conn: Option<ConnId>,
    inbox: Vec<Heard>,
}

/// A burst: how its beginning is told, and to whom.
struct OnAir {
    started: ByGrade<ServerMessage>,
    listeners: Vec<ConnId>,
}

/// A hub, the target on it, and agents.
pub struct OverHub {
    hub: Hub,
    dispatch: Dispatch<ServerMessage>,
    now: Time,
    lines: BTreeMap<ConnId, Line>,
    seats: Vec<Seat>,
    bursts: BTreeMap<BurstNo, OnAir>,
    order: u64,
    connections: u64,
    target: Target,
    /// The target's client, the messages on their way to it, and its connection.
    radio: Radio,
    mail: VecDeque<ServerMessage>,
    line: ConnId,
    next_step: Option<Time>,
    next_drop: Option<Time>,
    local: u32,
}

impl OverHub {
    /// A hub with the target on the channel.
    pub fn new(config: HubConfig, target: Target) -> Self {
        let mut over = Self {
            hub: Hub::new(config),
            dispatch: Dispatch::new(1),
            now: Time::ZERO,
            lines: BTreeMap::new(),
            seats: Vec::new(),
            bursts: BTreeMap::new(),
            order: 0,
            connections: 0,
            next_step: target.moves().then_some(Time::ZERO + STEP),
            next_drop: target.drops.map(|every| Time::ZERO + every),
            radio: Radio::new(Config::default(), Time::ZERO),
            target,
            mail: VecDeque::new(),
            line: ConnId(0),
            local: 0,
        };
        over.switch_on();
        over
    }

    /// The target's client starts, and tunes in.
    fn switch_on(&mut self) {
        let place = Some(self.cell(self.target.spot(since_start(self.now))));
        let config = Config { client: "target 1".into(), seed: self.connections, place, ..Config::default() };
        self.radio = Radio::new(config, self.now);
        self.mail.clear();
        self.radio.handle(ToRadio::Tune { channel: channel(), catch_up: false }, self.now);
        self.serve_radio();
    }

    /// Does what the target's client wants, and tells it what came, until there is neither.
    fn serve_radio(&mut self) {
        loop {
            let now = self.now;
            match self.radio.poll() {
                Some(FromRadio::Connect) => {
                    self.line = self.connect(Owner::Target, TARGET, u64::MAX);
                    self.local = 0;
                    self.radio.handle(ToRadio::Opened, now);
                }
                Some(FromRadio::Close) => self.disconnect(self.line, false),
                Some(FromRadio::Send(message)) => self.message(self.line, message),
                Some(FromRadio::SendVoice(_) | FromRadio::Event(_)) => {}
                None => match self.mail.pop_front() {
                    Some(message) => {
                        let greeted = matches!(message, ServerMessage::Welcome { .. });
                        self.radio.handle(ToRadio::Message(message), now);
                        if greeted && self.target.hasty {
                            self.say_where();
                        }
                    }
                    None => return,
                },
            }
        }
    }

    fn connect(&mut self, owner: Owner, name: &str, key: u64) -> ConnId {
        self.connections += 1;
        let conn = ConnId(self.connections);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&key.to_be_bytes());
        let user = UserId::of_key(&bytes);
        let handle = Handle::parse(name).expect("a handle");
        let person = Person { handle, tag: user.tag(), description: None, country: None };
        bytes[8..16].copy_from_slice(&conn.0.to_be_bytes());
        let port = Port::new(conn, unframed, self.now);
        self.lines.insert(conn, Line { owner, port, talks: None });
        self.tell(Input::Connected {
            conn,
            login: LoginId(key),
            user,
            address: None,
            person,
            token: ResumeToken(bytes),
        });
        conn
    }

    fn message(&mut self, conn: ConnId, message: ClientMessage) {
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let input = line.port.message(message, self.now);
        self.drain_port(conn);
        input.into_iter().for_each(|input| self.tell(input));
    }

    fn disconnect(&mut self, conn: ConnId, left: bool) {
        if left {
            self.tell(Input::Left { conn });
        }
        let Some(line) = self.lines.get_mut(&conn) else { return };
        line.port.end(self.now);
        self.drain_port(conn);
        self.lines.remove(&conn);
    }

    fn deliver(&mut self, conn: ConnId, message: ServerMessage) {
        match self.lines.get(&conn).map(|line| line.owner) {
            Some(Owner::Agent(agent)) => {
                self.order += 1;
                self.seats[agent].inbox.push(Heard { order: self.order, at: self.now, message });
            }
            Some(Owner::Target) => self.mail.push_back(message),
            None => {}
        }
    }

    /// The target's own events that are due: it is a step further, or its link drops.
    fn live(&mut self) {
        let now = self.now;
        if self.next_step.take_if(|at| *at <= now).is_some() {
            self.next_step = Some(now + STEP);
            if self.target.hasty {
                self.say_where();
            } else {
                let cell = self.cell(self.target.spot(since_start(now)));
                self.radio.handle(ToRadio::Locate(Some(cell)), now);
            }
        }
        if self.next_drop.take_if(|at| *at <= now).is_some() {
            self.next_drop = self.target.drops.map(|every| now + every);
            self.disconnect(self.line, false);
            self.mail.clear();
            self.radio.handle(ToRadio::Closed { refusal: None }, now);
        }
        self.radio.handle_timeout(now);
        self.serve_radio();
    }

    /// Sends its cell at once, which no good client does.
    fn say_where(&mut self) {
        let cell = self.cell(self.target.spot(since_start(self.now)));
        self.message(self.line, ClientMessage::locate(Some(cell)));
    }

    /// The target presses until it is on the air: after a limit it has to rest, while others talk to wait.
    fn talk(&mut self) {
        for _ in 0..MAX_RETRIES {
            self.local += 1;
            let burst = BurstNo(self.local);
            let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
            let start = ClientMessage::BurstStart { channel: channel(), burst, codec, frame_ms };
            self.message(self.line, start);
            if self.lines.get(&self.line).is_some_and(|line| line.talks.is_some()) {
                return;
            }
            self.wait(REST);
        }
    }

    fn next_timeout(&self) -> Option<Time> {
        let own = [self.next_step, self.next_drop, self.radio.poll_timeout(), self.hub.poll_timeout()];
        own.into_iter().flatten().min()
    }
}

impl Air for OverHub {
    fn now(&self) -> Time {
        self.now
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        self.serve_radio();
        while let Some(next) = self.next_timeout().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.hub.handle_timeout(self.now);
            self.drain();
            self.live();
        }
        self.now = end;
    }

    fn target(&mut self, act: Act) {
        self.serve_radio();
        for _ in 0..MAX_RETRIES {
            if self.lines.contains_key(&self.line) {
                break;
            }
            self.wait(RETRY_INTERVAL);
        }
        let talks = self.lines.get(&self.line).and_then(|line| line.talks);
        match (act, talks) {
            (Act::Talk, None) => self.talk(),
            (Act::Hush, Some(burst)) => self.message(self.line, ClientMessage::BurstEnd { burst, frames: 1 }),
            (Act::Talk, Some(_)) | (Act::Hush, None) => return,
            (Act::Renew, _) => {
                self.disconnect(self.line, true);
                self.switch_on();
            }
        }
        // Its budget of presses fills up meanwhile.
        self.wait(PRESS_INTERVAL);
    }

    fn open(&mut self) -> Agent {
        let agent = self.seats.len();
        self.seats.push(Seat { conn: None, inbox: Vec::new() });
        self.reopen(Agent(agent));
        Agent(agent)
    }

    fn reopen(&mut self, agent: Agent) {
        if let Some(conn) = self.seats[agent.0].conn.take() {
            self.disconnect(conn, false);
        }
        let conn = self.connect(Owner::Agent(agent.0), "Somebody", agent.0 as u64);
        self.seats[agent.0] = Seat { conn: Some(conn), inbox: Vec::new() };
    }

    fn leave(&mut self, agent: Agent) {
        if let Some(conn) = self.seats[agent.0].conn.take() {
            self.disconnect(conn, true);
        }
        self.seats[agent.0].inbox = Vec::new();
    }

    fn say_text(&mut self, agent: Agent, text: &str) {
        let Some(conn) = self.seats[agent.0].conn else { return };
        match json::message(text) {
            Ok(message) => self.message(conn, message),
            Err(fault) => {
                let now = self.now;
                let input = self.lines.get_mut(&conn).map(|line| line.port.malformed(text, &fault, now));
                input.into_iter().for_each(|input| self.tell(input));
            }
        }
    }

    fn say(&mut self, agent: Agent, message: ClientMessage) {
        if let Some(conn) = self.seats[agent.0].conn {
            self.message(conn, message);
        }
    }

    fn heard(&mut self, agent: Agent) -> Vec<Heard> {
        std::mem::take(&mut self.seats[agent.0].inbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::CHANNEL;
    use crate::geo::Spot;
    use tenfour_protocol::{Range, Ranges};

    #[test]
    fn an_agent_hears_the_target_within_its_range_only() {
        let here = Spot::at(45.0, 9.0);
        let mut air = OverHub::new(HubConfig::default(), Target::still(here));
        air.target(Act::Talk);
        let hears = |air: &mut OverHub, km: f64| {
            let agent = air.join(here.towards(1.0, km), Ranges { rx: Range::Km50, ..Ranges::default() });
            let heard = air.heard(agent);
            heard.iter().any(|heard| match &heard.message {
                ServerMessage::BurstStarted { talker, channel, .. } => {
                    assert_eq!(channel.to_string(), CHANNEL);
                    talker.person.handle.as_str() == TARGET
                }
                _ => false,
            })
        };
        assert!(hears(&mut air, 30.0) && !hears(&mut air, 70.0));
    }
}
