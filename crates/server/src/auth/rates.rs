//! Limits how often one address may ask for log-ins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tenfour_core::{Bucket, Time};
use tenfour_protocol::limits::{AUTH_PER_SECOND, AUTH_PREFIXES, AUTH_REQUESTS, AUTH_WAIT};

use crate::household::household;
use crate::lock::lock;

/// Until an address may ask once more.
const REQUEST_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / AUTH_PER_SECOND as u64);

/// A budget for each household. Each refusal names the next moment at which a request will be free and was promised
/// to nobody else, so that a crowd does not come back at once.
#[derive(Debug)]
pub(super) struct Rates {
    zero: Instant,
    budgets: Mutex<HashMap<IpAddr, Budget>>,
}

#[derive(Debug)]
struct Budget {
    requests: Bucket,
    /// The moment that was named in the last refusal.
    told: Time,
}

impl Default for Rates {
    fn default() -> Self {
        Self { zero: Instant::now(), budgets: Mutex::default() }
    }
}

impl Rates {
    /// Takes one request of `address`, or says in what time to come back. A refused request takes nothing; it only
    /// moves the moment for the next refusal of this address.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(prefix) = household(address) else { return Ok(()) };
        let now = self.time(now);
        let mut budgets = lock(&self.budgets);
        if budgets.len() >= AUTH_PREFIXES && !budgets.contains_key(&prefix) {
            budgets.retain(|_, budget| !budget.is_whole(now));
            if budgets.len() >= AUTH_PREFIXES {
                return Err(Duration::from_secs(1));
            }
        }
        budgets.entry(prefix).or_insert_with(|| Budget::new(now)).take(now)
    }

    /// Forgets addresses that have all of their budget again.
    pub(super) fn forget(&self, now: Instant) {
        let now = self.time(now);
        let mut budgets = lock(&self.budgets);
        budgets.retain(|_, budget| !budget.is_whole(now));
        // The spare room of a table keeps what was removed.
        budgets.shrink_to_fit();
    }

    fn time(&self, now: Instant) -> Time {
        Time::ZERO + now.duration_since(self.zero)
    }
}

impl Budget {
    fn new(now: Time) -> Self {
        Self { requests: Bucket::new(AUTH_REQUESTS, AUTH_PER_SECOND, now), told: now }
    }

    fn is_whole(&mut self, now: Time) -> bool {
        self.requests.level(now) == AUTH_REQUESTS
    }

    fn take(&mut self, now: Time) -> Result<(), Duration> {
        if self.requests.take(1, now) {
            return Ok(());
        }
        // Later than all moments named before, up to the longest wait: past that, clients have to ask again.
        self.told = (now + self.requests.wait(now)).max(self.told + REQUEST_INTERVAL).min(now + AUTH_WAIT);
        Err(self.told.since(now))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Until an address that has asked as often as it may at once can do so again.
    const REFILL_TIME: Duration = REQUEST_INTERVAL.saturating_mul(AUTH_REQUESTS);

    #[test]
    fn an_address_has_a_budget_that_refills() {
        let (rates, start) = (Rates::default(), Instant::now());
        let address = "192.0.2.7".parse().unwrap();
        for _ in 0..AUTH_REQUESTS {
            rates.take(address, start).unwrap();
        }
        let wait = rates.take(address, start).unwrap_err();
        assert_eq!(wait, REQUEST_INTERVAL);
        rates.take("192.0.2.8".parse().unwrap(), start).unwrap();
        rates.take(address, start + wait).unwrap();
        rates.take(address, start + wait).unwrap_err();
    }

    #[test]
    fn each_of_a_crowd_is_told_a_moment_of_its_own_and_is_taken_then() {
        let (rates, start) = (Rates::default(), Instant::now());
        let address = "192.0.2.7".parse().unwrap();
        let mut told: Vec<_> = (0..300).filter_map(|_| rates.take(address, start).err()).collect();
        assert_eq!(told.len(), 240);
        assert_eq!(told.last(), Some(&(REQUEST_INTERVAL * 240)));
        told.dedup();
        assert_eq!(told.len(), 240, "no two at once");
        for wait in told {
            rates.take(address, start + wait).unwrap();
        }
    }

    /// Each asks three times, as somebody who comes in, is told that there is work and asks anew.
    #[test]
    fn three_hundred_who_do_as_they_are_told_are_through_in_two_minutes() {
        let (rates, start) = (Rates::default(), Instant::now());
        let address = "192.0.2.7".parse().unwrap();
        let mut crowd: BTreeMap<_, _> = (0..300).map(|who| ((start, who), 3)).collect();
        let mut now = start;
        while let Some(((at, who), wishes)) = crowd.pop_first() {
            now = at;
            match rates.take(address, now) {
                Ok(()) if wishes == 1 => {}
                Ok(()) => drop(crowd.insert((now, who), wishes - 1)),
                Err(wait) => drop(crowd.insert((now + wait, who), wishes)),
            }
        }
        let took = now.duration_since(start);
        assert!(took <= Duration::from_secs(100), "{took:?}");
    }

    #[test]
    fn whoever_does_not_wait_makes_only_its_own_address_wait_and_not_without_end() {
        let (rates, start) = (Rates::default(), Instant::now());
        let (script, honest) = ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        let longest = (0..100_000).filter_map(|_| rates.take(script, start).err()).max();
        assert_eq!(longest, Some(AUTH_WAIT));
        rates.take(honest, start).unwrap();
        rates.take(script, start + REQUEST_INTERVAL).unwrap();
        // It went away: the address is as before, and what it was told is nobody's.
        let later = start + REFILL_TIME + AUTH_WAIT;
        (0..AUTH_REQUESTS).for_each(|_| rates.take(script, later).unwrap());
        assert_eq!(rates.take(script, later), Err(REQUEST_INTERVAL));
    }

    #[test]
    fn an_address_is_forgotten_when_it_has_its_budget_again() {
        let (rates, start) = (Rates::default(), Instant::now());
        rates.take("192.0.2.7".parse().unwrap(), start).unwrap();
        rates.forget(start);
        assert_eq!(lock(&rates.budgets).len(), 1);
        rates.forget(start + Duration::from_secs(1));
        assert_eq!(lock(&rates.budgets).capacity(), 0);
    }

    #[test]
    fn a_household_is_one_address_and_loopback_is_free() {
        let (rates, start) = (Rates::default(), Instant::now());
        for n in 0..AUTH_REQUESTS {
            rates.take(format!("2001:db8:0:{:x}::1", n % 256).parse().unwrap(), start).unwrap();
        }
        rates.take("2001:db8:0:ff::2".parse().unwrap(), start).unwrap_err();
        rates.take("2001:db8:0:100::1".parse().unwrap(), start).unwrap();
        for _ in 0..2 * AUTH_REQUESTS {
            rates.take("127.0.0.1".parse().unwrap(), start).unwrap();
            rates.take("::1".parse().unwrap(), start).unwrap();
        }
    }

    #[test]
    fn addresses_without_end_do_not_fill_the_memory() {
        let (rates, start) = (Rates::default(), Instant::now());
        for n in 0..u32::try_from(AUTH_PREFIXES).unwrap() {
            rates.take(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into(), start).unwrap();
        }
        let stranger = "192.0.2.1".parse().unwrap();
        rates.take(stranger, start).unwrap_err();
        rates.take(stranger, start + Duration::from_secs(60)).unwrap();
        assert_eq!(lock(&rates.budgets).len(), 1);
    }
}
