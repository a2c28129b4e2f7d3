//! A radio's shell: it opens connections, has a microphone that marks what it says, and ears.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tenfour_core::hub::LoginId;
use tenfour_core::radio::{Config, Event as Told, HeardNo, Input, LinkState, Output, Radio};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::SAMPLE_RATE;
use tenfour_protocol::{BurstNo, ChannelId, Handle, ParticipantNo, Person, UserId};

use crate::context::{Context, Event, Sleeper};
use crate::letters::{Caller, Down, Up};
use crate::network::Line;
use crate::voice::Mark;

/// Most samples that a false clock jumps ahead in one frame: a quarter of a minute. In five seconds of frames it stays far
/// below the end of media time, at which a radio stops.
const MAX_JUMP: u32 = SAMPLE_RATE * 15;

/// The button is down.
struct Press {
    burst: BurstNo,
    /// Frames so far.
    frames: u16,
    media_time: u32,
    /// Its clock is false.
    lies: bool,
}

/// One person with a radio.
pub struct Client {
    /// Number in the world.
    pub id: usize,
    line: Line,
    caller: Caller,
    radio: Radio,
    conn: Option<ConnId>,
    press: Option<Press>,
    /// Its number while on the air.
    you: Option<ParticipantNo>,
    /// Whom it believes to be on each of its channels.
    known: BTreeMap<ChannelId, BTreeSet<ParticipantNo>>,
    heard: BTreeMap<HeardNo, (BurstNo, ChannelId)>,
    listening: BTreeSet<ChannelId>,
    /// It reads nothing from the network until then.
    stalled: Option<Time>,
    backlog: VecDeque<(ConnId, Down)>,
}

impl Client {
    /// A client that is switched on at the beginning of time.
    pub fn new(id: usize, line: Line, config: Config) -> Self {
        let user = UserId::of_key(&[id as u8 + 1; 32]);
        let handle = Handle::parse(&format!("Radio {id}")).expect("a handle");
        let person = Person { handle, tag: user.tag(), description: None, country: None };
        let caller = Caller { client: id, login: LoginId(id as u64), user, person };
        Self {
            id,
            line,
            caller,
            radio: Radio::new(config, Time::ZERO),
            conn: None,
            press: None,
            you: None,
            known: BTreeMap::new(),
            heard: BTreeMap::new(),
            listening: BTreeSet::new(),
            stalled: None,
            backlog: VecDeque::new(),
        }
    }

    /// Something happens to the radio.
    pub fn handle(&mut self, input: Input, cx: &mut Context) {
        self.radio.handle(input, cx.now());
        self.drain(cx);
    }

    /// The radio's timer.
    pub fn timeout(&mut self, cx: &mut Context) {
        self.radio.handle_timeout(cx.now());
        self.drain(cx);
    }

    /// The connection that was asked for is open.
    pub fn opened(&mut self, conn: ConnId, cx: &mut Context) {
        if self.conn == Some(conn) {
            self.handle(Input::Opened, cx);
        }
    }

    /// A message arrives.
    pub fn receive(&mut self, conn: ConnId, message: Down, cx: &mut Context) {
        if self.stalled.is_some() {
            self.backlog.push_back((conn, message));
            return;
        }
        let window = cx.now() + self.line.delay;
        cx.schedule.at(window, Event::Window(conn));
        if self.conn != Some(conn) {
            return;
        }
        match message {
            Down::Text(message) => self.handle(Input::Message(message), cx),
            Down::Voice(bytes) => self.handle(Input::Voice(bytes), cx),
            Down::Ping => {
                self.send(Up::Pong, cx);
                self.handle(Input::Alive, cx);
            }
            Down::Close(code) => {
                self.conn = None;
                self.handle(Input::Closed { refusal: Some(code.into()) }, cx);
            }
        }
    }

    /// The client sees that its link is gone.
    pub fn lose_link(&mut self, conn: ConnId, cx: &mut Context) {
        if self.conn == Some(conn) {
            self.conn = None;
            self.handle(Input::Closed { refusal: None }, cx);
        }
    }

    /// Reads nothing from the network for a while.
    pub fn stall(&mut self, time: Duration, cx: &mut Context) {
        if self.stalled.is_none() {
            self.stalled = Some(cx.now() + time);
            cx.schedule.after(time, Event::StallOver(self.id));
        }
    }

    /// Reads what has come meanwhile.
    pub fn stall_over(&mut self, cx: &mut Context) {
        self.stalled = None;
        for (conn, message) in std::mem::take(&mut self.backlog) {
            self.receive(conn, message, cx);
        }
    }

    /// Presses the button on `channel`, for `time`.
    pub fn press(&mut self, channel: ChannelId, time: Duration, cx: &mut Context) {
        if self.press.is_some() {
            return;
        }
        self.handle(Input::Press { channel, frame_ms: FrameTime::Ms20 }, cx);
        if let Some(burst) = self.press.as_ref().map(|press| press.burst) {
            cx.schedule.after(time, Event::Release(self.id));
            self.speak(burst, cx);
        }
    }

    /// The microphone has its next 20 ms of a burst. One frame in eight is silence and is not sent.
    pub fn speak(&mut self, burst: BurstNo, cx: &mut Context) {
        let Some(press) = self.press.as_mut().filter(|press| press.burst == burst) else { return };
        if press.lies && cx.rng.u8(0..4) == 0 {
            // Mostly less than the second of silence that ends a burst, and sometimes far more.
            let most = if cx.rng.u8(0..4) == 0 { MAX_JUMP } else { SAMPLE_RATE };
            let lie = cx.rng.u32(0..most);
            press.media_time += lie;
            cx.model.lied(lie);
        }
        let media_time = press.media_time;
        press.media_time += FrameTime::Ms20.samples();
        let mut payload = None;
        if press.frames == 0 || cx.rng.u8(0..8) > 0 {
            let mark = Mark { talker: self.id as u16, local: press.burst, seq: press.frames };
            press.frames += 1;
            payload = Some(mark.packet());
        }
        cx.schedule.after(Duration::from_millis(20), Event::Speak(self.id, burst));
        if let Some(payload) = payload {
            self.handle(Input::Frame { media_time, payload }, cx);
        }
    }

    /// Lets the button go. The microphone stops with it.
    pub fn release(&mut self, cx: &mut Context) {
        if self.press.take().is_some() {
            self.handle(Input::Release, cx);
        }
    }

    /// The microphone goes silent, but the finger stays on the button.
    pub fn fall_silent(&mut self) {
        self.press = None;
    }

    /// The loudspeaker of a channel wants sound.
    pub fn listen(&mut self, channel: ChannelId, cx: &mut Context) {
        let sound = self.radio.pull(&channel, cx.now());
        self.drain(cx);
        if sound.heard.is_none() && !cx.model.is_hearing(self.id, &channel) {
            self.listening.remove(&channel);
            return;
        }
        let time = Duration::from_secs(1) * sound.samples / SAMPLE_RATE;
        cx.schedule.after(time.max(Duration::from_millis(5)), Event::Listen(self.id, channel));
    }

    /// Some channel it is on.
    pub fn any_channel(&self, pick: usize) -> Option<ChannelId> {
        self.known.keys().nth(pick % self.known.len().max(1)).cloned()
    }

    /// Some burst that was heard.
    pub fn any_heard(&self, pick: usize) -> Option<HeardNo> {
        self.heard.keys().copied().nth(pick % self.heard.len().max(1))
    }

    /// Somebody who is on one of the client's channels.
    pub fn any_participant(&self, pick: usize) -> Option<ParticipantNo> {
        let all: Vec<_> = self.known.values().flatten().collect();
        all.get(pick % all.len().max(1)).map(|participant| **participant)
    }

    /// The open connection.
    pub fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// Its line.
    pub fn line(&self) -> Line {
        self.line
    }

    /// Its number, and whom it believes to be on each channel it is tuned to.
    pub fn belief(&self) -> (Option<ParticipantNo>, Vec<(&ChannelId, &BTreeSet<ParticipantNo>)>) {
        (self.you, self.known.iter().collect())
    }

    fn drain(&mut self, cx: &mut Context) {
        while let Some(output) = self.radio.poll() {
            match output {
                Output::Connect => {
                    let old = self.conn.replace(cx.new_conn());
                    if let Some(old) = old {
                        cx.hang_up(old, self.line);
                    }
                    cx.dial(self.caller.clone(), self.conn.expect("just set"), self.line);
                }
                Output::Close => {
                    if let Some(conn) = self.conn.take() {
                        cx.hang_up(conn, self.line);
                    }
                }
                Output::Send(message) => self.send(Up::Text(message), cx),
                Output::SendVoice(bytes) => self.send(Up::Voice(bytes), cx),
                Output::Event(event) => self.told(&event, cx),
            }
        }
        if let Some(at) = self.radio.poll_timeout() {
            cx.wake(Sleeper::Client(self.id), at);
        }
    }

    fn send(&mut self, message: Up, cx: &mut Context) {
        if let Some(conn) = self.conn {
            cx.up(conn, message);
        }
    }

    fn told(&mut self, event: &Told, cx: &mut Context) {
        cx.log(|| format!("client {} told {event:?}", self.id));
        let now = cx.now();
        match event {
            Told::Link(LinkState::OnTheAir { you, resumed, .. }) => {
                self.you = Some(you.id);
                if !resumed {
                    self.known.clear();
                }
            }
            Told::Pressed { burst, channel } => {
                cx.model.pressed(self.id, *burst, channel.clone());
                self.press = Some(Press { burst: *burst, frames: 0, media_time: 0, lies: false });
            }
            Told::Receipt { burst, outcome } => {
                cx.model.receipt(self.id, *burst, outcome);
                if self.press.as_ref().is_some_and(|press| press.burst == *burst) {
                    self.press = None;
                }
            }
            Told::LateReceipt { .. } => {}
            Told::Tuned { info, participants, .. } => {
                let known = participants.iter().map(|participant| participant.id).collect();
                self.known.insert(info.channel.clone(), known);
            }
            Told::Untuned { channel } | Told::TuneRefused { channel, .. } => {
                self.known.remove(channel);
                cx.model.silenced(self.id, channel);
            }
            Told::Presence { channel, joined, left, .. } => {
                let known = self.known.entry(channel.clone()).or_default();
                known.extend(joined.iter().map(|participant| participant.id));
                known.retain(|participant| !left.contains(participant));
            }
            Told::BurstStarted { heard, burst, channel, grade, .. } => {
                self.heard.insert(*heard, (*burst, channel.clone()));
                cx.model.begins(self.id, *heard, (*burst, channel.clone()), *grade);
                if self.listening.insert(channel.clone()) {
                    cx.schedule.at(now, Event::Listen(self.id, channel.clone()));
                }
            }
            Told::Voice { heard, seq, media_time, payload } => {
                cx.model.heard(self.id, *heard, *seq, payload);
                cx.model.reaches(self.id, *heard, media_time + FrameTime::Ms20.samples(), now);
            }
            Told::Gap { heard, from, to } => cx.model.missed(self.id, *heard, *from, *to),
            Told::BurstEnded { heard, reason, .. } => cx.model.ends(self.id, *heard, *reason),
            Told::PlayStarted { heard, again } => {
                cx.model.plays(self.id, *heard, *again, now);
                let channel = self.heard.get(heard).map(|(_, channel)| channel.clone());
                if let Some(channel) = channel.filter(|channel| self.listening.insert(channel.clone())) {
                    cx.schedule.at(now, Event::Listen(self.id, channel));
                }
            }
            Told::PlayEnded { heard, again } => cx.model.played(self.id, *heard, *again),
            Told::PlayMissed { heard } => cx.model.unplayed(self.id, *heard, now),
            Told::Forgotten { heard } => {
                self.heard.remove(heard);
            }
            // What has waited for the link comes at once, and then there is no time left to lie about.
            Told::Granted { burst, .. } => {
                if let Some(press) = self.press.as_mut().filter(|press| press.burst == *burst) {
                    press.lies = cx.rng.u8(0..4) == 0;
                }
            }
            Told::Link(_)
            | Told::Participants { .. }
            | Told::Refused { .. }
            | Told::Located { .. }
            | Told::Island { .. }
            | Told::OthersWait { .. }
            | Told::Ranged(_) => {}
        }
    }
}
