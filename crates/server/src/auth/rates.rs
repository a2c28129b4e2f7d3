//! How often one address may ask for log-ins.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tenfour_protocol::limits::{AUTH_PER_SECOND, AUTH_PREFIXES, AUTH_REQUESTS};

use crate::household::household;

/// A bucket for each household.
#[derive(Debug, Default)]
pub struct Rates {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Rates {
    /// Takes one request of `address`, or says when the next is taken.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let Some(prefix) = household(address) else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= AUTH_PREFIXES && !buckets.contains_key(&prefix) {
            buckets.retain(|_, bucket| bucket.refilled(now) < f64::from(AUTH_REQUESTS));
            if buckets.len() >= AUTH_PREFIXES {
                return Err(Duration::from_secs(1));
            }
        }
        let full = Bucket { left: f64::from(AUTH_REQUESTS), at: now };
        buckets.entry(prefix).or_insert(full).take(now)
    }

    /// Forgets addresses that have all of their budget again: what is kept of them has an end, whoever comes.
    pub fn forget(&self, now: Instant) {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        buckets.retain(|_, bucket| bucket.refilled(now) < f64::from(AUTH_REQUESTS));
        // What was taken out of a table still lies in it.
        buckets.shrink_to_fit();
    }
}

impl Bucket {
    fn refilled(&self, now: Instant) -> f64 {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(AUTH_PER_SECOND);
        (self.left + more).min(f64::from(AUTH_REQUESTS))
    }

    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.left = self.refilled(now);
        self.at = now;
        if self.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.left) / f64::from(AUTH_PER_SECOND)));
        }
        self.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_budget_that_refills() {
        let (rates, start) = (Rates::default(), Instant::now());
        let address = "192.0.2.7".parse().unwrap();
        for _ in 0..AUTH_REQUESTS {
            rates.take(address, start).unwrap();
        }
        let wait = rates.take(address, start).unwrap_err();
        rates.take("192.0.2.8".parse().unwrap(), start).unwrap();
        rates.take(address, start + wait).unwrap();
        rates.take(address, start + wait).unwrap_err();
    }

    #[test]
    fn an_address_is_forgotten_when_it_has_its_budget_again() {
        let (rates, start) = (Rates::default(), Instant::now());
        rates.take("192.0.2.7".parse().unwrap(), start).unwrap();
        rates.forget(start);
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
        rates.forget(start + Duration::from_secs(1));
        assert_eq!(rates.buckets.lock().unwrap().capacity(), 0);
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
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
    }
}
