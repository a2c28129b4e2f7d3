//! The reference model: it watches what goes into the server and what comes out, and records what must not be. It is
//! simple where the real thing is fast.

mod audience;
mod clock;
mod end;
mod mutes;
mod people;
mod server;
mod whereabouts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenfour_core::hub::HubConfig;
use tenfour_core::radio::HeardNo;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo};

use audience::Audiences;
use clock::Clock;
pub use end::Belief;
use mutes::Mutes;
use whereabouts::Whereabouts;

use crate::report::seen;

/// Times this near count as the same: a message may wait in a queue.
const SLACK: Duration = Duration::from_millis(20);

/// From when to when; open when it lasts.
type Span = (Time, Option<Time>);

seen! {
    /// Presses of a button.
    presses,
    /// Bursts that were relayed.
    aired,
    /// Presses that were refused.
    refused,
    /// Frames that were heard.
    heard,
    /// Samples by which false clocks jumped ahead.
    lies,
    /// Frames that were told as gaps.
    gaps,
    /// Bursts that waited for too long and were not played.
    unplayed,
    /// Links that went on where they had ended.
    resumed,
    /// Bursts that had to be heard whole, and were.
    whole,
    /// Cells that took effect.
    located,
    /// Those of them that did so at a boundary.
    moved,
    /// Bursts that somebody heard no more for their distance, while they went on.
    out_of_range,
    /// Pairs of a burst and somebody on its channel who was out of range, at least for a while.
    beyond,
    /// Pairs of a burst and somebody on its channel who had its talker muted, at least for a while.
    unwanted,
}

struct Press {
    channel: ChannelId,
    receipts: u32,
    aired: Option<u32>,
}

struct Burst {
    talker: usize,
    local: BurstNo,
    channel: ChannelId,
    opened: Time,
    frames: BTreeMap<u16, Time>,
    clock: Clock,
    closed: Option<(Time, u32, EndReason)>,
}

struct Hearing {
    burst: BurstNo,
    channel: ChannelId,
    last: Option<u16>,
    /// When the first frame came.
    came: Option<Time>,
    ended: bool,
    /// Nothing more of it is played.
    played: bool,
}

/// What may cost a listener frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The link was lost, or closed by the server.
    Link,
    /// It read nothing from the network.
    Stall,
}

/// Something that happened to a client's link.
struct Trouble {
    kind: Kind,
    start: Time,
    end: Time,
}

impl Trouble {
    fn time(&self) -> Duration {
        self.end - self.start
    }
}

impl Hearing {
    /// Nothing is left to come or to play. A burst of which no frame came is never played.
    fn is_over(&self) -> bool {
        self.ended && (self.played || self.last.is_none())
    }
}

/// The model.
pub struct Model {
    hold: Duration,
    talk_limit: Duration,
    /// Clients whose voice travels as datagrams.
    datagrams: Vec<bool>,
    presses: BTreeMap<(usize, BurstNo), Press>,
    bursts: BTreeMap<BurstNo, Burst>,
    admitted: BTreeMap<(usize, BurstNo), BurstNo>,
    opening: BTreeMap<BurstNo, (ChannelId, Time)>,
    /// Whose a connection is.
    callers: BTreeMap<ConnId, usize>,
    /// Which session a connection has, by the server's word.
    sessions: BTreeMap<ConnId, ParticipantNo>,
    /// From when to when a session was tuned to a channel, by the server's word.
    session_tuned: BTreeMap<(ParticipantNo, ChannelId), Vec<Span>>,
    /// The same for a client, whatever its session.
    tuned: BTreeMap<(usize, ChannelId), Vec<Span>>,
    troubles: BTreeMap<usize, Vec<Trouble>>,
    muters: BTreeSet<usize>,
    hearing: BTreeMap<(usize, HeardNo), Hearing>,
    frames: BTreeSet<(usize, BurstNo, u16)>,
    gaps: BTreeMap<(usize, BurstNo), usize>,
    playing: BTreeMap<(usize, ChannelId), HeardNo>,
    /// By listener and talker.
    last_played: BTreeMap<(usize, ChannelId, Option<usize>), HeardNo>,
    whereabouts: Whereabouts,
    audiences: Audiences,
    mutes: Mutes,
    violations: Vec<String>,
    seen: Seen,
}

impl Model {
    /// A model that has seen nothing of a server with this configuration.
    pub fn new(config: &HubConfig, datagrams: Vec<bool>) -> Self {
        Self {
            hold: config.hold,
            talk_limit: config.talk_limit,
            datagrams,
            presses: BTreeMap::new(),
            bursts: BTreeMap::new(),
            admitted: BTreeMap::new(),
            opening: BTreeMap::new(),
            callers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            session_tuned: BTreeMap::new(),
            tuned: BTreeMap::new(),
            troubles: BTreeMap::new(),
            muters: BTreeSet::new(),
            hearing: BTreeMap::new(),
            frames: BTreeSet::new(),
            gaps: BTreeMap::new(),
            playing: BTreeMap::new(),
            last_played: BTreeMap::new(),
            whereabouts: Whereabouts::new(config.unix_at_zero),
            audiences: Audiences::default(),
            mutes: Mutes::default(),
            violations: Vec::new(),
            seen: Seen::default(),
        }
    }

    fn judge(&mut self, judged: Result<(), String>) {
        if let Err(wrong) = judged {
            self.must(false, || wrong);
        }
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violations.len() < 50 {
            self.violations.push(what());
        }
    }
}

#[cfg(test)]
mod tests;
