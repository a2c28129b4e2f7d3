//! What people are told when the door or the store does not do what they ask.

use std::time::Duration;

use tenfour_protocol::{Code, Refusal};

use crate::store::{StoreError, Written};

/// There will be room after this time.
pub(super) fn too_many(words: &str, wait: Duration) -> Refusal {
    // Rounded up: a client that comes too soon is refused again.
    let millis = wait.as_nanos().div_ceil(1_000_000).max(1);
    Refusal::because(Code::TooManyRequests, words).retry_after(u32::try_from(millis).unwrap_or(u32::MAX))
}

/// Tells why a user was not written.
pub(super) fn written(written: Written) -> Result<(), Refusal> {
    match written {
        Written::Done => Ok(()),
        Written::Known => Err(Code::AlreadyRegistered.into()),
        Written::Unknown => Err(Code::NotLoggedIn.into()),
        Written::Full => Err(Refusal {
            hint: "The operator can make room for more.".into(),
            ..Refusal::because(Code::ServerFull, "The server has as many users as it takes.")
        }),
        Written::Mistakable => Err(Refusal {
            hint: "Choose another one.".into(),
            ..Refusal::because(
                Code::HandleRefused,
                "Somebody here has a handle that looks like this one, and the same tag as you.",
            )
        }),
    }
}

/// The operator reads the reason in the log.
#[expect(clippy::needless_pass_by_value, reason = "it is what becomes of an error")]
pub(super) fn unavailable(error: StoreError) -> Refusal {
    match error {
        StoreError::Full { .. } => Refusal {
            hint: "Try again later; the operator sees it in the log.".into(),
            ..Refusal::because(
                Code::StoreUnavailable,
                "The disk of the server is full: it takes nothing new.",
            )
        },
        _ => Code::StoreUnavailable.into(),
    }
}

/// A log-out that is over here and not stored.
pub(super) fn owed(_: StoreError) -> Refusal {
    Refusal {
        hint: "It tries again by itself; if it is restarted before that works, log out once more.".into(),
        ..Refusal::because(
            Code::StoreUnavailable,
            "You are logged out, but the server cannot write it down at the moment.",
        )
    }
}
