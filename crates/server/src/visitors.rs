//! The cookie of visitors: anonymous, off unless the operator wants it, and good for one thing, the
//! number of browsers that opened the page today. See docs/adr/0011-visitors-are-counted-and-forgotten.md.
//!
//! This module knows headers and a clock. It cannot reach sessions, users, the store or the logs, nor they it. Of a
//! cookie it keeps a hash under a key of the day; key and hashes are thrown away at midnight (UTC).

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenfour_protocol::limits::{VISITOR_COOKIE_BYTES, VISITOR_COOKIE_LIFE, VISITORS};
use zeroize::Zeroizing;

use crate::lock::lock;

const SECONDS_OF_DAY: u64 = 86_400;

/// Counts visitors, when the operator wants it.
#[derive(Debug)]
pub(crate) struct Visitors {
    secure: bool,
    today: Option<Mutex<Today>>,
}

/// Who was here since midnight, as far as a number needs it.
struct Today {
    /// Days since 1970, UTC.
    day: u64,
    key: Zeroizing<[u8; 32]>,
    seen: HashSet<u64>,
}

impl Visitors {
    /// `secure` when the listener speaks TLS.
    pub(crate) fn new(on: bool, secure: bool) -> Self {
        Self { secure, today: on.then(|| Mutex::new(Today::new(now()))) }
    }

    /// Counts the browser that asks for the page, and gives it a cookie when it has none.
    pub(crate) fn greet(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let mut today = self.today(now())?;
        let (cookie, fresh) = match self.cookie_of(request) {
            Some(cookie) => (cookie, None),
            None => {
                let cookie = random();
                let value = BASE64URL_NOPAD.encode(&cookie);
                (cookie, Some(self.set(&value, VISITOR_COOKIE_LIFE)))
            }
        };
        today.count(&cookie);
        fresh
    }

    /// Takes the cookie away, without a look at it: for log-out and erasure.
    pub(crate) fn farewell(&self) -> Option<HeaderValue> {
        self.today.is_some().then(|| self.set("", Duration::ZERO))
    }

    /// How many there were since midnight; nothing when they are not counted.
    pub(crate) fn of_today(&self) -> Option<usize> {
        Some(self.today(now())?.seen.len())
    }

    /// Throws key and hashes away at each midnight, whether anybody comes or not.
    pub(crate) async fn forget_at_midnight(&self) {
        while self.today.is_some() {
            let rest = SECONDS_OF_DAY - now().as_secs() % SECONDS_OF_DAY;
            tokio::time::sleep(Duration::from_secs(rest)).await;
            drop(self.today(now()));
        }
    }

    /// What is known of the day of `now`. What was known of another day is thrown away.
    fn today(&self, now: Duration) -> Option<MutexGuard<'_, Today>> {
        // Each change under the lock is whole before anything can panic.
        let mut today = lock(self.today.as_ref()?);
        if today.day != day_of(now) {
            *today = Today::new(now);
        }
        Some(today)
    }

    fn name(&self) -> &'static str {
        if self.secure { "__Host-tenfour-visitor" } else { "tenfour-visitor" }
    }

    fn set(&self, value: &str, life: Duration) -> HeaderValue {
        let (name, secure) = (self.name(), if self.secure { "; Secure" } else { "" });
        let life = life.as_secs();
        let text = format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).expect("base64url fits into a header")
    }

    fn cookie_of(&self, request: &HeaderMap) -> Option<[u8; VISITOR_COOKIE_BYTES]> {
        let lines = request.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == self.name())?;
        BASE64URL_NOPAD.decode(value.as_bytes()).ok()?.try_into().ok()
    }
}

impl Today {
    fn new(now: Duration) -> Self {
        Self { day: day_of(now), key: Zeroizing::new(random()), seen: HashSet::new() }
    }

    fn count(&mut self, cookie: &[u8]) {
        if self.seen.len() < VISITORS {
            let mac = Hmac::<Sha256>::new_from_slice(&*self.key).expect("a key has any length");
            let hash = mac.chain_update(cookie).finalize().into_bytes();
            self.seen.insert(u64::from_be_bytes(hash[..8].try_into().expect("eight bytes")));
        }
    }
}

/// Nothing of it.
impl std::fmt::Debug for Today {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Today(…)")
    }
}

fn day_of(now: Duration) -> u64 {
    now.as_secs() / SECONDS_OF_DAY
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().unwrap().split_once(';').unwrap().0;
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&format!("other=1; {pair}")).unwrap())])
    }

    #[test]
    fn a_browser_is_counted_once_a_day_and_given_a_cookie_once() {
        let visitors = Visitors::new(true, true);
        let cookie = visitors.greet(&HeaderMap::new()).unwrap();
        let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
        assert_eq!(pair.len(), "__Host-tenfour-visitor=".len() + 22, "128 bits: {pair}");
        assert_eq!(attributes, "Path=/; Max-Age=86400; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(visitors.greet(&request(&cookie)), None);
        assert_eq!(visitors.of_today(), Some(1));
        let other = visitors.greet(&HeaderMap::new()).unwrap();
        assert_ne!(other, cookie);
        assert_eq!(visitors.of_today(), Some(2));
        let tomorrow = now() + Duration::from_secs(SECONDS_OF_DAY);
        let before = visitors.today(now()).unwrap().key.clone();
        let today = visitors.today(tomorrow).unwrap();
        assert!(today.seen.is_empty() && today.key != before, "nothing is left of the day before");
    }

    #[test]
    fn a_cookie_that_is_none_of_ours_is_replaced_and_one_is_taken_away_without_a_look() {
        let visitors = Visitors::new(true, false);
        let garbage = ["tenfour-visitor=", "tenfour-visitor=AAAA", "tenfour-visitor=\u{22}x", "visitor=1"];
        for cookie in garbage {
            let request = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())]);
            assert!(visitors.greet(&request).is_some(), "{cookie}");
        }
        let gone = visitors.farewell().unwrap();
        assert_eq!(gone, "tenfour-visitor=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn visitors_without_end_do_not_fill_the_memory() {
        let mut today = Today::new(now());
        (0..VISITORS + 10).for_each(|n| today.count(&n.to_be_bytes()));
        assert_eq!(today.seen.len(), VISITORS);
    }

    #[test]
    fn when_it_is_off_nobody_is_greeted_or_counted() {
        let visitors = Visitors::new(false, true);
        assert_eq!((visitors.greet(&HeaderMap::new()), visitors.farewell()), (None, None));
        assert_eq!(visitors.of_today(), None);
    }
}
