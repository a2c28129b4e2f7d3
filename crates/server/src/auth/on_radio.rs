//! Which log-ins have radio sockets at the moment: a newer log-in takes the place of none of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tenfour_core::hub::LoginId;
use tenfour_protocol::{Refusal, UserId};

use super::Auth;
use super::refusals::too_many;
use super::sessions::Session;

use crate::lock::lock;

/// How many sockets log-ins have. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct OnRadio(Arc<Mutex<HashMap<LoginId, usize>>>);

/// A radio socket of a log-in, until it is dropped.
#[derive(Debug)]
pub(crate) struct RadioOf {
    all: OnRadio,
    login: LoginId,
}

impl Auth {
    /// Whether a user may open one more radio socket now.
    pub(crate) fn may_come_in(&self, user: UserId) -> Result<(), Refusal> {
        let words = "You have connected too often just now.";
        self.upgrades.take_of(user, Instant::now()).map_err(|wait| too_many(words, wait))
    }

    /// Counts a radio socket of a session that was found, so that no newer log-in takes its place.
    pub(crate) fn radio_of(&self, session: Session) -> RadioOf {
        self.on_radio.count(session.login)
    }
}

impl OnRadio {
    /// One socket more.
    pub(crate) fn count(&self, login: LoginId) -> RadioOf {
        *self.lock().entry(login).or_default() += 1;
        RadioOf { all: self.clone(), login }
    }

    /// Whether a log-in has one.
    pub(super) fn has(&self, login: LoginId) -> bool {
        self.lock().contains_key(&login)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LoginId, usize>> {
        lock(&self.0)
    }
}

impl Drop for RadioOf {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(count) = all.get_mut(&self.login) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.login);
            }
        }
    }
}
