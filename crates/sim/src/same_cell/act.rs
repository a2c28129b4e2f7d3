//! What people do in a pair of worlds: the victim lives, the others look on.

use std::time::Duration;

use fastrand::Rng;
use tenfour_core::Time;
use tenfour_core::radio::Input as Act;
use tenfour_protocol::{ChannelId, ClientMessage, GeoCell};

use super::scene::Scene;
use crate::context::Event;
use crate::letters::Up;
use crate::place::Position;
use crate::world::World;

/// For messages that are on their way at the end.
const DRAIN_TIME: Duration = Duration::from_millis(300);

/// Where everybody meets.
pub(super) fn channel() -> ChannelId {
    "9".parse().expect("a channel")
}

/// The course of a world.
pub(super) struct Play<'a> {
    scene: &'a Scene,
    victim: usize,
    /// Positions of the victim within its cells, and nothing else.
    hidden: Rng,
    /// Which of its cells the victim is in.
    cell: usize,
}

impl<'a> Play<'a> {
    pub(super) fn new(scene: &'a Scene, victim: usize, hidden: Rng) -> Self {
        Self { scene, victim, hidden, cell: 0 }
    }

    pub(super) fn run(mut self, world: &mut World) {
        let mut end = Time::ZERO;
        for &(from, to) in &self.scene.busy {
            world.until((Time::ZERO + from).max(end));
            end = Time::ZERO + to;
            loop {
                let pause = Duration::from_millis(world.cx.rng.u64(10..120));
                if world.cx.now() + pause >= end {
                    break;
                }
                world.until(world.cx.now() + pause);
                if world.cx.rng.u8(0..10) < 4 {
                    self.live(world);
                } else {
                    self.look(world);
                }
            }
        }
        world.until(end + DRAIN_TIME);
    }

    /// The victim does something, the same in both worlds; where in its cell it does so differs.
    fn live(&mut self, world: &mut World) {
        let (client, cx) = (&mut world.clients[self.victim], &mut world.cx);
        match cx.rng.u8(0..20) {
            0..10 => client.press(channel(), a_while(&mut cx.rng), cx),
            10..14 => {
                self.cell = if cx.rng.bool() { self.cell } else { 1 - self.cell };
                let position = Position::within(self.scene.cells[self.cell], &mut self.hidden);
                client.handle(Act::Locate(Some(position.said())), cx);
            }
            14..16 => {
                let ranges = self.scene.any_ranges(&mut cx.rng);
                client.handle(Act::Range(ranges), cx);
            }
            16 => client.handle(Act::Untune { channel: channel() }, cx),
            17 => client.handle(Act::Tune { channel: channel(), catch_up: true }, cx),
            18 => reconnect(self.victim, world),
            _ => {
                if cx.rng.u8(0..4) == 0 {
                    client.handle(Act::Locate(None), cx);
                    let position = Position::within(self.scene.cells[self.cell], &mut self.hidden);
                    client.handle(Act::Locate(Some(position.said())), cx);
                }
            }
        }
    }

    /// Somebody else does something to learn more.
    fn look(&mut self, world: &mut World) {
        let pick = (self.victim + world.cx.rng.usize(1..world.clients.len())) % world.clients.len();
        let (client, cx) = (&mut world.clients[pick], &mut world.cx);
        let Some(conn) = client.conn() else { return };
        let any = cx.rng.usize(..);
        match cx.rng.u8(0..40) {
            0..11 => client.press(channel(), a_while(&mut cx.rng), cx),
            11..19 => {
                let cell = Some(self.scene.any_invented(&mut cx.rng).said());
                cx.up(conn, Up::Text(ClientMessage::locate(cell)));
            }
            19..25 => {
                let ranges = self.scene.any_ranges(&mut cx.rng);
                cx.up(conn, Up::Text(ClientMessage::Range { tx: ranges.tx, rx: ranges.rx }));
            }
            25..29 => reconnect(pick, world),
            29..31 => client.handle(Act::Participants { channel: channel(), page: 0 }, cx),
            31 => cx.up(conn, Up::Text(ClientMessage::locate(None))),
            32 => client.handle(Act::Untune { channel: channel() }, cx),
            33..36 => client.handle(Act::Tune { channel: channel(), catch_up: cx.rng.bool() }, cx),
            36 => {
                if let Some(participant) = client.any_participant(any) {
                    cx.model.mutes(pick);
                    client.handle(Act::Mute { participant, muted: cx.rng.bool() }, cx);
                }
            }
            37 => client.stall(Duration::from_millis(cx.rng.u64(50..500)), cx),
            38 => cx.up(conn, Up::Text(ClientMessage::locate(Some(GeoCell::new(any as u64))))),
            _ => {
                for n in 0..if any % 8 == 0 { 130 } else { 5 } {
                    cx.up(conn, Up::Text(ClientMessage::Ping { n }));
                }
            }
        }
    }
}

/// How long somebody talks: sometimes so long that a waiting talker ends it, and that the channel is busy for the next.
fn a_while(rng: &mut Rng) -> Duration {
    let ms = if rng.u8(0..4) == 0 { 250..1200 } else { 20..250 };
    Duration::from_millis(rng.u64(ms))
}

/// The link is lost and comes back at once: the next cell counts as a first cell again.
fn reconnect(pick: usize, world: &mut World) {
    let (client, cx) = (&mut world.clients[pick], &mut world.cx);
    let Some(conn) = client.conn() else { return };
    cx.cut(conn);
    let seen = Duration::from_millis([0, 1, 30, 400][cx.rng.usize(0..4)]);
    cx.schedule.after(seen, Event::Gone(conn));
    client.lose_link(conn, cx);
    client.handle(Act::Retry, cx);
}
