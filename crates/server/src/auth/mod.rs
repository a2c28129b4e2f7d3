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

pub(crate) use on_radio::RadioOf;

pub use login::{Auth, Client, Opened};
pub use origins::Origins;
pub use rates::Rates;
pub use sessions::Session;

use sha2::{Digest, Sha256};

use crate::store::TokenHash;

/// The hash under which a token is kept.
pub(crate) fn hash(token: &[u8]) -> TokenHash {
    Sha256::digest(token).into()
}
