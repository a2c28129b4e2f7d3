//! Who is logged in. In memory for the door, hashed in the store for a restart.

use std::collections::{BTreeMap, HashMap, HashSet};

use subtle::ConstantTimeEq;
use tenfour_core::hub::LoginId;
use tenfour_protocol::limits::{SESSION_LIFE, SESSIONS_PER_USER};
use tenfour_protocol::{Person, UserId};

use super::hash;
use super::on_radio::OnRadio;
use crate::store::{Change, Day, Revision, StoredSession, TokenHash, User};

/// A session, as the door sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Names the log-in inside this process.
    pub login: LoginId,
    /// Whose it is.
    pub user: UserId,
    /// Day of its last use.
    pub used: Day,
    /// The state of the store from which on it is there.
    pub since: Revision,
}

/// What a change of the store means for log-ins of this process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// They ended.
    pub(crate) logged_out: Vec<LoginId>,
    /// They ended because newer ones took their place.
    pub(crate) displaced: Vec<LoginId>,
    /// They ended with their users.
    pub(crate) erased: Vec<LoginId>,
    /// Users who were known and are no more.
    pub(crate) gone: Vec<UserId>,
    /// The user of a log-in, as others see it now.
    pub(crate) seen: Vec<(LoginId, Person)>,
}

/// Every session. A table keeps removed entries in its memory for long, so tables have only boxes, which are wiped
/// when they are freed.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_hash: HashMap<Box<TokenHash>, Box<Session>>,
    /// Oldest first.
    #[expect(clippy::vec_box, reason = "the spare room of a vector keeps what was removed, too")]
    by_user: BTreeMap<Box<UserId>, Vec<Box<TokenHash>>>,
    last_login: u64,
    /// Those that have radio sockets.
    on_radio: OnRadio,
    /// Ended here, while the store of a cluster may still say that they stand. Nothing when the store is
    /// this node's alone.
    ended: Option<HashMap<Box<TokenHash>, Box<UserId>>>,
}

impl Sessions {
    /// The sessions that an earlier process left.
    pub(super) fn new(stored: impl IntoIterator<Item = StoredSession>) -> Self {
        let mut sessions = Self::default();
        for stored in stored {
            sessions.insert(stored, Revision::default());
        }
        sessions
    }

    /// Those of a cluster, which come as changes.
    pub(super) fn of_cluster() -> Self {
        Self { ended: Some(HashMap::new()), ..Self::default() }
    }

    /// Adds a session; returns those that ended to make room for it.
    pub(super) fn insert(&mut self, stored: StoredSession, since: Revision) -> Option<(TokenHash, Session)> {
        self.add(stored, since);
        let surplus = self.surplus(&stored)?;
        self.remove(&surplus).map(|session| (surplus, session))
    }

    /// Which session ends for a new one, if the user has too many: the one that was not used for longest, of those
    /// that came on the same day the oldest, and none with a radio on it.
    fn surplus(&self, new: &StoredSession) -> Option<TokenHash> {
        let own = self.by_user.get(&new.user).filter(|own| own.len() > SESSIONS_PER_USER)?;
        let others = own.iter().filter(|hash| ***hash != new.hash);
        let known = others.filter_map(|hash| Some((hash, self.by_hash.get(hash)?)));
        let unused = known.min_by_key(|(_, session)| (self.on_radio.has(session.login), session.used));
        unused.map(|(hash, _)| **hash)
    }

    /// Who is on the radio, for a socket to be counted with.
    pub(super) fn on_radio(&self) -> OnRadio {
        self.on_radio.clone()
    }

    fn add(&mut self, stored: StoredSession, since: Revision) {
        if let Some(known) = self.by_hash.get_mut(&stored.hash) {
            known.since = known.since.max(since);
            return;
        }
        self.last_login += 1;
        let session =
            Session { login: LoginId(self.last_login), user: stored.user, used: stored.used, since };
        self.by_hash.insert(stored.hash.into(), session.into());
        self.by_user.entry(stored.user.into()).or_default().push(stored.hash.into());
    }

    /// Takes over the sessions that a state of the store has, and ends none.
    pub(super) fn adopt(&mut self, change: &Change) {
        for stored in &change.sessions {
            if !self.ended.as_ref().is_some_and(|ended| ended.contains_key(&stored.hash)) {
                self.add(*stored, change.revision);
            }
        }
    }

    /// Applies a state of the store, whichever node wrote it.
    pub(super) fn apply(&mut self, change: &Change) -> Effects {
        let mut effects = Effects::default();
        let standing: HashSet<&TokenHash> = change.sessions.iter().map(|session| &session.hash).collect();
        let users: HashMap<&UserId, &User> = change.users.iter().map(|user| (&user.id, user)).collect();
        let range = change.first..=change.last;
        let known: Vec<UserId> = self.by_user.range::<UserId, _>(range.clone()).map(|(id, _)| **id).collect();
        for id in known {
            let over = self.over(&id, &standing, change.revision);
            let ended = over.iter().filter_map(|hash| self.take(hash)).map(|session| session.login);
            match users.get(&id) {
                // There are as many as may be: another node let in a newer one, which replaces this.
                Some(_) if standing_of(change, &id) >= SESSIONS_PER_USER => effects.displaced.extend(ended),
                Some(_) => effects.logged_out.extend(ended),
                None => {
                    effects.erased.extend(ended);
                    // One that has registered since is not gone.
                    effects.gone.extend((!self.by_user.contains_key(&id)).then_some(id));
                }
            }
        }
        self.adopt(change);
        for user in &change.users {
            effects.seen.extend(self.logins(&user.id).into_iter().map(|login| (login, user.person())));
        }
        if let Some(ended) = &mut self.ended {
            ended.retain(|hash, user| !range.contains(&**user) || standing.contains(&**hash));
        }
        effects
    }

    /// The sessions of a user that this state of the store does not have any more.
    fn over(&self, id: &UserId, standing: &HashSet<&TokenHash>, at: Revision) -> Vec<TokenHash> {
        let own = self.by_user.get(id).into_iter().flatten();
        // A session that began later is not in this state yet.
        let began = |hash: &TokenHash| self.by_hash.get(hash).is_some_and(|session| session.since < at);
        own.filter(|hash| !standing.contains(&***hash) && began(hash)).map(|hash| **hash).collect()
    }

    /// The session with this token, if it is not too old.
    pub(super) fn find(&self, token: &[u8], today: Day) -> Option<(TokenHash, Session)> {
        let hash = hash(token);
        // The map compares hashes, which tell nothing about a token; the last word is in
        // constant time all the same.
        let (kept, session) = self.by_hash.get_key_value(&hash)?;
        (bool::from(kept.ct_eq(&hash)) && !is_over(session.used, today)).then_some((hash, **session))
    }

    /// Notes a use; true when that is news for the store. A day before the last use is a clock that was set back:
    /// noted, it would end the session as soon as the clock is right again.
    pub(super) fn touch(&mut self, hash: &TokenHash, today: Day) -> bool {
        let Some(session) = self.by_hash.get_mut(hash) else { return false };
        let is_news = today > session.used;
        session.used = session.used.max(today);
        is_news
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, hash: &TokenHash) -> Option<Session> {
        let session = self.take(hash)?;
        if let Some(ended) = &mut self.ended {
            ended.insert((*hash).into(), session.user.into());
        }
        Some(session)
    }

    fn take(&mut self, hash: &TokenHash) -> Option<Session> {
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
        let own = self.by_user.get(user).cloned().unwrap_or_default();
        own.iter().filter_map(|hash| self.remove(hash)).map(|session| session.login).collect()
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

/// Sessions that a user has by a state of the store.
fn standing_of(change: &Change, id: &UserId) -> usize {
    change.sessions.iter().filter(|session| session.user == *id).count()
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
    fn a_clock_that_was_far_back_ends_no_session() {
        let mut sessions = Sessions::new([stored(1, 20_000)]);
        assert!(!sessions.touch(&hash(&[1]), Day(0)), "the store is not told either");
        assert!(sessions.find(&[1], Day(0)).is_some() && sessions.find(&[1], Day(20_001)).is_some());
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

    /// A user's state of the store.
    fn state(revision: u64, sessions: &[StoredSession], is_there: bool) -> Change {
        let key = [1; 32];
        let user = User {
            id: UserId::of_key(&key),
            key,
            handle: tenfour_protocol::Handle::parse("Roadrunner").unwrap(),
            description: None,
            created: Day(1),
        };
        let (first, last) = user.id.of_same_tag();
        let users = if is_there { vec![user] } else { Vec::new() };
        Change { revision: Revision(revision), first, last, users, sessions: sessions.to_vec() }
    }

    #[test]
    fn sessions_of_other_nodes_come_and_go() {
        let mut sessions = Sessions::of_cluster();
        let effects = sessions.apply(&state(1, &[stored(1, 1), stored(2, 1)], true));
        assert_eq!((effects.seen.len(), sessions.len()), (2, 2));
        let effects = sessions.apply(&state(2, &[stored(2, 1)], true));
        assert_eq!((effects.logged_out, effects.erased), (vec![LoginId(1)], vec![]));
        let effects = sessions.apply(&state(3, &[], false));
        assert_eq!((effects.erased, effects.gone), (vec![LoginId(2)], vec![stored(1, 1).user]));
        assert_eq!(sessions.apply(&state(4, &[], false)), Effects::default());
    }

    #[test]
    fn an_old_state_ends_nothing_that_began_since_and_brings_nothing_back() {
        let mut sessions = Sessions::of_cluster();
        sessions.insert(stored(1, 1), Revision(5));
        assert_eq!(sessions.apply(&state(4, &[], true)).logged_out, []);
        assert!(sessions.remove(&stored(1, 1).hash).is_some());
        sessions.apply(&state(5, &[stored(1, 1)], true));
        sessions.adopt(&state(5, &[stored(1, 1)], true));
        assert_eq!(sessions.len(), 0, "it was ended here, and the store did not know yet");
        sessions.apply(&state(6, &[], true));
        assert!(sessions.ended.as_ref().is_some_and(HashMap::is_empty), "now it does");
    }

    #[test]
    fn a_user_has_a_most_and_the_oldest_goes() {
        let mut sessions = Sessions::default();
        for token in 0..u8::try_from(SESSIONS_PER_USER).unwrap() {
            assert_eq!(sessions.insert(stored(token, 1), Revision::default()), None);
        }
        let (gone, _) = sessions.insert(stored(255, 1), Revision::default()).unwrap();
        assert_eq!(gone, hash(&[0]));
        assert_eq!(sessions.len(), SESSIONS_PER_USER);
    }

    #[test]
    fn who_is_on_the_radio_stays_and_who_was_not_there_for_longest_goes() {
        let mut sessions = Sessions::default();
        for token in 0..u8::try_from(SESSIONS_PER_USER).unwrap() {
            sessions.insert(stored(token, 1), Revision::default());
        }
        let login = |sessions: &Sessions, token: u8| sessions.by_hash[&hash(&[token])].login;
        let radio = sessions.on_radio().count(login(&sessions, 0));
        let again = sessions.on_radio().count(login(&sessions, 0));
        sessions.touch(&hash(&[1]), Day(2));
        let mut let_go = |token| sessions.insert(stored(token, 2), Revision::default()).unwrap().0;
        assert_eq!(let_go(250), hash(&[2]), "0 is on the radio, 1 was used since");
        drop(again);
        assert_eq!(let_go(251), hash(&[3]), "it has one socket left");
        drop(radio);
        assert_eq!(let_go(252), hash(&[0]));
    }

    #[test]
    fn what_another_node_let_go_for_a_newer_log_in_was_not_logged_out() {
        let full: Vec<_> = (0..32).map(|token| stored(token, 1)).collect();
        let mut sessions = Sessions::of_cluster();
        sessions.apply(&state(1, &full, true));
        let newer: Vec<_> = (1..33).map(|token| stored(token, 1)).collect();
        let effects = sessions.apply(&state(2, &newer, true));
        assert_eq!((effects.displaced, effects.logged_out), (vec![LoginId(1)], vec![]));
        let effects = sessions.apply(&state(3, &newer[1..], true));
        assert_eq!((effects.displaced, effects.logged_out.len()), (vec![], 1));
    }
}
