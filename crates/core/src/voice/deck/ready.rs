//! Whose turn it is, and when.

use std::collections::VecDeque;

use tenfour_protocol::limits::{TURN, TURNS};

use crate::{ConnId, Time};

/// After this many turns in small channels a large channel gets one, so that nobody waits for ever.
const IN_A_ROW: u32 = 16;
/// [`Deck::due`](super::Deck::due) may name this many listeners before the shell asks for the first of them; finding
/// them again is cheap.
pub const NAMED: usize = 32;
/// No shell has a connection of this number.
const NOBODY: ConnId = ConnId(u64::MAX);
/// Ticks from the first turn to the second. The first takes longest, since it finds memory cold, and a worker
/// may have to answer the talker before it.
const LEAD: u64 = 4;
/// Ticks of the wheel: more than the latest turn needs, and a power of two.
const TICKS: u64 = 128;

const _: () = assert!(TICKS > TURNS as u64 + LEAD && TICKS.is_power_of_two());

/// Somebody's turn in a burst, by indexes into the deck's tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) index: usize,
    pub(super) burst: usize,
}

/// Calls that are due, and calls for later. Small channels go first: they take little time, while a large channel
/// takes as long as a frame anyway and does not notice.
#[derive(Debug)]
pub(super) struct Ready {
    small: VecDeque<Call>,
    large: VecDeque<Call>,
    /// Turns in small channels since one in a large channel.
    in_a_row: u32,
    later: Later,
    /// The tick in which somebody was called last.
    called: u64,
}

/// Calls by the tick at which they are due: a wheel that turns with the clock.
#[derive(Debug)]
struct Later {
    /// Calls up to this tick were handed on.
    tick: u64,
    waiting: usize,
    ticks: Box<[Vec<(Call, bool)>]>,
}

impl Ready {
    pub(super) fn new() -> Self {
        let ticks = (0..TICKS).map(|_| Vec::new()).collect();
        let later = Later { tick: 0, waiting: 0, ticks };
        Self { small: VecDeque::new(), large: VecDeque::new(), in_a_row: 0, later, called: 0 }
    }

    /// Adds a call. Turn 0 is due now, every other one in a later tick of its own.
    pub(super) fn push(&mut self, call: Call, small: bool, turn: u8, now: Time) {
        if turn > 0 {
            self.hand_on(now);
            let tick = tick_of(now) + LEAD + u64::from(turn);
            if tick > self.later.tick {
                self.later.waiting += 1;
                return self.later.of(tick).push((call, small));
            }
        }
        if small { self.small.push_back(call) } else { self.large.push_back(call) }
    }

    /// Whether nobody has a turn, now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty() && self.later.waiting == 0
    }

    /// Whose turn is next in a small channel.
    pub(super) fn pop_small(&mut self, now: Time) -> Option<Call> {
        self.hand_on(now);
        let call = self.small.pop_front()?;
        self.called = self.later.tick;
        Some(call)
    }

    /// Whose turn is next.
    pub(super) fn pop(&mut self, now: Time) -> Option<Call> {
        if self.in_a_row < IN_A_ROW
            && let Some(call) = self.pop_small(now)
        {
            self.in_a_row += 1;
            return Some(call);
        }
        self.in_a_row = 0;
        self.hand_on(now);
        let call = self.large.pop_front().or_else(|| self.small.pop_front())?;
        self.called = self.later.tick;
        Some(call)
    }

    /// Whether the next tick has a call and this one has none. True at most once a tick.
    pub(super) fn is_ahead(&mut self) -> bool {
        let Later { tick, waiting, .. } = self.later;
        let ahead = waiting > 0 && self.called < tick && !self.later.of(tick + 1).is_empty();
        if ahead {
            self.called = tick;
        }
        ahead
    }

    /// When the next turn is, if it is not now.
    pub(super) fn next(&mut self) -> Option<Time> {
        let Later { tick, waiting, .. } = self.later;
        let mut ahead = (tick + 1..tick + TICKS).filter(|_| waiting > 0);
        let next = ahead.find(|&tick| !self.later.of(tick).is_empty());
        next.map(|tick| Time::from_micros(tick * TURN.as_micros() as u64))
    }

    /// Makes calls ready whose tick has come.
    fn hand_on(&mut self, now: Time) {
        let (from, to) = (self.later.tick, tick_of(now));
        if to <= from {
            return;
        }
        self.later.tick = to;
        if self.later.waiting == 0 {
            return;
        }
        for tick in from + 1..=to.min(from + TICKS) {
            let mut come = std::mem::take(self.later.of(tick));
            self.later.waiting -= come.len();
            for (call, small) in come.drain(..) {
                if small { self.small.push_back(call) } else { self.large.push_back(call) }
            }
            // Keeps the allocation.
            *self.later.of(tick) = come;
        }
    }
}

impl Later {
    fn of(&mut self, tick: u64) -> &mut Vec<(Call, bool)> {
        &mut self.ticks[(tick % TICKS) as usize]
    }
}

fn tick_of(now: Time) -> u64 {
    now.as_micros() / TURN.as_micros() as u64
}

/// The listeners that were named last, with their indexes, to save a search.
#[derive(Debug)]
pub(super) struct Named {
    last: [(ConnId, usize); NAMED],
    oldest: usize,
}

impl Named {
    pub(super) fn new() -> Self {
        Self { last: [(NOBODY, 0); NAMED], oldest: 0 }
    }

    pub(super) fn add(&mut self, conn: ConnId, index: usize) {
        self.last[self.oldest] = (conn, index);
        self.oldest = (self.oldest + 1) % NAMED;
    }

    pub(super) fn index_of(&self, conn: ConnId) -> Option<usize> {
        self.last.iter().find(|named| named.0 == conn).map(|named| named.1)
    }

    /// Forgets one that is gone: somebody else gets its index.
    pub(super) fn remove(&mut self, conn: ConnId) {
        self.last.iter_mut().filter(|named| named.0 == conn).for_each(|named| named.0 = NOBODY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Time = Time::from_micros(1_000_000);

    fn call(index: usize) -> Call {
        Call { index, burst: 0 }
    }

    fn indexes(mut next: impl FnMut() -> Option<Call>) -> Vec<usize> {
        std::iter::from_fn(|| next().map(|call| call.index)).collect()
    }

    #[test]
    fn a_small_channel_goes_first_and_a_large_one_is_not_forgotten() {
        let mut ready = Ready::new();
        (0..100).for_each(|index| ready.push(call(index), false, 0, T));
        (100..140).for_each(|index| ready.push(call(index), true, 0, T));
        let order = indexes(|| ready.pop(T));
        assert_eq!(order[..17], [(100..116).collect::<Vec<_>>(), vec![0]].concat());
        assert_eq!(order[17..34], [(116..132).collect::<Vec<_>>(), vec![1]].concat());
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, (0..140).collect::<Vec<_>>());
    }

    #[test]
    fn each_turn_has_its_time_whatever_else_waits() {
        for offset in 0..40 {
            let start = T + std::time::Duration::from_micros(offset);
            let mut ready = Ready::new();
            (0..TURNS).rev().for_each(|turn| ready.push(call(turn.into()), turn % 3 > 0, turn, start));
            assert_eq!(indexes(|| ready.pop(start)), [0]);
            let mut before = start + TURN * (LEAD as u32 - 1);
            for turn in 1..usize::from(TURNS) {
                let at = ready.next().expect("somebody waits");
                assert!(at >= before + TURN && at < before + 3 * TURN, "{turn}");
                assert_eq!(indexes(|| ready.pop(Time::from_micros(at.as_micros() - 1))), [0; 0]);
                assert_eq!(indexes(|| ready.pop(at)), [turn]);
                before = at;
            }
            assert!(ready.is_empty() && ready.next().is_none());
            assert!(before < start + TURN * (u32::from(TURNS) + LEAD as u32));
        }
    }

    #[test]
    fn whoever_is_late_finds_all_in_their_order() {
        let mut ready = Ready::new();
        (0..TURNS).rev().for_each(|turn| ready.push(call(turn.into()), true, turn, T));
        let late = T + std::time::Duration::from_secs(1);
        assert_eq!(indexes(|| ready.pop(late)), (0..usize::from(TURNS)).collect::<Vec<_>>());
        ready.push(call(7), true, 1, T);
        assert_eq!(indexes(|| ready.pop(T)), [7], "a clock that stands still keeps nobody waiting");
    }

    #[test]
    fn a_tick_with_nobody_knows_that_the_next_has_somebody() {
        let mut ready = Ready::new();
        ready.push(call(1), false, 5, T);
        let at = ready.next().unwrap();
        let mut ahead = Vec::new();
        for micros in (0..200).step_by(2) {
            let now = T + std::time::Duration::from_micros(micros);
            if ready.pop(now).is_none() && ready.is_ahead() {
                ahead.push(at.since(now));
            }
        }
        assert_eq!(ahead.len(), 1, "{ahead:?}");
        assert!(ahead[0] <= TURN && ahead[0] > TURN / 2, "{ahead:?}");
    }

    #[test]
    fn the_last_that_were_named_are_known_until_they_are_gone() {
        let mut named = Named::new();
        (0..NAMED as u64 + 4).for_each(|conn| named.add(ConnId(conn), conn as usize + 50));
        assert_eq!(named.index_of(ConnId(3)), None);
        assert_eq!(named.index_of(ConnId(4)), Some(54));
        named.remove(ConnId(4));
        assert_eq!(named.index_of(ConnId(4)), None);
    }
}
