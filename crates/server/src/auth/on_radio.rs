//! Which log-ins have radio sockets now: a newer log-in does not end these.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tenfour_core::hub::LoginId;

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
