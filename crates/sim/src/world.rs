//! The world: a server, some people with radios, and what happens to them.

use std::time::Duration;

use fastrand::Rng;
use tenfour_core::Time;
use tenfour_core::hub::HubConfig;
use tenfour_core::radio::{Config, Input as Act};
use tenfour_core::reach::Secret;
use tenfour_protocol::limits::EPOCH;
use tenfour_protocol::{ChannelId, ClientMessage, GeoCell, Range, Ranges};

use crate::broken::Broken;
use crate::client::Client;
use crate::context::{Context, Event, Sleeper};
use crate::letters::Up;
use crate::model::{Kind, Model, Seen};
use crate::network::{Carriage, Line};
use crate::place::Region;
use crate::report::Report;
use crate::server::Server;

/// Size and length of a world.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// People.
    pub clients: usize,
    /// Worker threads of the server.
    pub workers: usize,
    /// How long people do things.
    pub time: Duration,
    /// Keeps the log.
    pub keep_log: bool,
    /// How the hub is broken.
    pub broken: Broken,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            clients: 6,
            workers: 2,
            time: Duration::from_secs(20),
            keep_log: false,
            broken: Broken::default(),
        }
    }
}

/// Runs the world of `seed` and says what was seen.
pub fn run(seed: u64, plan: Plan) -> Report<Seen> {
    let mut world = World::new(seed, plan);
    world.live(plan.time);
    world.settle();
    world.leave();
    world.cx.report()
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) cx: Context,
    server: Server,
    pub(crate) clients: Vec<Client>,
    /// Where they are.
    region: Region,
    /// People do things until then.
    busy_until: Time,
}

/// Time for everything on its way to arrive, and for timers of the radio to give up.
const SETTLE: Duration = Duration::from_secs(45);

impl World {
    fn new(seed: u64, plan: Plan) -> Self {
        let mut rng = Rng::with_seed(seed);
        // The boundary comes while people do things, and some moves are said before it.
        let boundary = Duration::from_millis(rng.u64(5_000..25_000));
        let config = HubConfig {
            hold: Duration::from_secs(4),
            talk_limit: Duration::from_secs(5),
            secret: secret(&mut rng),
            unix_at_zero: EPOCH * rng.u32(1..1_000_000) - boundary,
            ..HubConfig::default()
        };
        let region = Region::any(&mut rng);
        let clients: Vec<_> = (0..plan.clients).map(|id| any_client(id, region, &mut rng)).collect();
        let mut world = Self::of(clients, plan.broken.apply(config), plan.workers, rng);
        world.cx.keep_log(plan.keep_log);
        Self { region, busy_until: Time::ZERO + plan.time, ..world }
    }

    /// A world of these people, in which nothing happens by itself.
    pub(crate) fn of(clients: Vec<Client>, config: HubConfig, workers: usize, rng: Rng) -> Self {
        let datagrams = clients.iter().map(|client| client.line().carriage == Carriage::Datagram).collect();
        let model = Model::new(&config, datagrams);
        let server = Server::new(config, workers);
        let cx = Context::new(rng, model);
        Self { cx, server, clients, region: Region::default(), busy_until: Time::ZERO }
    }

    /// Everyone switches on, and things happen for `time`.
    fn live(&mut self, time: Duration) {
        for client in &mut self.clients {
            let channel = any_channel(&mut self.cx.rng);
            client.handle(Act::Tune { channel, catch_up: false }, &mut self.cx);
        }
        self.cx.schedule.after(Duration::from_millis(500), Event::Act);
        self.until(Time::ZERO + time);
    }

    /// Nobody does anything more, links come back, and beliefs are compared.
    fn settle(&mut self) {
        for client in &mut self.clients {
            client.release(&mut self.cx);
            client.handle(Act::Release, &mut self.cx);
        }
        self.until(self.cx.now() + SETTLE);
        let beliefs: Vec<_> = self.clients.iter().map(Client::belief).collect();
        self.cx.model.settled(&beliefs);
    }

    /// Everyone leaves, and nothing may be left of them.
    fn leave(&mut self) {
        for client in &mut self.clients {
            if let Some(conn) = client.conn() {
                self.cx.cut(conn);
                self.cx.schedule.after(Duration::ZERO, Event::Gone(conn));
            }
        }
        self.clients.clear();
        self.until(self.cx.now() + SETTLE);
        self.cx.model.left(self.server.leftovers());
    }

    /// Lives until `end`.
    pub(crate) fn until(&mut self, end: Time) {
        while let Some(event) = self.cx.schedule.next(end) {
            self.step(event);
        }
    }

    fn step(&mut self, event: Event) {
        let cx = &mut self.cx;
        match event {
            Event::Wake(sleeper) => {
                if cx.is_due(sleeper) {
                    self.rings(sleeper);
                }
            }
            Event::Hub(input) => self.server.hub(input, cx),
            Event::Worker(worker, task) => self.server.worker(worker, task, cx),
            Event::Accept(caller, conn) => {
                if cx.is_wired(conn) {
                    self.server.accept(caller, conn, cx);
                }
            }
            Event::Up(conn, message) => {
                if cx.is_wired(conn) {
                    self.server.receive(conn, message, cx);
                }
            }
            Event::Window(conn) => self.server.window(conn, cx),
            Event::Gone(conn) => self.server.disconnect(conn, cx),
            Event::Opened(client, conn) => {
                if cx.is_wired(conn) {
                    self.with(client, |client, cx| client.opened(conn, cx));
                }
            }
            Event::Down(client, conn, message) => {
                if cx.is_wired(conn) {
                    self.with(client, |client, cx| client.receive(conn, message, cx));
                }
            }
            Event::LinkLost(client, conn) => self.with(client, |client, cx| client.lose_link(conn, cx)),
            Event::Speak(client, burst) => self.with(client, |client, cx| client.speak(burst, cx)),
            Event::Release(client) => self.with(client, Client::release),
            Event::Listen(client, channel) => self.with(client, |client, cx| client.listen(channel, cx)),
            Event::StallOver(client) => self.with(client, Client::stall_over),
            Event::Act => {
                if cx.now() < self.busy_until {
                    let pause = Duration::from_millis(cx.rng.u64(20..600));
                    cx.schedule.after(pause, Event::Act);
                    self.act();
                }
            }
        }
    }

    fn rings(&mut self, sleeper: Sleeper) {
        match sleeper {
            Sleeper::Hub => self.server.hub_timeout(&mut self.cx),
            Sleeper::Worker(worker) => {
                self.server.worker_timeout(worker, &mut self.cx);
                self.cx.model.holds(self.server.oldest(), self.cx.schedule.now());
            }
            Sleeper::Client(client) => self.with(client, Client::timeout),
        }
    }

    fn with(&mut self, client: usize, act: impl FnOnce(&mut Client, &mut Context)) {
        if let Some(client) = self.clients.get_mut(client) {
            act(client, &mut self.cx);
        }
    }

    /// Somebody does something, or something happens to them.
    fn act(&mut self) {
        let pick = self.cx.rng.usize(0..self.clients.len());
        let (client, cx) = (&mut self.clients[pick], &mut self.cx);
        let channel = any_channel(&mut cx.rng);
        let any = cx.rng.usize(..);
        cx.log(|| format!("client {pick} is picked"));
        match cx.rng.u8(0..124) {
            0..45 => {
                // Sometimes on a channel that the client is not tuned to.
                let channel = client.any_channel(any).filter(|_| any % 10 > 0).unwrap_or(channel);
                client.press(channel, Duration::from_millis(cx.rng.u64(0..6000)), cx);
            }
            45..48 => client.fall_silent(),
            48..64 => client.handle(Act::Tune { channel, catch_up: cx.rng.bool() }, cx),
            64..72 => client.handle(Act::Untune { channel }, cx),
            72..80 => self.drop_link(pick),
            80..84 => {
                let time = Duration::from_millis(cx.rng.u64(100..7000));
                cx.model.troubled(pick, Kind::Stall, cx.schedule.now(), time);
                client.stall(time, cx);
            }
            84..88 => {
                if let Some(participant) = client.any_participant(any) {
                    cx.model.mutes(pick);
                    client.handle(Act::Mute { participant, muted: cx.rng.bool() }, cx);
                }
            }
            88..94 => {
                if let Some(heard) = client.any_heard(any) {
                    client.handle(Act::SayAgain { heard }, cx);
                }
            }
            94..96 => self.flood(pick),
            96..100 => self.garbage(pick),
            100..109 => {
                let cell = Some(self.region.anywhere(&mut cx.rng).said());
                client.handle(Act::Locate(cell), cx);
            }
            109..112 => client.handle(Act::Locate(None), cx),
            112..122 => {
                let ranges = any_ranges(&mut cx.rng);
                client.handle(Act::Range(ranges), cx);
            }
            _ => self.lie(pick),
        }
    }

    /// A link is lost: seen by both ends, by the client first, or by the server first.
    fn drop_link(&mut self, pick: usize) {
        let (client, cx) = (&mut self.clients[pick], &mut self.cx);
        let Some(conn) = client.conn() else { return };
        let now = cx.now();
        cx.cut(conn);
        let late = Duration::from_millis(cx.rng.u64(0..6000));
        let (client_sees, server_sees) = match cx.rng.u8(0..3) {
            0 => (Duration::ZERO, Duration::ZERO),
            1 => (Duration::ZERO, late),
            _ => (late, Duration::ZERO),
        };
        cx.model.troubled(pick, Kind::Link, now, client_sees + Duration::from_secs(1));
        cx.schedule.after(client_sees, Event::LinkLost(pick, conn));
        cx.schedule.after(server_sees, Event::Gone(conn));
    }

    /// More messages than anybody may send.
    fn flood(&mut self, pick: usize) {
        let Some(conn) = self.clients[pick].conn() else { return };
        self.cx.model.troubled(pick, Kind::Link, self.cx.schedule.now(), Duration::from_secs(10));
        for n in 0..self.cx.rng.u32(10..150) {
            self.cx.up(conn, Up::Text(ClientMessage::Ping { n }));
        }
    }

    /// Cells and ranges that no radio would send, or not at that time.
    fn lie(&mut self, pick: usize) {
        let (client, cx) = (&self.clients[pick], &mut self.cx);
        let Some(conn) = client.conn() else { return };
        let cell = match cx.rng.u8(0..4) {
            0 => None,
            1 => Some(GeoCell::new(cx.rng.u64(..))),
            _ => Some(self.region.anywhere(&mut cx.rng).said()),
        };
        let Ranges { tx, rx } = any_ranges(&mut cx.rng);
        let lies = [ClientMessage::locate(cell), ClientMessage::Range { tx, rx }];
        lies.into_iter().for_each(|lie| cx.up(conn, Up::Text(lie)));
    }

    /// Bytes that are no voice.
    fn garbage(&mut self, pick: usize) {
        let Some(conn) = self.clients[pick].conn() else { return };
        for _ in 0..20 {
            let mut bytes = vec![0; self.cx.rng.usize(0..80)];
            self.cx.rng.fill(&mut bytes);
            if self.cx.rng.bool() && !bytes.is_empty() {
                bytes[0] = 0x10;
            }
            self.cx.up(conn, Up::Voice(bytes));
        }
    }
}

/// Somebody with some line, who shares a place or not.
fn any_client(id: usize, region: Region, rng: &mut Rng) -> Client {
    let place = (rng.u8(0..4) > 0).then(|| region.anywhere(rng).said());
    let ranges = if place.is_some() { any_ranges(rng) } else { Ranges::default() };
    let (client, economy) = (format!("sim-{id}"), id % 3 == 2);
    let seed = rng.u64(..);
    let config = Config { client, economy, playout: true, seed, place, ranges, ..Config::default() };
    Client::new(id, Line::any(rng), config)
}

/// Often unlimited.
pub(crate) fn any_ranges(rng: &mut Rng) -> Ranges {
    let mut any = || Range::ALL[rng.usize(0..2 * Range::ALL.len()).min(Range::ALL.len() - 1)];
    Ranges { tx: any(), rx: any() }
}

/// The random bytes of a run of the server.
pub(crate) fn secret(rng: &mut Rng) -> Secret {
    let mut bytes = [0; 32];
    rng.fill(&mut bytes);
    Secret::new(bytes)
}

/// Three channels, so that people meet; one of them has a name and comes and goes.
pub(crate) fn any_channel(rng: &mut Rng) -> ChannelId {
    ["9", "19", "road-66"][rng.usize(0..3)].parse().expect("a channel")
}
