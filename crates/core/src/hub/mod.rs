//! The hub: who is here, who may talk, who may hear.
//!
//! The hub is made of small machines. A machine keeps one kind of state in private fields. Its methods keep its lists
//! and counts consistent, and it knows no other machine. What concerns several machines is wiring: methods of
//! [`Hub`], in files that are named for what happens.
//!
//! | machine | keeps | wiring |
//! |---|---|---|
//! | `agenda` | outputs, timers, the number of the input | this file |
//! | `sessions` (`quota`) | connections, log-ins, tokens, sessions | `connecting`, `resuming`, `profile` |
//! | `roster` (`members`, `roll`) | channels, and who is tuned to them | `tuning`, `presence` |
//! | `floor` (`burst`, `airtime`) | presses, bursts on the air and held, speech | `talking`, `audience`, `fair`, `receipts` |
//! | `places` | spots, ranges, moves, stamps and what they cost | `locating` |
//! | `mutes` | who does not want to hear whom | `muting` |
//! | `nodes` | other nodes of a cluster | `nodes/` |
//!
//! To add a machine (a moderator's mutes and bans, say): write its file, add a field to [`Hub`], and call it where
//! things happen. `fair` calls it to refuse a press or a channel, `connecting` to refuse a connection, and
//! `Hub::forget_session` to forget a session.

mod agenda;
mod airtime;
mod audience;
mod burst;
mod config;
mod connecting;
mod fair;
mod figures;
mod floor;
mod input;
mod locating;
mod members;
#[cfg(feature = "mutants")]
#[path = "../mutants/hub.rs"]
mod mutants;
mod mutes;
mod muting;
mod nodes;
mod output;
mod places;
mod presence;
mod profile;
mod quota;
mod receipts;
mod resuming;
mod roll;
mod roster;
mod sessions;
mod talking;
mod tuning;

use std::time::Duration;

use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, Code, ParticipantNo, Ranges, Refusal, ServerMessage, control,
};

use self::agenda::{Agenda, Timer};
use self::burst::Press;
use self::connecting::Hello;
use self::floor::Floor;
use self::mutes::Mutes;
use self::nodes::Nodes;
use self::places::Places;
use self::quota::Spent;
use self::receipts::Passed;
use self::roster::Roster;
use self::sessions::{Connection, Sessions, Stage};
use crate::{ConnId, Time};

pub use config::{ClusterConfig, HubConfig};
pub use figures::HubFigures;
pub use input::{AddressNo, Input, LoginId, NodeInput, ResumeToken};
pub use output::{Hears, NodeNews, NodeOutput, Output, Recipients, Route, StartAt, Tuned};

/// Decides everything that is rare: sessions, channels, presence, permission to talk, routes.
/// Driven as the [crate's contract](crate) says.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    agenda: Agenda,
    sessions: Sessions,
    roster: Roster,
    floor: Floor,
    mutes: Mutes,
    places: Places,
    /// Other nodes, when this one belongs to a cluster.
    nodes: Option<Box<Nodes>>,
}

impl Hub {
    /// An empty hub.
    pub fn new(config: HubConfig) -> Self {
        Self {
            places: Places::new(&config),
            floor: Floor::new(config.secret.seed()),
            nodes: config.cluster.clone().map(|cluster| Box::new(Nodes::new(cluster))),
            config,
            agenda: Agenda::default(),
            sessions: Sessions::default(),
            roster: Roster::default(),
            mutes: Mutes::default(),
        }
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Time) {
        self.agenda.begin_input();
        match input {
            Input::Connected { conn, login, user, address, person, token } => {
                let user = (user, self.config.secret.key_of(user));
                self.connected(conn, Connection::new(login, user, address, person, token, now), now);
            }
            Input::Message { conn, message } => self.message(conn, message, now),
            Input::Malformed { conn, refusal, press } => self.malformed(conn, refusal, press, now),
            Input::BurstClosed { conn, local, frames, dropped, reason } => {
                self.burst_closed(conn, local, Passed { frames, dropped }, reason, now);
            }
            Input::Left { conn } => self.left(conn, now),
            Input::Disconnected { conn } => self.disconnected(conn, now),
            Input::LoggedOut { login } => self.logged_out(login, Code::LoggedOut, now),
            Input::Displaced { login } => self.logged_out(login, Code::Displaced, now),
            Input::Erased { login } => self.logged_out(login, Code::Erased, now),
            Input::Profile { login, person } => self.profile(login, &person, now),
            Input::Node(input) => self.node(input, now),
            Input::Stop { back_in } => self.stop(back_in, now),
        }
    }

    /// The next thing to do. To be drained after each input.
    pub fn poll(&mut self) -> Option<Output> {
        self.agenda.take_output()
    }

    /// When [`Hub::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.agenda.due(), self.places.due(), self.floor.due()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.agenda.begin_input();
        self.places.forget_budgets(now);
        self.floor.forget_airtime(now);
        while let Some(timer) = self.agenda.take_due(now) {
            match timer {
                Timer::Hello(conn) => self.close(conn, Code::HelloExpected, now),
                Timer::Press(conn) => self.refuse_waiting_press(conn),
                Timer::TalkLimit(burst) => self.talk_limit_reached(burst),
                Timer::Forget(burst) => self.floor.forget(burst),
                Timer::Suspended(participant) => self.forget_session(participant, now),
                Timer::Presence(channel) => self.tell_presence(&channel),
                Timer::Epoch => self.apply_moves(now),
                Timer::Stop => self.close_all(now),
                Timer::Beat => self.beat(now),
                Timer::Counts => self.say_counts(),
                Timer::Linger => self.linger_over(now),
                Timer::Page(ask) => self.page_missed(ask),
                Timer::Ended(node, burst) => self.forget_ended(node, burst),
            }
        }
    }

    /// The configuration.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    fn message(&mut self, conn: ConnId, message: ClientMessage, now: Time) {
        let stage = match self.sessions.pay(conn, Some(&message), now) {
            None => return,
            Some(Ok(stage)) => stage,
            Some(Err(Spent::Refused(refusal))) => return self.refuse(conn, &message, refusal),
            Some(Err(Spent::Disconnect)) => return self.close(conn, Code::TooManyMessages, now),
        };
        match (stage, message) {
            // The shell has read the device already.
            (
                Stage::Greeting { .. },
                ClientMessage::Hello { client, resume, economy, hear_self, place, range, device: _ },
            ) => {
                self.hello(conn, Hello { client, resume, economy, hear_self, place, range }, now);
            }
            (Stage::Greeting { .. }, message) => self.refuse(conn, &message, Code::HelloExpected.into()),
            (Stage::Greeted(participant), message) => self.act(conn, participant, message, now),
        }
    }

    fn act(&mut self, conn: ConnId, participant: ParticipantNo, message: ClientMessage, now: Time) {
        match message {
            ClientMessage::Hello { .. } => self.agenda.error(conn, Code::AlreadyGreeted),
            ClientMessage::Locate { cell, stamp } => {
                self.locate(conn, participant, cell, stamp.as_deref(), now);
            }
            ClientMessage::Range { tx, rx } => self.set_ranges(conn, participant, Ranges { tx, rx }, now),
            ClientMessage::Tune { channel, catch_up } => {
                self.tune(conn, participant, &channel, catch_up, now);
            }
            ClientMessage::Untune { channel } => self.untune(conn, participant, &channel, now),
            ClientMessage::Participants { channel, page } => self.page(conn, participant, channel, page, now),
            ClientMessage::BurstStart { channel, burst, codec, frame_ms } => {
                self.press(conn, Press::new(burst, channel, codec, frame_ms, now), now);
            }
            // The uplink handles it. What becomes of the burst comes back as `BurstClosed`.
            ClientMessage::BurstEnd { .. } => {}
            ClientMessage::Mute { participant: other, muted } => self.mute(conn, participant, other, muted),
            ClientMessage::Ping { n } => self.agenda.send(conn, ServerMessage::Pong { n }),
        }
    }

    fn malformed(&mut self, conn: ConnId, refusal: Refusal, press: Option<BurstNo>, now: Time) {
        let refusal = match self.sessions.pay(conn, None, now) {
            None => return,
            Some(Ok(_)) => refusal,
            Some(Err(Spent::Refused(refusal))) => refusal,
            Some(Err(Spent::Disconnect)) => return self.close(conn, Code::TooManyMessages, now),
        };
        match press {
            Some(local) => self.refuse_unread(conn, local, refusal),
            None => self.agenda.error(conn, refusal),
        }
    }

    /// Refuses `message`. A press is answered by its receipt, everything else by `error`.
    fn refuse(&mut self, conn: ConnId, message: &ClientMessage, refusal: Refusal) {
        match message {
            ClientMessage::BurstStart { burst, .. } => self.refuse_press(conn, *burst, refusal),
            _ => self.agenda.error(conn, Refusal { channel: message.channel().cloned(), ..refusal }),
        }
    }

    fn info(&self, channel: &ChannelId, count: u32) -> control::ChannelInfo {
        let label = self.config.labels.get(channel).cloned();
        control::ChannelInfo { channel: channel.clone(), label, count }
    }
}

/// In milliseconds, as the wire counts; more than fits becomes the most that fits.
fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
