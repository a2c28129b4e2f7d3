//! Somebody who moves, changes ranges, talks and loses the link in any order: no cell is said at a
//! moment of its own, and no burst goes further than it should.

use std::collections::VecDeque;
use std::time::Duration;

use crate::harness::*;
use proptest::prelude::*;
use tenfour_core::Time;
use tenfour_core::radio::{Event, Input, LinkState, Output};
use tenfour_core::reach::snap;
use tenfour_protocol::limits::{EPOCH, EPOCH_LEAD};
use tenfour_protocol::{ClientMessage, Code, GeoCell, Range, Ranges, Refusal, ServerMessage};

#[derive(Debug, Clone, Copy)]
enum Act {
    Locate(Option<u8>),
    Range(Range),
    Press,
    Release,
    Drop,
    Connect,
    /// Some of what the server said arrives.
    Deliver(usize),
    Pass(u16),
    /// From now on the server refuses new cells, or takes them again.
    Budget(bool),
    /// The server does not take the next place or range.
    Busy,
}

/// The radio, and a server that follows docs/protocol.md.
struct World {
    harness: Harness,
    server: Server,
    asks: bool,
    /// The server refused something unseen, which takes a while to be noticed.
    was_busy: bool,
    /// Time since all that the server said has arrived.
    late: Duration,
    wanted: Option<GeoCell>,
    wish: Ranges,
    /// The cell that was said last and not taken back, and when one was said last.
    said: Option<GeoCell>,
    said_at: Option<Time>,
    /// When a boundary came near last, and where one was from then to the boundary.
    sample: (Time, Vec<Option<GeoCell>>),
}

#[derive(Default)]
struct Server {
    up: bool,
    cell: Option<GeoCell>,
    /// The last cell that took effect, also on an earlier connection.
    taken: Option<GeoCell>,
    next: Option<GeoCell>,
    settled: bool,
    ranges: Ranges,
    spent: bool,
    busy: bool,
    /// On their way to the radio.
    answers: VecDeque<ServerMessage>,
}

fn cell(n: u8) -> GeoCell {
    snap(40.0 + f64::from(n), 20.0).expect("a position")
}

fn to_boundary(now: Time) -> Duration {
    EPOCH - Duration::from_micros(now.as_micros() % u64::try_from(EPOCH.as_micros()).unwrap())
}

impl World {
    fn new() -> Self {
        let (mut harness, _) = Harness::new(1);
        harness.give(Input::Tune { channel: ch("19"), catch_up: false });
        let (server, wish) = (Server::default(), Ranges::default());
        let sample = (Time::ZERO, Vec::new());
        Self {
            harness,
            server,
            asks: true,
            was_busy: false,
            late: Duration::ZERO,
            wanted: None,
            wish,
            said: None,
            said_at: None,
            sample,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Locate(n) => {
                self.wanted = n.map(cell);
                if to_boundary(self.harness.now) <= EPOCH_LEAD {
                    self.sample.1.push(self.wanted.clone());
                }
                if n.is_none() {
                    (self.said, self.server.taken) = (None, None);
                }
                self.give(Input::Locate(self.wanted.clone()));
                let gone = self.server.cell.is_none() || self.was_busy;
                assert!(n.is_some() || gone, "it was taken back at once");
            }
            Act::Range(tx) => {
                self.wish = Ranges { tx, rx: Range::Unlimited };
                self.give(Input::Range(self.wish));
            }
            Act::Press => self.give(Input::Press {
                channel: ch("19"),
                frame_ms: tenfour_protocol::control::FrameTime::Ms20,
            }),
            Act::Release => self.give(Input::Release),
            Act::Drop => {
                self.server = self.server.without_link();
                self.give(Input::Closed { refusal: None });
            }
            Act::Connect => {
                self.give(Input::Retry);
                if std::mem::take(&mut self.asks) {
                    self.give(Input::Opened);
                }
            }
            Act::Deliver(n) => {
                for _ in 0..n {
                    let Some(message) = self.server.answers.pop_front() else { return };
                    self.give(Input::Message(message));
                }
            }
            Act::Pass(seconds) => self.pass(Duration::from_secs(seconds.into())),
            Act::Budget(spent) => self.server.spent = spent,
            Act::Busy => {
                self.server.busy = self.server.up;
                self.was_busy = true;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.harness.now + time;
        while self.harness.now < end {
            let now = self.harness.now;
            let near = (to_boundary(now).checked_sub(EPOCH_LEAD).filter(|near| !near.is_zero()))
                .unwrap_or(to_boundary(now) + EPOCH - EPOCH_LEAD);
            let step = near.min(to_boundary(now)).min(Duration::from_secs(10)).min(end.since(now));
            let stop = now + step;
            let due = self.harness.radio.poll_timeout().map_or(stop, |due| due.clamp(now, stop));
            self.harness.now = due;
            if due == now + near {
                self.sample = (due, vec![self.wanted.clone()]);
            }
            if to_boundary(due) == EPOCH {
                self.server.boundary();
            }
            self.harness.radio.handle_timeout(due);
            self.drain();
            self.give(Input::Alive);
            // A link on which answers take longer is a dead one.
            self.late += due.since(now);
            if self.late >= Duration::from_secs(5) {
                self.late = Duration::ZERO;
                self.act(Act::Deliver(usize::MAX));
            }
        }
    }

    fn give(&mut self, input: Input) {
        self.harness.radio.handle(input, self.harness.now);
        self.drain();
    }

    fn drain(&mut self) {
        let mut welcome = None;
        for output in self.harness.drain() {
            match output {
                Output::Connect => self.asks = true,
                Output::Event(Event::Link(LinkState::ComingBack { .. })) | Output::Close => {
                    self.server = self.server.without_link();
                }
                Output::Send(message) => {
                    self.check(&message);
                    welcome = self.server.take(message, self.harness.now).or(welcome);
                }
                Output::SendVoice(_) | Output::Event(_) => {}
            }
        }
        if let Some(welcome) = welcome {
            self.give(Input::Message(welcome));
        }
    }

    fn check(&mut self, message: &ClientMessage) {
        let cell = match message {
            ClientMessage::Hello { place: Some(place), .. } => &place.cell,
            ClientMessage::Locate { cell: Some(cell), .. } => cell,
            ClientMessage::BurstStart { .. } => {
                let tx = self.server.ranges.tx;
                assert!(self.wish.tx == Range::Unlimited || self.wish.tx == tx, "{:?}", self.wish);
                return;
            }
            _ => return,
        };
        let now = self.harness.now;
        let known = [&self.said, &self.server.taken].contains(&&Some(cell.clone()));
        let first = self.said.is_none() && self.said_at.is_none_or(|at| at <= self.sample.0);
        let near = to_boundary(now) <= EPOCH_LEAD;
        let sampled = self.sample.1.contains(&Some(cell.clone()));
        assert!(known || first || near || sampled, "at {now:?}: {message:?}");
        self.said = Some(cell.clone());
        self.said_at = Some(now);
    }
}

impl Server {
    fn without_link(&self) -> Self {
        Self { spent: self.spent, taken: self.taken.clone(), ..Self::default() }
    }

    fn take(&mut self, message: ClientMessage, now: Time) -> Option<ServerMessage> {
        let about_place = matches!(message, ClientMessage::Locate { .. } | ClientMessage::Range { .. });
        if about_place && std::mem::take(&mut self.busy) {
            let refusal = Refusal::from(Code::TooManyMessages).retry_after(200);
            self.answers.push_back(ServerMessage::Error { refusal });
            return None;
        }
        match message {
            ClientMessage::Hello { place, range, .. } => {
                *self = Self { up: true, ..self.without_link() };
                if let Some(place) = place {
                    self.first(place.cell);
                }
                if let Some(ranges) = range {
                    self.range(ranges);
                }
                let epoch_in = u32::try_from(to_boundary(now).as_millis()).unwrap();
                return Some(welcome_before(epoch_in, false, &[]));
            }
            ClientMessage::Locate { cell: None, .. } => {
                (self.cell, self.next) = (None, None);
                self.located(None, None);
                self.range(Ranges::default());
            }
            ClientMessage::Locate { cell: Some(cell), .. } if !self.settled => self.first(cell),
            ClientMessage::Locate { cell, .. } if self.cell == cell => self.located(None, None),
            ClientMessage::Locate { .. } if self.spent => self.answers.push_back(error(Code::TooManyMoves)),
            ClientMessage::Locate { cell, .. } => {
                self.next = cell;
                self.located(None, Some(to_boundary(now)));
            }
            ClientMessage::Range { tx, rx } => self.range(Ranges { tx, rx }),
            _ => {}
        }
        None
    }

    fn first(&mut self, cell: GeoCell) {
        if self.spent {
            return self.answers.push_back(error(Code::TooManyMoves));
        }
        self.taken = Some(cell.clone());
        (self.cell, self.settled) = (Some(cell), true);
        self.located(Some("stamp"), None);
    }

    fn range(&mut self, ranges: Ranges) {
        if !ranges.are_unlimited() && self.cell.is_none() {
            return self.answers.push_back(error(Code::LocationNeeded));
        }
        self.ranges = ranges;
        self.answers.push_back(ServerMessage::Ranged { tx: ranges.tx, rx: ranges.rx });
    }

    fn boundary(&mut self) {
        if let Some(cell) = self.next.take() {
            self.taken = Some(cell.clone());
            self.cell = Some(cell);
            self.located(Some("stamp"), None);
        }
    }

    fn located(&mut self, stamp: Option<&str>, effective_in: Option<Duration>) {
        let effective_in_ms = effective_in.map(|time| u32::try_from(time.as_millis()).unwrap());
        let (shared, stamp) = (self.cell.is_some(), stamp.map(str::to_owned));
        self.answers.push_back(ServerMessage::Located { shared, country: None, stamp, effective_in_ms });
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..4_u8).prop_map(|n| Act::Locate(Some(n))),
        1 => Just(Act::Locate(None)),
        3 => prop_oneof![Just(Range::Km25), Just(Range::Km100), Just(Range::Unlimited)].prop_map(Act::Range),
        4 => Just(Act::Press),
        3 => Just(Act::Release),
        2 => Just(Act::Drop),
        6 => Just(Act::Connect),
        8 => (1..4_usize).prop_map(Act::Deliver),
        4 => (0..30_u16).prop_map(Act::Pass),
        3 => (0..1000_u16).prop_map(Act::Pass),
        1 => any::<bool>().prop_map(Act::Budget),
        1 => Just(Act::Busy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_cell_is_said_at_a_moment_of_its_own_and_no_burst_goes_too_far(
        acts in proptest::collection::vec(act(), 1..60)
    ) {
        let mut world = World::new();
        acts.into_iter().for_each(|act| world.act(act));
        // In the end, with all answers in, the server has what is wished.
        for act in [Act::Budget(false), Act::Release, Act::Connect] {
            world.act(act);
        }
        world.server.busy = false;
        for _ in 0..4 {
            world.act(Act::Deliver(100));
            world.act(Act::Pass(900));
        }
        world.act(Act::Deliver(100));
        prop_assert!(world.server.up);
        prop_assert_eq!(&world.server.cell, &world.wanted);
        let has = if world.wanted.is_some() { world.wish } else { Ranges::default() };
        prop_assert_eq!(world.server.ranges, has);
    }
}
