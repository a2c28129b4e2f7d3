//! Somebody with a radio: it says what radios say, and remembers what it was told.

use std::collections::{BTreeMap, BTreeSet};

use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Heard, Resume};
use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, Handle, ParticipantNo, Person as Seen, Place, Ranges, ServerMessage,
    UserId,
};

use crate::place::Position;

/// A burst that was announced on this connection or, with a resume, before.
pub(super) struct Open {
    channel: ChannelId,
    pub(super) next: u16,
}

/// A connection, as its node knows it: with a node that is stopped, its person may be elsewhere by now.
pub(super) struct Line {
    pub(super) person: usize,
    pub(super) node: usize,
    pub(super) place: Option<Position>,
    pub(super) ranges: Ranges,
    pub(super) tuned: BTreeSet<ChannelId>,
    located: bool,
}

impl Line {
    pub(super) fn new(person: usize, node: usize, place: Option<Position>) -> Self {
        let (ranges, tuned) = Default::default();
        Self { person, node, place, ranges, tuned, located: false }
    }

    /// Where its person is, if the node knows that.
    pub(super) fn here(&self) -> Option<Position> {
        self.place.filter(|_| self.located)
    }

    pub(super) fn told(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Welcome { tuned, .. } => self.tuned = tuned.iter().cloned().collect(),
            ServerMessage::Tuned { info, .. } => {
                self.tuned.insert(info.channel.clone());
            }
            ServerMessage::Untuned { channel } => {
                self.tuned.remove(channel);
            }
            ServerMessage::Located { shared, .. } => self.located = *shared,
            ServerMessage::Ranged { tx, rx } => self.ranges = Ranges { tx: *tx, rx: *rx },
            _ => {}
        }
    }
}

/// One person.
pub(super) struct Person {
    pub(super) id: usize,
    pub(super) user: UserId,
    pub(super) seen: Seen,
    pub(super) node: usize,
    pub(super) conn: Option<ConnId>,
    /// Where it is, if it shares that.
    pub(super) place: Option<Position>,
    /// How far it would like to reach and hear.
    pub(super) wishes: Ranges,
    pub(super) located: bool,
    pub(super) wanted: BTreeSet<ChannelId>,
    pub(super) tuned: BTreeSet<ChannelId>,
    pub(super) you: Option<ParticipantNo>,
    /// The last change of connection, channels or range.
    pub(super) changed: Time,
    token: Option<String>,
    newest: Option<BurstNo>,
    pub(super) open: BTreeMap<BurstNo, Open>,
    /// The button is down: its number, frames so far, and where.
    pub(super) talk: Option<(BurstNo, u16)>,
    pub(super) presses: u32,
    /// Presses without a receipt.
    pub(super) unanswered: BTreeSet<BurstNo>,
}

impl Person {
    pub(super) fn new(id: usize, node: usize, place: Option<Position>, wishes: Ranges) -> Self {
        let user = UserId::of_key(&[id as u8 + 1; 32]);
        let handle = Handle::parse(&format!("Radio {id}")).expect("a handle");
        Self {
            id,
            user,
            seen: Seen { handle, tag: user.tag(), description: None, country: None },
            node,
            conn: None,
            place,
            wishes,
            located: false,
            wanted: BTreeSet::new(),
            tuned: BTreeSet::new(),
            you: None,
            changed: Time::ZERO,
            token: None,
            newest: None,
            open: BTreeMap::new(),
            talk: None,
            presses: 0,
            unanswered: BTreeSet::new(),
        }
    }

    /// The first message of a connection.
    pub(super) fn hello(&self) -> ClientMessage {
        let have = self.open.iter().map(|(&burst, open)| Heard { burst, next: open.next }).collect();
        let resume = self.token.clone().map(|token| Resume { token, newest: self.newest, have });
        let place = self.place.map(|place| Place { cell: place.said(), stamp: None });
        let range = Some(self.wishes).filter(|_| self.place.is_some());
        ClientMessage::Hello {
            client: "sim".into(),
            resume,
            economy: false,
            hear_self: false,
            place,
            range,
            device: None,
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, now: Time) {
        self.conn = None;
        self.talk = None;
        self.unanswered.clear();
        self.tuned.clear();
        (self.located, self.changed) = (false, now);
    }

    /// Takes in what the server says. What to say next, if anything.
    pub(super) fn told(&mut self, message: &ServerMessage, now: Time) -> Vec<ClientMessage> {
        match message {
            ServerMessage::Welcome { you, resume, resumed, tuned, .. } => {
                self.you = Some(you.id);
                self.token = Some(resume.clone());
                self.tuned = tuned.iter().cloned().collect();
                self.changed = now;
                if !resumed {
                    (self.newest, self.open) = (None, BTreeMap::new());
                }
                let missing = self.wanted.iter().filter(|channel| !self.tuned.contains(channel));
                // A radio that had asked to catch up once asks again.
                return missing.map(|c| ClientMessage::Tune { channel: c.clone(), catch_up: true }).collect();
            }
            ServerMessage::Tuned { info, .. } => {
                let new = self.tuned.insert(info.channel.clone());
                self.changed = if new { now } else { self.changed };
            }
            ServerMessage::Untuned { channel } => {
                self.tuned.remove(channel);
                self.changed = now;
                self.open.retain(|_, open| open.channel != *channel);
            }
            ServerMessage::Located { shared, .. } => self.located = *shared,
            ServerMessage::Ranged { .. } => self.changed = now,
            ServerMessage::BurstStarted { burst, channel, .. } => {
                self.newest = self.newest.max(Some(*burst));
                self.open.entry(*burst).or_insert(Open { channel: channel.clone(), next: 0 });
            }
            ServerMessage::BurstGap { burst, to, .. } => {
                if let Some(open) = self.open.get_mut(burst) {
                    open.next = open.next.max(*to);
                }
            }
            ServerMessage::BurstEnded { burst, .. } => {
                self.open.remove(burst);
            }
            ServerMessage::Receipt { burst, late: false, .. } => {
                self.unanswered.remove(burst);
                self.talk.take_if(|(local, _)| local == burst);
            }
            _ => {}
        }
        Vec::new()
    }
}
