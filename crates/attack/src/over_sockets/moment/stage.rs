//! Channels with a talker, two listeners of the attacker's, and somebody who only listens.

use std::time::{Duration, Instant};

use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, Place, Range, Ranges, ServerMessage, VoiceFrame};
use tokio_tungstenite::tungstenite::Message;

use super::super::keys::Key;
use super::super::line::Line;
use crate::geo::Spot;
use crate::permutation::median;

/// Frames of a press whose arrival counts, after the first, which waits for the grant.
const FRAMES: u16 = 5;
/// Frames after those, each with a ping on another connection.
const PROBED: u16 = 3;
/// Between the arrival of a frame and the next: longer than the turns of a small channel.
const FRAME_PAUSE: Duration = Duration::from_micros(1500);
/// Between two presses: longer than it takes to read all that has come.
const PRESS_PAUSE: Duration = Duration::from_millis(3);
/// A press that takes longer does not count.
const PRESS_TIMEOUT: Duration = Duration::from_secs(2);
/// How far everybody is from the talkers who must not hear them: more than 25 km.
const APART_KM: f64 = 100.0;
/// CELT, 20 ms, one frame; with 80 bytes as at 32 kbit/s.
const OPUS: [u8; 80] = {
    let mut frame = [0x5a; 80];
    frame[0] = 0x98;
    frame
};

/// What the target hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ear {
    /// Everybody.
    Open,
    /// Nobody, within 25 km.
    Shut,
    /// Nobody, within 10 km.
    Shuttered,
}

/// What the attacker measures of one press, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// From a frame's departure to its arrival at the first of the two listeners.
    pub(super) late: f64,
    /// From there to its arrival at the other.
    pub(super) apart: f64,
    /// The same as `late` for the first frame, which waits for the permission to talk.
    pub(super) begun: f64,
    /// From a ping that follows a frame on another connection to its answer: how long the server was busy.
    pub(super) busy: f64,
}

/// A channel and who is on it.
struct Scene {
    channel: ChannelId,
    talkers: Vec<Talker>,
    /// Whose turn it is to talk.
    next: usize,
    listeners: [Line; 2],
    /// The attacker's, tuned to nothing.
    probe: Line,
    target: Line,
    /// Tuned, out of range, and no more.
    crowd: Vec<Line>,
}

struct Talker {
    line: Line,
    presses: u32,
}

/// All channels.
pub(super) struct Stage {
    scenes: Vec<Scene>,
    next: usize,
}

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) channels: usize,
    pub(super) talkers: usize,
    /// Everybody on a channel, filled up with people who hear nobody.
    pub(super) tuned: usize,
}

impl Stage {
    /// Connects everybody.
    pub(super) fn set(url: &str, size: Size) -> Self {
        let scenes = (0..size.channels).map(|number| Scene::set(url, number, size)).collect();
        let mut stage = Self { scenes, next: 0 };
        stage.look_after();
        stage
    }

    /// Sets what all targets hear, and waits for the answers.
    pub(super) fn listen(&mut self, ear: Ear) {
        let rx = match ear {
            Ear::Open => Range::Unlimited,
            Ear::Shut => Range::Km25,
            Ear::Shuttered => Range::Km10,
        };
        for scene in &mut self.scenes {
            scene.target.say(&ClientMessage::Range { tx: Range::Unlimited, rx });
        }
        let ranged = |message: &ServerMessage| matches!(message, ServerMessage::Ranged { .. });
        self.scenes.iter_mut().for_each(|scene| until(&mut scene.target, ranged));
        self.look_after();
    }

    /// A press on the next channel. None when the machine paused for too long.
    pub(super) fn press(&mut self) -> Option<Seen> {
        self.next = (self.next + 1) % self.scenes.len();
        self.scenes[self.next].press()
    }

    /// Answers pings, and drops the rest.
    fn look_after(&mut self) {
        for scene in &mut self.scenes {
            let talkers = scene.talkers.iter_mut().map(|talker| &mut talker.line);
            let own = [&mut scene.probe, &mut scene.target];
            let others = scene.listeners.iter_mut().chain(own).chain(&mut scene.crowd);
            talkers.chain(others).for_each(drain);
        }
    }
}

impl Scene {
    fn set(url: &str, number: usize, size: Size) -> Self {
        let channel: ChannelId = format!("moment-{number}").parse().expect("a name");
        let here = Spot::at(45.0, 9.0);
        let tune = |bearing: f64, km: f64, rx: Range| {
            let line = Line::open(url, &Key::of_nobody(url));
            let ranges = Ranges { tx: Range::Unlimited, rx };
            join(line, &channel, here.towards(bearing, km), ranges)
        };
        // Talkers do not hear each other, and the target is far from each.
        let around = |number: usize| std::f64::consts::TAU * number as f64 / size.talkers as f64;
        let talkers = (0..size.talkers)
            .map(|number| Talker { line: tune(around(number), 10.0 * APART_KM, Range::Km10), presses: 0 });
        let talkers = talkers.collect();
        let listeners = [(); 2].map(|()| tune(0.0, 0.0, Range::Unlimited));
        let probe = Line::open(url, &Key::of_nobody(url));
        let probe = hello(probe, here, Ranges::default());
        probe.asks();
        let target = tune(0.0, 0.0, Range::Km25);
        let others = size.tuned.saturating_sub(size.talkers + 3);
        let crowd = (0..others).map(|_| tune(0.0, 0.0, Range::Km10)).collect();
        Self { channel, talkers, next: 0, listeners, probe, target, crowd }
    }

    fn press(&mut self) -> Option<Seen> {
        self.next = (self.next + 1) % self.talkers.len();
        let talker = &mut self.talkers[self.next];
        talker.presses += 1;
        let burst = BurstNo(talker.presses);
        let channel = self.channel.clone();
        let start =
            ClientMessage::BurstStart { channel, burst, codec: Codec::Opus, frame_ms: FrameTime::Ms20 };
        let mut sent = Instant::now();
        talker.line.say_with_voice(&start, frame(burst, 0));
        let [begun, _] = arrivals(&mut self.listeners, sent, is_voice)?;
        let (mut late, mut apart) = (Vec::new(), Vec::new());
        let mut busy = Vec::new();
        for seq in 1..=FRAMES + PROBED {
            spin(FRAME_PAUSE);
            sent = Instant::now();
            talker.line.say_voice(frame(burst, seq));
            if seq > FRAMES {
                busy.push(self.probe.asked()?);
            }
            let [first, second] = arrivals(&mut self.listeners, sent, is_voice)?;
            if seq <= FRAMES {
                late.push(first);
                apart.push(second - first);
            }
        }
        spin(FRAME_PAUSE);
        talker.line.say(&ClientMessage::BurstEnd { burst, frames: u32::from(FRAMES + PROBED) + 1 });
        arrivals(&mut self.listeners, sent, is_ended)?;
        let over = Instant::now();
        drain(&mut talker.line);
        drain(&mut self.target);
        spin(PRESS_PAUSE.saturating_sub(over.elapsed()));
        Some(Seen { late: median(late), apart: median(apart), begun, busy: median(busy) })
    }
}

impl Line {
    /// How long the server takes to answer a ping, which waits only for its other work.
    fn asked(&mut self) -> Option<f64> {
        let asked = Instant::now();
        self.ping();
        while asked.elapsed() < PRESS_TIMEOUT {
            if matches!(self.poll(), Some(Message::Pong(_))) {
                return Some(asked.elapsed().as_secs_f64() * 1e6);
            }
        }
        None
    }
}

/// When the message comes to the line that gets it first, and to the other, in microseconds.
fn arrivals(lines: &mut [Line; 2], sent: Instant, is_it: fn(&Message) -> bool) -> Option<[f64; 2]> {
    let mut came = [None; 2];
    while came.contains(&None) {
        for (line, came) in lines.iter_mut().zip(&mut came) {
            if came.is_none() && line.poll().is_some_and(|message| is_it(&message)) {
                *came = Some(sent.elapsed().as_secs_f64() * 1e6);
            }
        }
        if sent.elapsed() > PRESS_TIMEOUT {
            return None;
        }
    }
    let [one, other] = came.map(Option::unwrap_or_default);
    Some([one.min(other), one.max(other)])
}

fn is_voice(message: &Message) -> bool {
    matches!(message, Message::Binary(_))
}

fn is_ended(message: &Message) -> bool {
    matches!(message, Message::Text(text) if text.contains("burst.ended"))
}

fn frame(burst: BurstNo, seq: u16) -> Vec<u8> {
    VoiceFrame { burst, seq, media_time: u32::from(seq) * 960, last: false, payload: &OPUS }.to_bytes()
}

/// Waits without sleep, after which a processor would be slower.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn drain(line: &mut Line) {
    while line.poll().is_some() {}
}

/// Asks until the right message has come.
fn until(line: &mut Line, is_right: impl Fn(&ServerMessage) -> bool) {
    let start = Instant::now();
    while start.elapsed() < 5 * PRESS_TIMEOUT {
        let Some(Message::Text(text)) = line.poll() else { continue };
        if is_right(&serde_json::from_str(&text).expect("a known message")) {
            return;
        }
    }
    panic!("the server answers");
}

fn join(line: Line, channel: &ChannelId, at: Spot, ranges: Ranges) -> Line {
    let mut line = hello(line, at, ranges);
    line.say(&ClientMessage::Tune { channel: channel.clone(), catch_up: false });
    line.wait_for(|message| matches!(message, ServerMessage::Tuned { .. }));
    line.asks();
    line
}

fn hello(mut line: Line, at: Spot, ranges: Ranges) -> Line {
    let cell = tenfour_core::reach::snap(at.lat(), at.lon()).expect("a position");
    line.say(&ClientMessage::Hello {
        client: "moment 1".into(),
        resume: None,
        economy: false,
        hear_self: false,
        place: Some(Place { cell, stamp: None }),
        range: Some(ranges),
        device: None,
    });
    line.wait_for(|message| matches!(message, ServerMessage::Ranged { .. }));
    line
}
