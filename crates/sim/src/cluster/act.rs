//! What people do, and what goes wrong.

use std::time::Duration;

use tenfour_core::hub::{Input, NodeInput};
use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::{BurstNo, ClientMessage, VoiceFrame};

use super::node::Task;
use super::{Event, Mend, World};
use crate::voice::Mark;
use crate::world::{any_channel, any_ranges};

const FRAME: Duration = Duration::from_millis(20);

impl World {
    /// Somebody does something.
    pub(super) fn act(&mut self) {
        if !self.busy {
            return;
        }
        let pause = Duration::from_millis(self.rng.u64(50..700));
        self.schedule.after(pause, Event::Act);
        let person = self.rng.usize(0..self.people.len());
        if self.people[person].conn.is_none() || self.people[person].you.is_none() {
            return;
        }
        match self.rng.u8(0..20) {
            0..11 => self.press(person),
            11..14 => {
                let channel = any_channel(&mut self.rng);
                self.people[person].wanted.insert(channel.clone());
                self.say(person, ClientMessage::Tune { channel, catch_up: false });
            }
            14 => {
                let channel = any_channel(&mut self.rng);
                if self.people[person].wanted.len() > 1 && self.people[person].wanted.remove(&channel) {
                    self.say(person, ClientMessage::Untune { channel });
                }
            }
            15..17 if self.people[person].located => {
                let ranges = any_ranges(&mut self.rng);
                self.people[person].wishes = ranges;
                self.say(person, ClientMessage::Range { tx: ranges.tx, rx: ranges.rx });
            }
            17..19 => {
                let (node, conn) = (self.people[person].node, self.people[person].conn);
                self.lose(person);
                if let Some(conn) = conn {
                    self.task(node, Task::Gone(conn));
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, person: usize, message: ClientMessage) {
        if let Some(conn) = self.people[person].conn {
            self.task(self.people[person].node, Task::Text(conn, message));
        }
    }

    fn press(&mut self, person: usize) {
        let Some(channel) = self.people[person].tuned.first().cloned() else { return };
        if self.people[person].talk.is_some() {
            return;
        }
        self.people[person].presses += 1;
        let burst = BurstNo(self.people[person].presses);
        self.people[person].talk = Some((burst, 0));
        self.people[person].unanswered.insert(burst);
        self.schedule.after(Duration::from_millis(self.rng.u64(0..4000)), Event::Release(person, burst));
        self.schedule.after(Duration::ZERO, Event::Speak(person));
        let (codec, frame_ms) = (Codec::Opus, FrameTime::Ms20);
        self.say(person, ClientMessage::BurstStart { channel, burst, codec, frame_ms });
    }

    pub(super) fn speak(&mut self, person: usize) {
        let who = &mut self.people[person];
        let (Some((burst, seq)), Some(conn)) = (who.talk, who.conn) else { return };
        who.talk = Some((burst, seq + 1));
        let (node, media_time) = (who.node, u32::from(seq) * 960);
        let payload = Mark { talker: person as u16, local: burst, seq }.packet();
        let frame = VoiceFrame { burst, seq, media_time, last: false, payload: &payload }.to_bytes();
        self.schedule.after(FRAME, Event::Speak(person));
        self.task(node, Task::Voice(conn, frame));
    }

    pub(super) fn release(&mut self, person: usize, local: BurstNo) {
        if let Some((burst, frames)) = self.people[person].talk.take_if(|(burst, _)| *burst == local) {
            self.say(person, ClientMessage::BurstEnd { burst, frames: u32::from(frames) });
        }
    }

    /// Something goes wrong.
    pub(super) fn go_wrong(&mut self) {
        if !self.busy {
            return;
        }
        let pause = Duration::from_millis(self.rng.u64(1500..9000));
        self.schedule.after(pause, Event::Trouble);
        let node = self.rng.usize(0..self.nodes.len());
        if self.nodes[node].paused || self.bus.cut.contains(&node) {
            return;
        }
        let now = self.schedule.now();
        let time = Duration::from_millis(self.rng.u64(100..6000));
        self.judge.seen.faults += 1;
        self.judge.trouble = Some(now);
        match self.rng.u8(0..4) {
            0 => {
                self.nodes[node].paused = true;
                self.judge.stopped.insert(node, now);
                self.schedule.after(time, Event::Mended(node, Mend::Paused));
            }
            1 => {
                self.bus.cut.insert(node);
                self.schedule.after(time, Event::Mended(node, Mend::Cut));
            }
            2 => {
                self.bus.cut.insert(node);
                self.task(node, Task::Hub(Box::new(Input::Node(NodeInput::Down))));
                self.schedule.after(time, Event::Mended(node, Mend::Down));
            }
            _ => self.kill(node),
        }
    }

    /// The process is gone, and another one is started in its place.
    fn kill(&mut self, node: usize) {
        self.judge.stopped.insert(node, self.schedule.now());
        self.nodes[node] = self.any_node(node);
        self.wakes[node] = None;
        self.lines.retain(|_, line| line.node != node);
        let there = |world: &Self, person: usize| {
            world.people[person].node == node && world.people[person].conn.is_some()
        };
        for person in (0..self.people.len()).filter(|&person| there(self, person)).collect::<Vec<_>>() {
            self.lose(person);
        }
        let id = self.nodes[node].id;
        let up = Task::Hub(Box::new(Input::Node(NodeInput::Up)));
        self.schedule.after(Duration::from_millis(100), Event::Node(node, id, up));
    }

    pub(super) fn mend(&mut self, node: usize, mend: Mend) {
        let now = self.schedule.now();
        self.judge.trouble = Some(now);
        match mend {
            Mend::Paused => {
                if !std::mem::take(&mut self.nodes[node].paused) {
                    return;
                }
                self.judge.stopped.insert(node, now);
                self.wakes[node] = None;
                self.task(node, Task::Timeout);
                while let Some(task) = self.nodes[node].backlog.pop_front() {
                    self.task(node, task);
                }
            }
            Mend::Cut => {
                self.bus.cut.remove(&node);
            }
            Mend::Down => {
                self.bus.cut.remove(&node);
                self.task(node, Task::Hub(Box::new(Input::Node(NodeInput::Up))));
            }
        }
    }
}
