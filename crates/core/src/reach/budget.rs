//! How often a key may change its cell. This only slows attackers down; what protects people is the grid.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::UserId;
use tenfour_protocol::limits::{FIRST_CELLS_PER_HOUR, MOVES_PER_DAY, MOVES_PER_HOUR};

use super::Secret;
use crate::Time;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// When each key changed its cell. Keys are hashed with the hub's secret; cells are not kept.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<[u8; 16], Entry>,
    swept: Time,
}

#[derive(Debug, Default)]
struct Entry {
    firsts: VecDeque<Time>,
    moves: VecDeque<Time>,
    /// The newest stamp, and when its cell was last in force.
    stamp: Option<(u64, Time)>,
}

impl Ledger {
    /// Pays for the first cell of a connection, or says how long to wait.
    pub(crate) fn first(&mut self, secret: &Secret, user: UserId, now: Time) -> Result<(), Duration> {
        let firsts = &mut self.entry(secret, user, now).firsts;
        forget(firsts, HOUR, now);
        room(firsts, FIRST_CELLS_PER_HOUR, HOUR, now)?;
        firsts.push_back(now);
        Ok(())
    }

    /// Whether a change of cell can be paid at `at`, or how long to wait after that.
    pub(crate) fn may_move(
        &mut self,
        secret: &Secret,
        user: UserId,
        at: Time,
        now: Time,
    ) -> Result<(), Duration> {
        let moves = &mut self.entry(secret, user, now).moves;
        forget(moves, DAY, now);
        let this_hour: VecDeque<Time> = moves.iter().copied().filter(|&time| time + HOUR > at).collect();
        room(&this_hour, MOVES_PER_HOUR, HOUR, at)?;
        room(moves, MOVES_PER_DAY, DAY, at)
    }

    /// Pays for a change of cell.
    pub(crate) fn moved(&mut self, secret: &Secret, user: UserId, now: Time) {
        self.entry(secret, user, now).moves.push_back(now);
    }

    /// `serial` is the stamp of the newest cell that was taken from this key.
    pub(crate) fn stamped(&mut self, secret: &Secret, user: UserId, serial: u64, now: Time) {
        self.entry(secret, user, now).stamp = Some((serial, now));
    }

    /// The newest cell of this key is no longer in force.
    pub(crate) fn left(&mut self, secret: &Secret, user: UserId, now: Time) {
        if let Some((_, at)) = &mut self.entry(secret, user, now).stamp {
            *at = now;
        }
    }

    /// When the cell of the newest stamp was last in force, if `serial` is that stamp's.
    pub(crate) fn newest(&mut self, secret: &Secret, user: UserId, serial: u64, now: Time) -> Option<Time> {
        self.entry(secret, user, now).stamp.filter(|(newest, _)| *newest == serial).map(|(_, at)| at)
    }

    /// When [`Ledger::forget`] is due, if there is anything to forget.
    pub(crate) fn due(&self) -> Option<Time> {
        (!self.entries.is_empty()).then_some(self.swept + HOUR)
    }

    /// Forgets what no longer counts, at most an hour late, whether anybody comes or not.
    pub(crate) fn forget(&mut self, now: Time) {
        if self.due().is_some_and(|due| due <= now) {
            self.swept = now;
            self.entries.retain(|_, entry| !entry.is_over(now));
        }
    }

    fn entry(&mut self, secret: &Secret, user: UserId, now: Time) -> &mut Entry {
        if self.entries.is_empty() {
            self.swept = now;
        }
        self.entries.entry(secret.key_of(user)).or_default()
    }
}

impl Entry {
    /// Whether nothing in it counts any more.
    fn is_over(&self, now: Time) -> bool {
        let stamp = self.stamp.map(|(_, at)| at);
        let newest = self.firsts.back().max(self.moves.back()).max(stamp.as_ref());
        newest.is_none_or(|&at| now.since(at) >= DAY)
    }
}

fn forget(times: &mut VecDeque<Time>, period: Duration, now: Time) {
    while times.front().is_some_and(|&oldest| now.since(oldest) >= period) {
        times.pop_front();
    }
}

/// Whether one more fits in the budget, or how long until it does.
fn room(times: &VecDeque<Time>, most: usize, period: Duration, now: Time) -> Result<(), Duration> {
    match times.len().checked_sub(most).and_then(|over| times.get(over)) {
        Some(&leaves) if leaves + period > now => Err((leaves + period).since(now)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn user(number: u8) -> UserId {
        UserId::of_key(&[number; 32])
    }

    #[test]
    fn a_key_says_twelve_first_cells_an_hour() {
        let (mut ledger, secret) = (Ledger::default(), Secret::default());
        let start = Time::ZERO + DAY;
        for number in 0..12 {
            assert_eq!(ledger.first(&secret, user(1), start + MINUTE * number), Ok(()));
        }
        let now = start + MINUTE * 20;
        assert_eq!(ledger.first(&secret, user(1), now), Err(MINUTE * 40));
        assert_eq!(ledger.first(&secret, user(2), now), Ok(()), "others have their own");
        assert_eq!(ledger.first(&secret, user(1), now + MINUTE * 40), Ok(()));
        assert!(ledger.first(&secret, user(1), now + MINUTE * 40).is_err());
    }

    #[test]
    fn a_key_moves_four_times_an_hour_and_twenty_four_times_a_day() {
        let (mut ledger, secret) = (Ledger::default(), Secret::default());
        let start = Time::ZERO + DAY;
        let mut moves = Vec::new();
        for quarter in 0..200_u32 {
            let now = start + MINUTE * 5 * quarter;
            if ledger.may_move(&secret, user(1), now, now).is_ok() {
                ledger.moved(&secret, user(1), now);
                moves.push(now);
            }
        }
        assert_eq!(moves.len(), 24, "a day has 288 times five minutes");
        for window in moves.windows(5) {
            assert!(window[4].since(window[0]) >= HOUR);
        }
        let now = start + DAY;
        assert!(ledger.may_move(&secret, user(1), now, now).is_ok(), "the next day begins");
    }

    #[test]
    fn keys_are_forgotten_after_a_day() {
        let (mut ledger, secret) = (Ledger::default(), Secret::default());
        ledger.first(&secret, user(1), Time::ZERO).unwrap();
        ledger.stamped(&secret, user(1), 7, Time::ZERO + HOUR);
        assert_eq!(ledger.newest(&secret, user(1), 7, Time::ZERO + HOUR), Some(Time::ZERO + HOUR));
        // Also when nobody comes any more.
        ledger.forget(Time::ZERO + DAY + HOUR * 2);
        assert_eq!((ledger.entries.len(), ledger.due()), (0, None));
    }
}
