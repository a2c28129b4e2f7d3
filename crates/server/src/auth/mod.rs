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

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use sha2::{Digest, Sha256};
use tenfour_core::hub::LoginId;
use tenfour_protocol::limits::{
    CONTACTS_PER_ADDRESS, REGISTRATIONS_PER_ADDRESS, USER_UPGRADE, USER_UPGRADES,
};
use tenfour_protocol::{Code, Refusal, UserId};

use crate::calendar::today;
use crate::lock::lock;
use crate::store::{Change, StoreHandle, StoredSession, TokenHash, User};
use allowance::Allowance;
pub use login::{Client, Opened};
use newcomers::Newcomers;
use nonces::Nonces;
use on_radio::OnRadio;
pub(crate) use on_radio::RadioOf;
pub use origins::Origins;
use rates::Rates;
use refusals::{owed, too_many, unavailable};
pub use sessions::Session;
use sessions::{Effects, Sessions, is_over};
use shared_nonces::SharedNonces;

/// Users whose radio sockets of the last half minute are counted: more than a server can let in.
const MAX_COUNTED_USERS: usize = 200_000;

/// Everything that the door needs to know who somebody is.
#[derive(Debug)]
pub struct Auth {
    origins: Origins,
    rates: Rates,
    /// Users that an address may make, and messages to the operator that it may leave.
    registrations: Allowance,
    newcomers: Newcomers,
    contacts: Allowance,
    /// Radio sockets that a user may open.
    upgrades: Allowance<UserId>,
    nonces: Mutex<Nonces>,
    /// Replaces `nonces` when the store is that of a cluster.
    shared: Option<Cluster>,
    sessions: Mutex<Sessions>,
    on_radio: OnRadio,
    store: StoreHandle,
    /// Counts changes and erasures of users: a reader compares it to see whether to read a user again.
    changes: AtomicU64,
    /// Changes of users are told to the hub in the order in which they were stored.
    changing: tokio::sync::Mutex<()>,
}

/// What only a node of a cluster has.
#[derive(Debug)]
struct Cluster {
    nonces: SharedNonces,
    /// Tokens that nobody knew, in this second: each costs a question to the store.
    asked: Mutex<(Instant, u32)>,
}

impl Auth {
    /// With the sessions that an earlier process left.
    pub fn new(origins: Origins, store: StoreHandle, stored: Vec<StoredSession>) -> Self {
        let today = today();
        let standing = stored.into_iter().filter(|session| !is_over(session.used, today));
        let sessions = Sessions::new(standing);
        Self {
            origins,
            rates: Rates::default(),
            registrations: Allowance::a_day(REGISTRATIONS_PER_ADDRESS),
            newcomers: Newcomers::default(),
            contacts: Allowance::a_day(CONTACTS_PER_ADDRESS),
            upgrades: Allowance::of(USER_UPGRADES, USER_UPGRADE * USER_UPGRADES, MAX_COUNTED_USERS),
            nonces: Mutex::default(),
            shared: None,
            on_radio: sessions.on_radio(),
            sessions: Mutex::new(sessions),
            store,
            changes: AtomicU64::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Of a node in a cluster, whose nodes sign with `secret`. Sessions come by [`Auth::apply`].
    pub fn of_cluster(origins: Origins, store: StoreHandle, secret: [u8; 32]) -> Self {
        let asked = Mutex::new((Instant::now(), 0));
        let shared = Some(Cluster { nonces: SharedNonces::new(secret), asked });
        let sessions = Sessions::of_cluster();
        let on_radio = sessions.on_radio();
        Self { shared, on_radio, sessions: Mutex::new(sessions), ..Self::new(origins, store, Vec::new()) }
    }

    /// Applies a change that the store reports. The caller tells the hub what it means for log-ins.
    pub(crate) fn apply(&self, change: &Change) -> Effects {
        let effects = self.lock_sessions().apply(change);
        self.note_change();
        effects
    }

    /// Forgets addresses whose budgets are whole again.
    pub(crate) fn forget_addresses(&self) {
        let now = Instant::now();
        self.rates.forget(now);
        self.registrations.forget(now);
        self.newcomers.forget(now);
        self.contacts.forget(now);
        self.upgrades.forget(now);
    }

    /// The origins that may use the server.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Sessions there are.
    pub fn sessions(&self) -> usize {
        self.lock_sessions().len()
    }

    /// Whether a user may open one more radio socket now.
    pub(crate) fn may_come_in(&self, user: UserId) -> Result<(), Refusal> {
        let words = "You have connected too often just now.";
        self.upgrades.take_of(user, Instant::now()).map_err(|wait| too_many(words, wait))
    }

    /// Counts a radio socket of a session, so that no newer log-in ends that session.
    pub(crate) fn radio_of(&self, session: Session) -> RadioOf {
        self.on_radio.count(session.login)
    }

    /// Stores the day of the last use, once a day. A failure loses nothing else.
    pub async fn note_use(&self, hash: TokenHash, session: Session) {
        let today = today();
        if self.lock_sessions().touch(&hash, today) {
            let stored = StoredSession { hash, user: session.user, used: today };
            // The thread of the store has logged why.
            self.store.put_session(stored).await.ok();
        }
    }

    /// True while the session stands.
    pub fn stands(&self, hash: &TokenHash) -> bool {
        self.lock_sessions().contains(hash)
    }

    /// The user of a session.
    pub async fn user(&self, id: UserId) -> Result<User, Refusal> {
        self.store.user(id).await.map_err(unavailable)?.ok_or_else(|| Code::NotLoggedIn.into())
    }

    /// Ends a session: at the door at once, then in the store.
    pub fn logout(&self, hash: &TokenHash) -> Option<LoginId> {
        self.lock_sessions().remove(hash).map(|session| session.login)
    }

    /// The second half of a log-out, without which a restart would bring the session back. If it fails, the store
    /// tries again until it works, and the caller is told.
    pub async fn forget(&self, user: UserId, hash: TokenHash) -> Result<(), Refusal> {
        self.store.remove_session(user, hash).await.map_err(owed)
    }

    /// Why nothing, or not everything, is stored at the moment, for the operator.
    pub(crate) fn store_trouble(&self) -> Option<String> {
        self.store.trouble()
    }

    /// How many changes of users there were; see [`Auth::user_again`].
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The user as it is now, if it may be another one than when there were `changes`. Nothing when
    /// it is the same.
    pub async fn user_again(&self, id: UserId, changes: u64) -> Result<Option<User>, Refusal> {
        if self.changes() == changes { Ok(None) } else { self.user(id).await.map(Some) }
    }

    fn take(&self, peer: IpAddr) -> Result<(), Refusal> {
        let (words, _) = Code::TooManyRequests.words();
        self.rates.take(peer, Instant::now()).map_err(|wait| too_many(words, wait))
    }

    fn lock_sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }
}

/// The hash under which a token is kept.
pub(crate) fn hash(token: &[u8]) -> TokenHash {
    Sha256::digest(token).into()
}
