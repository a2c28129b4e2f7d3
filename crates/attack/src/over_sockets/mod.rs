//! A server with its threads, store and sockets, and attackers who connect to it over loopback.

mod keys;
mod line;
pub mod moment;

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tenfour_core::mutants::Mutants;
use tenfour_core::{Time, mutant};
use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::limits::FIRST_CELLS_PER_HOUR;
use tenfour_protocol::{BurstNo, ClientMessage, Place, ServerMessage, VoiceFrame};
use tenfour_server::Server;
use tenfour_server::config::{Config, LogLevel, Period, Settings};

use crate::air::{Act, Agent, Air, Heard, TARGET, channel};
use crate::geo::Spot;
use crate::target::Target;
use keys::Key;
use line::Line;

/// More than one, so that talker and listener meet across workers.
const WORKERS: usize = 2;
/// Longer than any hunt, so that one press is enough for it.
const TALK_LIMIT: Duration = Duration::from_secs(600);
/// A frame this often keeps a burst on the air.
const FRAME: Duration = Duration::from_millis(250);
/// SILK narrowband, one frame of 20 ms.
const OPUS_20_MS: [u8; 4] = [1 << 3, 1, 2, 3];

/// A server on a free port, with a data folder of its own.
pub struct Stand {
    server: Option<Server>,
    _folder: TempDir,
}

impl Stand {
    /// Starts it.
    #[cfg_attr(not(feature = "mutants"), expect(unused_variables, unused_mut))]
    pub fn start(broken: Mutants) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            listen: Some("127.0.0.1:0".parse().expect("an address")),
            data: Some(folder.path().to_owned()),
            workers: Some(WORKERS),
            talk_limit: Some(Period(TALK_LIMIT)),
            log: Some(LogLevel::Error),
            ..Settings::default()
        };
        let mut config = Config::new(settings).expect("good settings");
        mutant!(config.mutants = broken);
        Self { server: Some(Server::start(config).expect("a server")), _folder: folder }
    }

    /// A target on it, and nobody else yet.
    pub fn air(&self, target: &Target) -> OverSockets {
        let url = self.server.as_ref().map(Server::url).expect("it runs").to_owned();
        let key = Key::register(&url, TARGET);
        let line = Line::open(&url, &key);
        let mut over = OverSockets {
            url,
            start: Instant::now(),
            place: target.spot(Duration::ZERO),
            key,
            line,
            talk: None,
            local: 0,
            order: 0,
            seats: Vec::new(),
            keys: Vec::new(),
        };
        over.greet();
        over
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

/// A burst of the target's.
struct Talk {
    frames: u16,
    last: Instant,
}

/// One of the attacker's connections.
struct Seat {
    line: Option<Line>,
    /// With the number of connections it was used for.
    key: Option<(Key, usize)>,
}

/// The attacker's view of a server. The target stays where it is.
pub struct OverSockets {
    url: String,
    start: Instant,
    place: Spot,
    key: Key,
    line: Line,
    talk: Option<Talk>,
    local: u32,
    order: u64,
    seats: Vec<Seat>,
    /// Keys that may say more cells: a registration takes longer than a connection.
    keys: Vec<(Key, usize)>,
}

impl OverSockets {
    fn greet(&mut self) {
        let place = Some(Place { cell: self.cell(self.place), stamp: None });
        let client = "target 1".to_owned();
        self.line.say(&ClientMessage::Hello {
            client,
            resume: None,
            economy: false,
            hear_self: false,
            place,
            range: None,
            device: None,
        });
        self.line.say(&ClientMessage::Tune { channel: channel(), catch_up: false });
        self.line.wait_for(|message| matches!(message, ServerMessage::Tuned { .. }));
    }

    /// The burst on the air goes on.
    fn keep_talking(&mut self) {
        let due = self.talk.as_ref().is_some_and(|talk| talk.last.elapsed() >= FRAME);
        if due {
            self.speak();
            // Takes what came, so that the socket is not full.
            self.line.fence();
        }
    }

    fn speak(&mut self) {
        let Some(talk) = &mut self.talk else { return };
        let (burst, seq) = (BurstNo(self.local), talk.frames);
        let media_time = u32::from(seq) * 960;
        let frame = VoiceFrame { burst, seq, media_time, last: false, payload: &OPUS_20_MS };
        self.line.say_voice(frame.to_bytes());
        talk.frames += 1;
        talk.last = Instant::now();
    }

    fn press(&mut self) {
        self.local += 1;
        let burst = BurstNo(self.local);
        let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
        self.line.say(&ClientMessage::BurstStart { channel: channel(), burst, codec, frame_ms });
        self.talk = Some(Talk { frames: 0, last: Instant::now() });
        self.speak();
        self.line.wait_for(|message| matches!(message, ServerMessage::BurstGranted { .. }));
    }

    fn release(&mut self) {
        let Some(talk) = self.talk.take() else { return };
        let frames = u32::from(talk.frames);
        self.line.say(&ClientMessage::BurstEnd { burst: BurstNo(self.local), frames });
        self.line.wait_for(|message| matches!(message, ServerMessage::Receipt { .. }));
    }

    fn seat(&mut self, agent: Agent) -> &mut Line {
        self.keep_talking();
        self.seats[agent.0].line.as_mut().expect("a connection")
    }
}

impl Air for OverSockets {
    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    fn wait(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.keep_talking();
            std::thread::sleep(FRAME.min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn target(&mut self, act: Act) {
        match act {
            Act::Talk if self.talk.is_none() => self.press(),
            Act::Talk => self.keep_talking(),
            Act::Hush => self.release(),
            Act::Renew => {
                self.release();
                self.line.leave();
                self.line = Line::open(&self.url, &self.key);
                self.local = 0;
                self.greet();
            }
        }
    }

    fn open(&mut self) -> Agent {
        let fresh = || (Key::of_nobody(&self.url), 0);
        let key = self.keys.pop().unwrap_or_else(fresh);
        self.seats.push(Seat { line: None, key: Some(key) });
        let agent = Agent(self.seats.len() - 1);
        self.reopen(agent);
        agent
    }

    fn reopen(&mut self, agent: Agent) {
        self.keep_talking();
        let Seat { line, key } = &mut self.seats[agent.0];
        let Some((key, used)) = key else { return };
        *used += 1;
        // The old connection ends without a word.
        *line = None;
        *line = Some(Line::open(&self.url, key));
    }

    fn leave(&mut self, agent: Agent) {
        let seat = &mut self.seats[agent.0];
        if let Some(mut line) = seat.line.take() {
            line.leave();
        }
        self.keys.extend(seat.key.take().filter(|(_, used)| *used < FIRST_CELLS_PER_HOUR));
    }

    fn say_text(&mut self, agent: Agent, text: &str) {
        self.seat(agent).say_text(text);
    }

    fn heard(&mut self, agent: Agent) -> Vec<Heard> {
        let messages = self.seat(agent).fence();
        let at = self.now();
        let heard = messages.into_iter().map(|message| {
            self.order += 1;
            Heard { order: self.order, at, message }
        });
        heard.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{begun, receiving};
    use tenfour_protocol::{Range, Ranges};

    #[test]
    fn an_agent_hears_the_target_of_a_server_within_its_range_only() {
        let here = Spot::at(45.0, 9.0);
        let stand = Stand::start(Mutants::default());
        let mut air = stand.air(&Target::still(here));
        for (km, hears) in [(30.0, true), (70.0, false), (40.0, true), (60.0, false)] {
            air.target(Act::Talk);
            let agent = air.join(here.towards(1.0, km), receiving(Range::Km50));
            assert_eq!(begun(&air.heard(agent)).is_some(), hears, "{km}");
            air.leave(agent);
        }
        let unlimited = Ranges::default();
        let agent = air.join(here.antipode(), unlimited);
        assert!(begun(&air.heard(agent)).is_some());
    }
}
