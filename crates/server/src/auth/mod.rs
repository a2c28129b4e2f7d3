//! Registration, log-in and sessions.

mod account;
mod allowance;
mod login;
mod newcomers;
mod nonces;
mod on_radio;
mod origins;
mod rates;
mod refusals;
mod sessions;
mod shared_nonces;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use on_radio::RadioOf;

pub use login::{Auth, Client, Opened};
pub use origins::Origins;
pub use rates::Rates;
pub use sessions::Session;

use crate::store::{Day, Minute, TokenHash};
use sha2::{Digest, Sha256};

/// The hash under which a token is kept.
pub(crate) fn hash(token: &[u8]) -> TokenHash {
    Sha256::digest(token).into()
}

/// `N` random bytes from the system.
///
/// # Panics
/// When the system has no randomness: nothing may be served then.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// Time since 1970.
pub(crate) fn since_epoch() -> Duration {
    // A clock before 1970 makes each nonce look new; nothing worse.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Today, UTC.
pub(crate) fn today() -> Day {
    Day(u32::try_from(since_epoch().as_secs() / 86_400).unwrap_or(u32::MAX))
}

/// This minute, UTC.
pub(crate) fn this_minute() -> Minute {
    Minute(u32::try_from(since_epoch().as_secs() / 60).unwrap_or(u32::MAX))
}
