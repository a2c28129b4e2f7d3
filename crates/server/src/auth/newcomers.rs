//! Counts registrations of the last hour. Past a number, each further one from a household must show work.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tenfour_protocol::limits::{AUTH_PREFIXES, REGISTRATION_WORK, REGISTRATIONS_AN_HOUR};

use crate::household::household;
use crate::lock::lock;

const HOUR: Duration = Duration::from_secs(3600);

/// When the last registrations of each household were, the oldest first. It is kept in memory, and each node
/// of a cluster counts its own.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    came: Mutex<HashMap<IpAddr, VecDeque<Instant>>>,
}

impl Newcomers {
    /// Zero bits that the work for a registration from `address` has to show: 0 when it costs nothing, as it
    /// does for loopback, which may be a proxy for everybody.
    pub(super) fn work(&self, address: IpAddr, now: Instant) -> u8 {
        let Some(household) = household(address) else { return 0 };
        let mut came = self.lock();
        let is_due = match came.get_mut(&household) {
            Some(times) => {
                forget_old(times, now);
                times.len() >= REGISTRATIONS_AN_HOUR
            }
            // There is no room to count this address, so it has to show work.
            None => came.len() >= AUTH_PREFIXES,
        };
        if is_due { REGISTRATION_WORK } else { 0 }
    }

    /// Counts a registration.
    pub(super) fn note(&self, address: IpAddr, now: Instant) {
        let Some(household) = household(address) else { return };
        let mut came = self.lock();
        if came.len() >= AUTH_PREFIXES && !came.contains_key(&household) {
            return;
        }
        let times = came.entry(household).or_default();
        times.push_back(now);
        // Older ones would change nothing.
        if times.len() > REGISTRATIONS_AN_HOUR {
            times.pop_front();
        }
    }

    /// Forgets what is older than an hour.
    pub(super) fn forget(&self, now: Instant) {
        let mut came = self.lock();
        came.retain(|_, times| {
            forget_old(times, now);
            !times.is_empty()
        });
        // The spare room of a table keeps what was removed.
        came.shrink_to_fit();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, VecDeque<Instant>>> {
        lock(&self.came)
    }
}

fn forget_old(times: &mut VecDeque<Instant>, now: Instant) {
    while times.front().is_some_and(|time| now.saturating_duration_since(*time) >= HOUR) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(address: IpAddr, start: Instant) -> Newcomers {
        let newcomers = Newcomers::default();
        for _ in 0..REGISTRATIONS_AN_HOUR {
            assert_eq!(newcomers.work(address, start), 0);
            newcomers.note(address, start);
        }
        newcomers
    }

    #[test]
    fn the_first_of_an_hour_cost_nothing_and_the_next_work() {
        let (start, home) = (Instant::now(), "2001:db8:0:1::1".parse().unwrap());
        let newcomers = full(home, start);
        assert_eq!(newcomers.work("2001:db8:0:fe::2".parse().unwrap(), start), REGISTRATION_WORK);
        assert_eq!(newcomers.work("2001:db8:0:100::1".parse().unwrap(), start), 0, "somebody else");
        assert_eq!(newcomers.work(home, start + HOUR), 0, "an hour later");
    }

    #[test]
    fn those_who_worked_count_too() {
        let (start, address) = (Instant::now(), "192.0.2.7".parse().unwrap());
        let newcomers = full(address, start);
        let later = start + HOUR / 2;
        (0..REGISTRATIONS_AN_HOUR).for_each(|_| newcomers.note(address, later));
        assert_eq!(newcomers.work(address, start + HOUR), REGISTRATION_WORK);
        assert_eq!(newcomers.lock()[&address].len(), REGISTRATIONS_AN_HOUR, "and take no more room");
        assert_eq!(newcomers.work(address, later + HOUR), 0);
    }

    #[test]
    fn loopback_never_works() {
        let (start, address) = (Instant::now(), "127.0.0.1".parse().unwrap());
        let newcomers = full(address, start);
        assert_eq!(newcomers.work(address, start), 0);
        assert!(newcomers.lock().is_empty());
    }

    #[test]
    fn an_address_is_forgotten_in_an_hour() {
        let (start, address) = (Instant::now(), "192.0.2.7".parse().unwrap());
        let newcomers = full(address, start);
        newcomers.forget(start + HOUR / 2);
        assert_eq!(newcomers.lock().len(), 1);
        newcomers.forget(start + HOUR);
        assert_eq!(newcomers.lock().capacity(), 0);
    }

    #[test]
    fn addresses_without_end_fill_no_memory_and_none_of_them_comes_in_for_nothing() {
        let (newcomers, start) = (Newcomers::default(), Instant::now());
        for n in 0..u32::try_from(AUTH_PREFIXES).unwrap() {
            newcomers.note(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into(), start);
        }
        let stranger = "192.0.2.1".parse().unwrap();
        newcomers.note(stranger, start);
        assert_eq!(newcomers.lock().len(), AUTH_PREFIXES);
        assert_eq!(newcomers.work(stranger, start), REGISTRATION_WORK);
        assert_eq!(newcomers.work("10.0.0.0".parse().unwrap(), start), 0, "those who are known are");
    }
}
