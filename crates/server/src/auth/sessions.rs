//! Who is logged in. In memory for the door, hashed in the store for a restart.

use std::collections::HashMap;

use subtle::ConstantTimeEq;
use tenfour_core::hub::LoginId;
use tenfour_protocol::UserId;
use tenfour_protocol::limits::{SESSION_LIFE, SESSIONS_PER_USER};

use super::hash;
use crate::store::{Day, StoredSession, TokenHash};

/// A session, as the door sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Names the log-in inside this process.
    pub login: LoginId,
    /// Whose it is.
    pub user: UserId,
    /// Day of its last use.
    pub used: Day,
}

/// Every session. What is removed from a table stays in the table's memory for long; so tables have
/// boxes only, which are wiped when they are given back.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_hash: HashMap<Box<TokenHash>, Box<Session>>,
    /// Oldest first.
    #[expect(clippy::vec_box, reason = "the spare room of a vector keeps what was removed, too")]
    by_user: HashMap<Box<UserId>, Vec<Box<TokenHash>>>,
    last_login: u64,
}

impl Sessions {
    /// The sessions that an earlier process left.
    pub(super) fn new(stored: impl IntoIterator<Item = StoredSession>) -> Self {
        let mut sessions = Self::default();
        for stored in stored {
            sessions.insert(stored);
        }
        sessions
    }

    /// Adds a session; returns what had to go for it.
    pub(super) fn insert(&mut self, stored: StoredSession) -> Option<(TokenHash, Session)> {
        self.last_login += 1;
        let session = Session { login: LoginId(self.last_login), user: stored.user, used: stored.used };
        self.by_hash.insert(stored.hash.into(), session.into());
        let own = self.by_user.entry(stored.user.into()).or_default();
        own.push(stored.hash.into());
        let surplus = (own.len() > SESSIONS_PER_USER).then(|| *own[0])?;
        self.remove(&surplus).map(|session| (surplus, session))
    }

    /// The session with this token, if it is not too old.
    pub(super) fn find(&self, token: &[u8], today: Day) -> Option<(TokenHash, Session)> {
        let hash = hash(token);
        // The map compares hashes, which tell nothing about a token; the last word is in
        // constant time all the same.
        let (kept, session) = self.by_hash.get_key_value(&hash)?;
        (bool::from(kept.ct_eq(&hash)) && !is_over(session.used, today)).then_some((hash, **session))
    }

    /// Notes a use; true when that is news for the store.
    pub(super) fn touch(&mut self, hash: &TokenHash, today: Day) -> bool {
        self.by_hash.get_mut(hash).is_some_and(|session| std::mem::replace(&mut session.used, today) != today)
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, hash: &TokenHash) -> Option<Session> {
        let session = *self.by_hash.remove(hash)?;
        if let Some(own) = self.by_user.get_mut(&session.user) {
            own.retain(|other| **other != *hash);
            if own.is_empty() {
                self.by_user.remove(&session.user);
            }
        }
        Some(session)
    }

    /// Forgets every session of a user.
    pub(super) fn remove_all(&mut self, user: &UserId) -> Vec<LoginId> {
        let own = self.by_user.remove(user).unwrap_or_default();
        let gone = own.iter().filter_map(|hash| self.by_hash.remove(hash));
        gone.map(|session| session.login).collect()
    }

    /// The log-ins of a user.
    pub(super) fn logins(&self, user: &UserId) -> Vec<LoginId> {
        let own = self.by_user.get(user).into_iter().flatten();
        own.filter_map(|hash| self.by_hash.get(hash)).map(|session| session.login).collect()
    }

    /// True while the session stands.
    pub(super) fn contains(&self, hash: &TokenHash) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// Sessions there are.
    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }
}

/// True when a session that was last used on `used` is over.
pub(super) fn is_over(used: Day, today: Day) -> bool {
    u64::from(today.0.saturating_sub(used.0)) * 86_400 > SESSION_LIFE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(token: u8, used: u32) -> StoredSession {
        StoredSession { hash: hash(&[token]), user: UserId::of_key(&[1; 32]), used: Day(used) }
    }

    #[test]
    fn a_session_is_found_by_its_token_until_it_is_over() {
        let mut sessions = Sessions::new([stored(1, 100)]);
        assert!(sessions.find(&[1], Day(130)).is_some());
        assert!(sessions.find(&[1], Day(131)).is_none());
        assert!(sessions.find(&[2], Day(100)).is_none());
        assert!(sessions.touch(&hash(&[1]), Day(101)) && !sessions.touch(&hash(&[1]), Day(101)));
        assert!(sessions.find(&[1], Day(131)).is_some());
        assert!(sessions.remove(&hash(&[1])).is_some() && sessions.by_user.is_empty());
    }

    #[test]
    fn all_sessions_of_a_user_go_and_no_others() {
        let other = StoredSession { user: UserId::of_key(&[2; 32]), ..stored(3, 1) };
        let mut sessions = Sessions::new([stored(1, 1), stored(2, 1), other]);
        let logins = sessions.logins(&stored(1, 1).user);
        assert_eq!(logins, [LoginId(1), LoginId(2)]);
        assert_eq!(sessions.remove_all(&stored(1, 1).user), logins);
        assert_eq!(sessions.remove_all(&stored(1, 1).user), []);
        assert_eq!((sessions.len(), sessions.logins(&other.user)), (1, vec![LoginId(3)]));
    }

    #[test]
    fn a_user_has_a_most_and_the_oldest_goes() {
        let mut sessions = Sessions::default();
        for token in 0..u8::try_from(SESSIONS_PER_USER).unwrap() {
            assert_eq!(sessions.insert(stored(token, 1)), None);
        }
        let (gone, _) = sessions.insert(stored(255, 1)).unwrap();
        assert_eq!(gone, hash(&[0]));
        assert_eq!(sessions.len(), SESSIONS_PER_USER);
    }
}
