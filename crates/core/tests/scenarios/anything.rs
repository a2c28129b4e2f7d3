//! Whatever clients do, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tenfour_core::ConnId;
use tenfour_core::hub::{HubConfig, Input};
use tenfour_protocol::control::{EndReason, Heard, Resume};
use tenfour_protocol::{BurstNo, ClientMessage, ParticipantNo, Range, ServerMessage};

use crate::world::{FAR, Got, HERE, NEAR, World, cell, channel, hello, login_of, ms, receipts, start};

const NAMES: [&str; 5] = ["Anna", "Bert", "Cleo", "Dora", "Emil"];
const PLACES: [(f64, f64); 3] = [HERE, NEAR, FAR];
const CHANNELS: [&str; 3] = ["19", "road", "sea"];

#[derive(Debug, Clone)]
enum Act {
    /// Opens a connection for a user who has none, with the token of the last one.
    Connect(usize, u16),
    Tune(usize, usize, bool),
    Untune(usize, usize),
    Press(usize, usize),
    Speak(usize),
    Release(usize),
    Mute(usize, u32, bool),
    Stall(usize, bool),
    Drop(usize),
    LogOut(usize),
    /// Says a cell, or takes it back.
    Locate(usize, Option<usize>),
    Range(usize, usize, usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 0..NAMES.len();
    let place = || 0..CHANNELS.len();
    prop_oneof![
        5 => (who(), 0..9u16).prop_map(|(who, next)| Act::Connect(who, next)),
        5 => (who(), place(), any::<bool>()).prop_map(|(who, place, old)| Act::Tune(who, place, old)),
        1 => (who(), place()).prop_map(|(who, place)| Act::Untune(who, place)),
        4 => (who(), place()).prop_map(|(who, place)| Act::Press(who, place)),
        8 => who().prop_map(Act::Speak),
        3 => who().prop_map(Act::Release),
        1 => (who(), 1..9u32, any::<bool>()).prop_map(|(who, other, muted)| Act::Mute(who, other, muted)),
        2 => (who(), any::<bool>()).prop_map(|(who, stalled)| Act::Stall(who, stalled)),
        2 => who().prop_map(Act::Drop),
        1 => who().prop_map(Act::LogOut),
        3 => (who(), prop::option::of(0..PLACES.len())).prop_map(|(who, place)| Act::Locate(who, place)),
        3 => (who(), 0..8usize, 0..8usize).prop_map(|(who, tx, rx)| Act::Range(who, tx, rx)),
        5 => (0..1500u64).prop_map(Act::Wait),
        1 => Just(Act::Wait(300_000)),
    ]
}

/// A user's connection, as the test knows it.
#[derive(Default)]
struct User {
    conn: Option<ConnId>,
    token: String,
    presses: u32,
    answered: Vec<u32>,
    seq: u16,
}

struct Story {
    world: World,
    users: Vec<User>,
    /// Connections whose burst was announced, and is not over, and the number after the last heard.
    hearing: BTreeMap<(ConnId, u32), Option<u16>>,
    over: BTreeSet<(ConnId, u32)>,
}

impl Story {
    fn act(&mut self, act: &Act) {
        match *act {
            Act::Connect(who, next) => self.connect(who, next),
            Act::Tune(who, place, catch_up) => {
                let channel = channel(CHANNELS[place]);
                self.send(who, ClientMessage::Tune { channel, catch_up });
            }
            Act::Untune(who, place) => {
                self.send(who, ClientMessage::Untune { channel: channel(CHANNELS[place]) });
            }
            Act::Press(who, place) => {
                self.users[who].presses += 1;
                self.users[who].seq = 0;
                self.send(who, start(CHANNELS[place], self.users[who].presses));
            }
            Act::Speak(who) => {
                let user = &mut self.users[who];
                if let Some(conn) = user.conn {
                    user.seq += 1;
                    self.world.speak(conn, user.presses, user.seq);
                }
            }
            Act::Release(who) => {
                let burst = BurstNo(self.users[who].presses);
                self.send(who, ClientMessage::BurstEnd { burst, frames: 0 });
            }
            Act::Mute(who, other, muted) => {
                self.send(who, ClientMessage::Mute { participant: ParticipantNo(other), muted });
            }
            Act::Stall(who, stalled) => {
                if let Some(conn) = self.users[who].conn {
                    self.world.stall(conn, stalled);
                }
            }
            Act::Drop(who) => self.hang_up(who),
            Act::LogOut(who) => self.world.tell(Input::LoggedOut { login: login_of(NAMES[who]) }),
            Act::Locate(who, place) => {
                let cell = place.map(|place| cell(PLACES[place]));
                self.send(who, ClientMessage::locate(cell));
            }
            Act::Range(who, tx, rx) => {
                self.send(who, ClientMessage::Range { tx: Range::ALL[tx], rx: Range::ALL[rx] });
            }
            Act::Wait(millis) => self.world.run(ms(millis)),
        }
        (0..NAMES.len()).for_each(|who| self.listen(who));
    }

    fn connect(&mut self, who: usize, next: u16) {
        self.hang_up(who);
        let conn = self.world.connect(NAMES[who]);
        let token = std::mem::take(&mut self.users[who].token);
        let have = (1..9).map(|burst| Heard { burst: BurstNo(burst), next }).collect();
        let resume = (!token.is_empty()).then_some(Resume { token, newest: Some(BurstNo(9)), have });
        self.users[who] = User { conn: Some(conn), ..User::default() };
        self.world.send(conn, hello(resume));
    }

    fn send(&mut self, who: usize, message: ClientMessage) {
        if let Some(conn) = self.users[who].conn {
            self.world.send(conn, message);
        }
    }

    fn hang_up(&mut self, who: usize) {
        if let Some(conn) = self.users[who].conn.take() {
            self.world.drop_link(conn);
        }
    }

    /// Looks at what a user got.
    fn listen(&mut self, who: usize) {
        let Some(conn) = self.users[who].conn else { return };
        for got in self.world.take(conn) {
            match got {
                Got::Control(message) => self.check_control(who, conn, &message),
                Got::Voice { burst, seq, .. } => {
                    let heard = self.hearing.get_mut(&(conn, burst)).expect("announced before its voice");
                    assert!(heard.is_none_or(|next| seq >= next), "in order, none twice");
                    *heard = Some(seq + 1);
                }
            }
        }
        if self.world.closed.contains_key(&conn) {
            self.users[who].conn = None;
        }
    }

    fn check_control(&mut self, who: usize, conn: ConnId, message: &ServerMessage) {
        self.users[who].answered.extend(receipts(std::slice::from_ref(message)));
        match message {
            ServerMessage::Welcome { resume, .. } => self.users[who].token.clone_from(resume),
            ServerMessage::BurstStarted { burst, talker, .. } => {
                assert_ne!(talker.person.handle.as_str(), NAMES[who], "nobody hears itself");
                assert!(!self.over.contains(&(conn, burst.0)), "not after its end");
                // A second time after an affiliation or a mute was taken back: from there on.
                self.hearing.insert((conn, burst.0), None);
            }
            // Its start may come again; and a resume may name bursts that it never heard.
            ServerMessage::BurstEnded { burst, reason: EndReason::OutOfRange, .. } => {
                self.hearing.remove(&(conn, burst.0));
            }
            ServerMessage::BurstEnded { burst, .. } => {
                assert!(self.hearing.remove(&(conn, burst.0)).is_some(), "announced before its end");
                self.over.insert((conn, burst.0));
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Announcements frame their voice, a press has one receipt, and nothing is left behind.
    #[test]
    fn a_world_of_clients_keeps_the_promises(acts in prop::collection::vec(act(), 0..200)) {
        let config = HubConfig { hold: ms(2_000), talk_limit: ms(5_000), ..HubConfig::default() };
        let mut story = Story {
            world: World::with(config),
            users: NAMES.iter().map(|_| User::default()).collect(),
            hearing: BTreeMap::new(),
            over: BTreeSet::new(),
        };
        acts.iter().for_each(|act| story.act(act));
        story.act(&Act::Wait(10_000));
        for user in story.users.iter().filter(|user| user.conn.is_some()) {
            let mut answered = user.answered.clone();
            answered.sort_unstable();
            prop_assert_eq!(answered, (1..=user.presses).collect::<Vec<_>>(), "one receipt for each press");
        }
        (0..NAMES.len()).for_each(|who| story.hang_up(who));
        story.world.run(ms(10_000));
        prop_assert!(story.world.is_empty(), "{:?}", story.world.hub.figures());
    }
}
