//! The reference model: it watches what goes in and what comes out, knows what must be true
//! of it, and complains. It is simple where the real thing is fast.

mod audience;
mod end;
mod people;
mod server;
mod whereabouts;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::time::Duration;

use tenfour_core::hub::HubConfig;
use tenfour_core::radio::HeardNo;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::EndReason;
use tenfour_protocol::{BurstNo, ChannelId, ParticipantNo};

use audience::Audiences;
pub use end::Belief;
use whereabouts::Whereabouts;

/// Two moments are the same when they are this near: a message may lie in a queue.
const SLACK: Duration = Duration::from_millis(20);

/// From when to when; open when it lasts.
type Span = (Time, Option<Time>);

/// What a run showed.
#[derive(Debug)]
pub struct Report {
    /// What was not true, in words. Empty when all is well.
    pub violations: Vec<String>,
    /// The log, when it was kept.
    pub log: Vec<String>,
    /// What happened, in numbers.
    pub seen: Seen,
}

/// What happened, in numbers: shows that a run was worth something.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    /// Presses of a button.
    pub presses: usize,
    /// Bursts that were relayed.
    pub aired: usize,
    /// Presses that were refused.
    pub refused: usize,
    /// Frames that were heard.
    pub heard: usize,
    /// Frames that were told as gaps.
    pub gaps: usize,
    /// Links that went on where they had ended.
    pub resumed: usize,
    /// Bursts that had to be heard whole, and were.
    pub whole: usize,
    /// Cells that took effect.
    pub located: usize,
    /// Bursts that somebody heard no more for their distance, while they went on.
    pub out_of_range: usize,
    /// Pairs of a burst and somebody on its channel who was out of range, at least for a while.
    pub beyond: usize,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.presses += other.presses;
        self.aired += other.aired;
        self.refused += other.refused;
        self.heard += other.heard;
        self.gaps += other.gaps;
        self.resumed += other.resumed;
        self.whole += other.whole;
        self.located += other.located;
        self.out_of_range += other.out_of_range;
        self.beyond += other.beyond;
    }
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
    closed: Option<(Time, u32, EndReason)>,
}

struct Hearing {
    burst: BurstNo,
    channel: ChannelId,
    last: Option<u16>,
    ended: bool,
    played: bool,
}

/// What may cost a listener frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The link was lost, or closed by the server.
    Link,
    /// It took nothing from the network.
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
    last_played: BTreeMap<(usize, ChannelId), HeardNo>,
    whereabouts: Whereabouts,
    audiences: Audiences,
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
mod tests {
    use tenfour_protocol::control::Outcome;

    use super::*;
    use crate::voice::Mark;

    const LOCAL: BurstNo = BurstNo(1);
    const BURST: BurstNo = BurstNo(7);
    const HEARD: HeardNo = HeardNo(1);

    /// A model in which client 0 talks on channel 19 and client 1 is told of it.
    fn on_the_air() -> Model {
        let channel: ChannelId = "19".parse().unwrap();
        let mut model = Model::new(Duration::from_secs(4), Duration::from_secs(5), vec![false, false]);
        model.pressed(0, LOCAL, channel.clone());
        model.opening.insert(BURST, (channel.clone(), Time::ZERO));
        model.admit(0, LOCAL, BURST);
        model.relayed(BURST, 0, Time::ZERO);
        model.begins(1, HEARD, BURST, channel);
        model
    }

    fn packet(seq: u16) -> Vec<u8> {
        Mark { talker: 0, local: LOCAL, seq }.packet()
    }

    fn complaints(act: impl FnOnce(&mut Model)) -> usize {
        let mut model = on_the_air();
        act(&mut model);
        model.violations.len()
    }

    #[test]
    fn what_is_right_is_let_pass() {
        assert_eq!(complaints(|model| model.heard(1, HEARD, 0, &packet(0))), 0);
    }

    #[test]
    fn each_broken_promise_is_noticed() {
        let now = Time::from_micros(6_000_000);
        let aired = Outcome::Aired { frames: 1, ended: EndReason::Released };
        type Act<'a> = &'a dyn Fn(&mut Model);
        let broken: [(&str, Act<'_>); 9] = [
            ("a frame twice", &|m| (0..2).for_each(|_| m.heard(1, HEARD, 0, &packet(0)))),
            ("out of order", &|m| [1, 0].into_iter().for_each(|seq| m.heard(1, HEARD, seq, &packet(seq)))),
            ("changed bytes", &|m| m.heard(1, HEARD, 0, &[0x08; 60])),
            ("another frame's sound", &|m| m.heard(1, HEARD, 0, &packet(1))),
            ("a frame held too long", &|m| m.holds(Some(Time::ZERO), now)),
            ("over the talk limit", &|m| m.relayed(BURST, 1, now)),
            ("a second receipt", &|m| (0..2).for_each(|_| m.receipt(0, LOCAL, &aired))),
            ("no end", &|m| m.settled(&[(None, vec![]), (None, vec![])])),
            ("something left", &|m| m.left(vec!["a burst".into()])),
        ];
        for (what, act) in broken {
            assert!(complaints(act) > 0, "{what} was not noticed");
        }
    }
}
