//! The hub itself, driven in virtual time: what a shell would send is what agents hear.

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

use crate::air::{Act, Agent, Air, Heard, QUARRY, channel};
use crate::path::STEP;
use crate::quarry::{Quarry, since_start};

/// The quarry presses and releases this often.
const PACE: Duration = Duration::from_millis(200);
/// How often, and how many times, one looks whether its link is up again.
const RETRY: Duration = Duration::from_millis(250);
const PATIENCE: usize = 100;

/// Who a connection belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Quarry,
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

/// A hub, the quarry on it, and agents.
pub struct OverHub {
    hub: Hub,
    dispatch: Dispatch<ServerMessage>,
    now: Time,
    lines: BTreeMap<ConnId, Line>,
    seats: Vec<Seat>,
    bursts: BTreeMap<BurstNo, OnAir>,
    order: u64,
    connections: u64,
    quarry: Quarry,
    /// The quarry's client, what it is about to hear, and its connection.
    radio: Radio,
    mail: VecDeque<ServerMessage>,
    line: ConnId,
    next_step: Option<Time>,
    next_drop: Option<Time>,
    local: u32,
}

impl OverHub {
    /// A hub with the quarry on the channel.
    pub fn new(config: HubConfig, quarry: Quarry) -> Self {
        let mut over = Self {
            hub: Hub::new(config),
            dispatch: Dispatch::new(1),
            now: Time::ZERO,
            lines: BTreeMap::new(),
            seats: Vec::new(),
            bursts: BTreeMap::new(),
            order: 0,
            connections: 0,
            next_step: quarry.moves().then_some(Time::ZERO + STEP),
            next_drop: quarry.drops.map(|every| Time::ZERO + every),
            radio: Radio::new(Config::default(), Time::ZERO),
            quarry,
            mail: VecDeque::new(),
            line: ConnId(0),
            local: 0,
        };
        over.switch_on();
        over
    }

    /// The quarry's client starts, and tunes in.
    fn switch_on(&mut self) {
        let place = Some(self.cell(self.quarry.spot(since_start(self.now))));
        let config = Config { client: "quarry 1".into(), seed: self.connections, place, ..Config::default() };
        self.radio = Radio::new(config, self.now);
        self.mail.clear();
        self.radio.handle(ToRadio::Tune { channel: channel(), catch_up: false }, self.now);
        self.serve_radio();
    }

    /// Does what the quarry's client wants, and tells it what came, until there is neither.
    fn serve_radio(&mut self) {
        loop {
            let now = self.now;
            match self.radio.poll() {
                Some(FromRadio::Connect) => {
                    self.line = self.connect(Owner::Quarry, QUARRY, u64::MAX);
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
                        if greeted && self.quarry.hasty {
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
            Some(Owner::Quarry) => self.mail.push_back(message),
            None => {}
        }
    }

    /// What is due of the quarry's own business: it is a step further, or its link drops.
    fn live(&mut self) {
        let now = self.now;
        if self.next_step.take_if(|at| *at <= now).is_some() {
            self.next_step = Some(now + STEP);
            if self.quarry.hasty {
                self.say_where();
            } else {
                let cell = self.cell(self.quarry.spot(since_start(now)));
                self.radio.handle(ToRadio::Locate(Some(cell)), now);
            }
        }
        if self.next_drop.take_if(|at| *at <= now).is_some() {
            self.next_drop = self.quarry.drops.map(|every| now + every);
            self.disconnect(self.line, false);
            self.mail.clear();
            self.radio.handle(ToRadio::Closed { refusal: None }, now);
        }
        self.radio.handle_timeout(now);
        self.serve_radio();
    }

    /// What no good client does: says at once where it is.
    fn say_where(&mut self) {
        let cell = self.cell(self.quarry.spot(since_start(self.now)));
        self.message(self.line, ClientMessage::locate(Some(cell)));
    }

    /// The quarry presses until it is on the air: after a limit it has to rest, while others talk to wait.
    fn talk(&mut self) {
        for _ in 0..PATIENCE {
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

    fn quarry(&mut self, act: Act) {
        self.serve_radio();
        for _ in 0..PATIENCE {
            if self.lines.contains_key(&self.line) {
                break;
            }
            self.wait(RETRY);
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
        // It presses as often as the server lets it: its budget fills up meanwhile.
        self.wait(PACE);
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
    fn an_agent_hears_the_quarry_within_its_range_only() {
        let here = Spot::at(45.0, 9.0);
        let mut air = OverHub::new(HubConfig::default(), Quarry::still(here));
        air.quarry(Act::Talk);
        let hears = |air: &mut OverHub, km: f64| {
            let agent = air.join(here.towards(1.0, km), Ranges { rx: Range::Km50, ..Ranges::default() });
            let heard = air.heard(agent);
            heard.iter().any(|heard| match &heard.message {
                ServerMessage::BurstStarted { talker, channel, .. } => {
                    assert_eq!(channel.to_string(), CHANNEL);
                    talker.person.handle.as_str() == QUARRY
                }
                _ => false,
            })
        };
        assert!(hears(&mut air, 30.0) && !hears(&mut air, 70.0));
    }
}
