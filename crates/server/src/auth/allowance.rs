//! Limits on what one address may store and how often one user may connect: a number at once, and as many again in
//! each period.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tenfour_protocol::limits::AUTH_PREFIXES;

use crate::household::household;
use crate::lock::lock;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A number of something for each, and as many again each period. It is in memory only: a restart resets it.
#[derive(Debug)]
pub(super) struct Allowance<Who = IpAddr> {
    number: u32,
    period: Duration,
    /// Most entries in `whole_at`.
    most: usize,
    /// When each will have all of it again.
    whole_at: Mutex<HashMap<Who, Instant>>,
}

impl<Who: Eq + Hash> Allowance<Who> {
    pub(super) fn of(number: u32, period: Duration, most: usize) -> Self {
        Self { number, period, most, whole_at: Mutex::default() }
    }

    /// Takes one for `who`, or says how long to wait for the next.
    pub(super) fn take_of(&self, who: Who, now: Instant) -> Result<(), Duration> {
        let mut whole_at = lock(&self.whole_at);
        if whole_at.len() >= self.most && !whole_at.contains_key(&who) {
            whole_at.retain(|_, at| *at > now);
            if whole_at.len() >= self.most {
                return Err(self.one());
            }
        }
        let at = whole_at.entry(who).or_insert(now);
        let then = (*at).max(now) + self.one();
        let wait = then.duration_since(now).saturating_sub(self.period);
        if wait.is_zero() {
            *at = then;
            return Ok(());
        }
        Err(wait)
    }

    /// Forgets those who have all of it again.
    pub(super) fn forget(&self, now: Instant) {
        let mut whole_at = lock(&self.whole_at);
        whole_at.retain(|_, at| *at > now);
        // The spare room of a table keeps what was removed.
        whole_at.shrink_to_fit();
    }

    /// How long it takes until there is one more.
    fn one(&self) -> Duration {
        self.period / self.number
    }
}

impl Allowance {
    /// So many for each household in a day.
    pub(super) fn a_day(number: u32) -> Self {
        Self::of(number, DAY, AUTH_PREFIXES)
    }

    /// Takes one for the household of `address`. Loopback has no limit: it may be a proxy for everybody.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        household(address).map_or(Ok(()), |household| self.take_of(household, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_has_a_number_at_once_and_again_in_a_day() {
        let (allowance, start) = (Allowance::a_day(20), Instant::now());
        let home = |n: u8| format!("2001:db8:0:{n:x}::7").parse().unwrap();
        for n in 0..20 {
            allowance.take(home(n), start).unwrap();
        }
        let wait = allowance.take(home(0), start).unwrap_err();
        assert_eq!(wait, DAY / 20);
        allowance.take("192.0.2.1".parse().unwrap(), start).unwrap();
        allowance.take(home(3), start + wait).unwrap();
        allowance.take(home(3), start + wait).unwrap_err();
        for n in 0..20 {
            allowance.take(home(n), start + 3 * DAY).unwrap();
        }
        allowance.take(home(1), start + 3 * DAY).unwrap_err();
        for _ in 0..100 {
            allowance.take("127.0.0.1".parse().unwrap(), start).unwrap();
        }
    }

    #[test]
    fn an_address_is_forgotten_in_a_day() {
        let (allowance, start) = (Allowance::a_day(2), Instant::now());
        let address = "192.0.2.7".parse().unwrap();
        (0..2).for_each(|_| allowance.take(address, start).unwrap());
        allowance.forget(start + DAY / 2);
        assert_eq!(allowance.whole_at.lock().unwrap().len(), 1);
        allowance.forget(start + DAY);
        assert_eq!(allowance.whole_at.lock().unwrap().capacity(), 0);
    }

    #[test]
    fn addresses_without_end_do_not_fill_the_memory() {
        let (allowance, start) = (Allowance::a_day(20), Instant::now());
        for n in 0..u32::try_from(AUTH_PREFIXES).unwrap() {
            allowance.take(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into(), start).unwrap();
        }
        let stranger = "192.0.2.1".parse().unwrap();
        allowance.take(stranger, start).unwrap_err();
        allowance.take(stranger, start + DAY).unwrap();
        assert_eq!(allowance.whole_at.lock().unwrap().len(), 1);
    }
}
