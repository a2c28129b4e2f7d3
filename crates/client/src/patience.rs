//! How long a client waits and works by itself to log in, before it tells the person that it failed.

use std::time::{Duration, Instant};

use tenfour_protocol::limits::{AUTH_PATIENCE, REGISTRATION_WORK};
use tenfour_protocol::{Code, Refusal};

/// Why a log-in takes longer, for the person, who can do nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Many come in from the same network: the next try is in this time.
    Turn(Duration),
    /// Many registered from the same network: this device must compute for some seconds first.
    Work,
}

/// The time that is left for one registration or log-in.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    /// Fewest zero bits of work to show, whatever the nonce asks for: in a cluster it may come from a node that
    /// counts differently.
    least: u8,
    /// The last try did work, which may have taken longer than a nonce is valid.
    worked: bool,
}

impl Patience {
    pub(crate) fn from(now: Instant) -> Self {
        Self { until: now + AUTH_PATIENCE, least: 0, worked: false }
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// The work that the next try shows, when its nonce asks for `asked`.
    pub(crate) fn work(&mut self, asked: u8) -> u8 {
        let bits = asked.max(self.least);
        self.worked = bits > 0;
        bits
    }

    /// After what time to try again after this refusal. None if that does not help, or takes too long.
    pub(crate) fn again(&mut self, refusal: &Refusal, now: Instant) -> Option<Duration> {
        let wait = match refusal.code {
            Code::TooManyRequests => Duration::from_millis(refusal.retry_after_ms?.into()),
            Code::WorkNeeded if self.least == 0 => {
                self.least = REGISTRATION_WORK;
                Duration::ZERO
            }
            Code::NonceExpired if self.worked => Duration::ZERO,
            _ => return None,
        };
        (now + wait <= self.until).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(millis: u32) -> Refusal {
        Refusal::from(Code::TooManyRequests).retry_after(millis)
    }

    #[test]
    fn whoever_is_told_to_wait_does_so_for_two_minutes_in_all() {
        let start = Instant::now();
        let mut patience = Patience::from(start);
        assert_eq!(patience.again(&wait(4_000), start), Some(Duration::from_secs(4)));
        let late = start + Duration::from_secs(110);
        assert_eq!(patience.again(&wait(10_000), late), Some(Duration::from_secs(10)));
        assert_eq!(patience.again(&wait(10_001), late), None, "longer than its person waits");
        assert_eq!(patience.again(&wait(86_400_000), start), None, "the share of a day is spent");
        assert_eq!(patience.again(&Code::TooManyRequests.into(), start), None, "nobody said when");
    }

    #[test]
    fn work_that_was_not_announced_is_done_and_refused_once_more_it_is_told() {
        let start = Instant::now();
        let mut patience = Patience::from(start);
        assert_eq!(patience.work(0), 0);
        assert_eq!(patience.again(&Code::WorkNeeded.into(), start), Some(Duration::ZERO));
        assert_eq!(patience.work(0), REGISTRATION_WORK, "a node that counts otherwise gave out the nonce");
        assert_eq!(patience.work(REGISTRATION_WORK + 1), REGISTRATION_WORK + 1);
        assert_eq!(patience.again(&Code::WorkNeeded.into(), start), None);
    }

    #[test]
    fn a_nonce_that_expired_over_work_is_asked_for_anew() {
        let start = Instant::now();
        let mut patience = Patience::from(start);
        assert_eq!(patience.again(&Code::NonceExpired.into(), start), None, "without work it has no excuse");
        patience.work(REGISTRATION_WORK);
        assert_eq!(patience.again(&Code::NonceExpired.into(), start), Some(Duration::ZERO));
        assert_eq!(patience.again(&Code::NonceExpired.into(), start + AUTH_PATIENCE * 2), None);
        assert_eq!(patience.again(&Code::HandleRefused.into(), start), None, "what waiting does not cure");
    }
}
