//! The store of many nodes: a bucket in JetStream.
//!
//! Keys: `tag.<tag>` has everybody of one tag ([`page`]), `message.<writer>.<number>.<minute>.<mark>` is a
//! message to the operator (writer and mark are made with the cluster's secret), `messages` counts them,
//! `secret` is what nodes sign with when there is no secret of the cluster. Values are sealed ([`vault`]).

mod bucket;
mod messages;
mod page;
mod pages;
mod vault;
mod watch;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tenfour_protocol::limits::USERS;
use tenfour_protocol::{ContactText, UserId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::bucket::{Bucket, Kept};
use self::page::Page;
use self::pages::{Pages, teller};
use self::vault::Vault;
use self::watch::Watch;
use super::{
    Change, Left, Minute, Revision, Store, StoreError, StoredMessage, StoredSession, TokenHash, User, Written,
};
use crate::lock::lock;
use crate::nats::{Api, ClusterSecret, Event, Link, Nats, NatsError};
use crate::random::random;

/// How often a change is tried when other nodes change the same.
const MAX_TRIES: usize = 64;
/// How long a spent nonce is remembered: longer than any node takes it for a fresh one.
const NONCE_MEMORY: Duration = Duration::from_secs(900);
/// How long the store may take to report all that it has.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// A store in JetStream.
#[derive(Debug)]
pub struct JetStream {
    users: Bucket,
    nonces: Bucket,
    link: Link,
    thread: Option<JoinHandle<()>>,
    pages: Arc<Mutex<Pages>>,
    secret: ClusterSecret,
    /// True while changes of other nodes arrive.
    live: Arc<AtomicBool>,
    most_users: usize,
    /// Revisions that were replaced, whose bytes are to be overwritten.
    replaced: Vec<u64>,
}

/// Everything that the store says by itself: first what is there, then each change.
pub type Changes = UnboundedReceiver<Change>;

impl JetStream {
    /// Opens the store of a cluster, and makes it when it is missing.
    pub fn open(nats: &Nats) -> Result<(Self, Changes), StoreError> {
        let secret = nats.read_secret()?;
        let (pages, live) = (Arc::<Mutex<Pages>>::default(), Arc::<AtomicBool>::default());
        let api = Api::default();
        // The watch is made when the bucket is there, which takes the connection that the watch is heard by.
        let slot: Arc<Mutex<Option<Watch>>> = Arc::default();
        let (info, infos) = mpsc::channel();
        let (heard, answered) = (slot.clone(), api.clone());
        let hearer = move |link: &Link, event: Event<'_>| {
            let mut watch = lock(&heard);
            match (event, watch.as_mut()) {
                (Event::Up(greeting), watch) => {
                    info.send(greeting.clone()).ok();
                    watch.into_iter().for_each(|watch| watch.begin(link));
                }
                (Event::Down, watch) => watch.into_iter().for_each(|watch| watch.lose()),
                (Event::Tick, watch) => watch.into_iter().for_each(|watch| watch.tick(link)),
                (Event::Message(message), _) if message.sid == crate::nats::ANSWERS => {
                    answered.answered(&message);
                }
                (Event::Message(message), watch) => {
                    watch.into_iter().for_each(|watch| watch.message(link, &message));
                }
            }
        };
        let (link, thread) = Link::start(nats, "store", Box::new(hearer))?;
        api.listen(&link);
        let info = infos.recv_timeout(LOAD_TIMEOUT).map_err(|_| NatsError::Silent)?;
        let servers = nats.servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let lacking = |reason: String| NatsError::NoJetStream { servers: servers.clone(), reason };
        if !info.jetstream {
            link.close();
            return Err(lacking("the server says so".to_owned()).into());
        }
        let open = |name: String, kept| {
            let vault = Vault::of(&secret, &name);
            Bucket::open(&link, &api, &name, vault, kept, info.cluster.is_some()).map_err(|error| match error
            {
                NatsError::Silent => lacking("it does not answer; it may be off for this account".to_owned()),
                NatsError::JetStream { code, reason } => lacking(format!("{reason}, {code}")),
                other => other,
            })
        };
        let opened = open(nats.prefix.clone(), Kept::ForGood)
            .and_then(|users| Ok((users, open(format!("{}-nonces", nats.prefix), Kept::For(NONCE_MEMORY))?)));
        let (users, nonces) = opened.inspect_err(|_| link.close())?;
        let (sink, changes) = unbounded_channel();
        let (begun, beginning) = mpsc::channel();
        let watch = Watch::new(
            &users,
            "tag",
            &api,
            &live,
            Box::new(teller(users.vault().clone(), pages.clone(), sink)),
            Box::new(move || begun.send(()).unwrap_or_default()),
        );
        lock(&slot).insert(watch).begin(&link);
        let store = Self {
            users,
            nonces,
            link,
            thread: Some(thread),
            pages,
            secret,
            live,
            most_users: USERS,
            replaced: Vec::new(),
        };
        beginning.recv_timeout(LOAD_TIMEOUT).map_err(|_| NatsError::Silent)?;
        Ok((store, changes))
    }

    /// With room for so many users.
    pub fn with_room_for(mut self, most_users: usize) -> Self {
        self.most_users = most_users;
        self
    }

    /// Counts values that were not made with the secret of the cluster.
    pub(crate) fn refused(&self) -> Arc<AtomicU64> {
        self.users.vault().refused().clone()
    }

    /// The newest page of a key, with the revision that a change replaces; 0 when there is none.
    fn page(&self, key: &str) -> Result<(u64, Page), StoreError> {
        let Some(held) = self.users.get(key)? else { return Ok((0, Page::default())) };
        let newest = held.bytes.as_ref().map(|bytes| parse(key, bytes)).transpose()?;
        let seen = lock(&self.pages).version(key);
        let page = match newest.filter(|page| page.version() >= seen) {
            Some(page) => page,
            // Somebody else has overwritten it. What nodes wrote before may still be behind it, or remembered here.
            None => {
                let earlier = self.users.earlier(key)?;
                let earlier = earlier.iter().map(|bytes| parse(key, bytes));
                let known = lock(&self.pages).known(key).map(|(_, page)| page);
                let all = known.into_iter().map(Ok).chain(earlier).collect::<Result<Vec<_>, _>>()?;
                all.into_iter().max_by_key(Page::version).unwrap_or_default()
            }
        };
        lock(&self.pages).remember(key, held.revision, &page);
        Ok((held.revision, page))
    }

    /// The page as this node knows it. It asks the store, unless changes arrive anyway or nobody answers.
    fn known_page(&self, key: &str) -> Result<Page, StoreError> {
        let known = lock(&self.pages).known(key).map(|(_, page)| page);
        match known {
            Some(page) if self.live.load(Ordering::Acquire) => Ok(page),
            Some(page) => match self.page(key) {
                Ok((_, page)) => Ok(page),
                Err(StoreError::Nats(NatsError::Silent)) => Ok(page),
                Err(error) => Err(error),
            },
            None => Ok(self.page(key)?.1),
        }
    }

    /// Changes a page, whatever others do at the same time. Without a difference nothing is written.
    fn change<T>(
        &mut self,
        id: &UserId,
        mut change: impl FnMut(&mut Page) -> T,
    ) -> Result<(T, Revision), StoreError> {
        let key = key_of(id);
        // What is remembered is mostly the newest; if it is not, the store says so.
        let mut known = lock(&self.pages).known(&key);
        for _ in 0..MAX_TRIES {
            let remembered = known.take();
            let was_read = remembered.is_none();
            let (revision, before) = remembered.map_or_else(|| self.page(&key), Ok)?;
            let mut page = before.clone();
            let done = change(&mut page);
            if page == before {
                // Only what was just read can be believed to need no change.
                if was_read {
                    return Ok((done, Revision(revision)));
                }
                continue;
            }
            let page = page.after(before.version());
            let bytes = zeroize::Zeroizing::new(serde_json::to_vec(&page).expect("a page is JSON"));
            if let Some(new) = self.users.set(&key, &bytes, revision)? {
                self.replaced.extend((revision > 0).then_some(revision));
                lock(&self.pages).remember(&key, new, &page);
                return Ok((done, Revision(new)));
            }
        }
        Err(NatsError::Silent.into())
    }
}

fn key_of(id: &UserId) -> String {
    format!("tag.{}", id.tag())
}

/// The first identifier that belongs to a key.
fn first_of(key: &str) -> Option<UserId> {
    let tag = key.strip_prefix("tag.")?;
    format!("{tag}{}", "0".repeat(28)).parse().ok()
}

fn parse(key: &str, bytes: &[u8]) -> Result<Page, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(key, &error))
}

fn damaged(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged { path: format!("the value {key} in NATS"), reason: error.to_string() }
}

impl Store for JetStream {
    /// Two nodes that do so at the same moment may let one more in than there is room for.
    fn insert_user(&mut self, user: &User) -> Result<Written, StoreError> {
        let is_full = lock(&self.pages).users() >= self.most_users;
        let insert = |page: &mut Page| match is_full && page.user(&user.id).is_none() {
            true => Written::Full,
            false => page.insert(user),
        };
        self.change(&user.id, insert).map(|(written, _)| written)
    }

    fn update_user(&mut self, user: &User) -> Result<Written, StoreError> {
        self.change(&user.id, |page| page.update(user)).map(|(written, _)| written)
    }

    fn erase(&mut self, id: &UserId) -> Result<bool, StoreError> {
        let (erased, _) = self.change(id, |page| page.erase(id))?;
        self.erase_messages(id)?;
        Ok(erased)
    }

    fn user(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        Ok(self.known_page(&key_of(id))?.user(id))
    }

    fn sessions(&mut self) -> Result<Vec<StoredSession>, StoreError> {
        let mut all = Vec::new();
        for key in self.users.keys("tag.*")? {
            all.extend(self.page(&key)?.1.sessions());
        }
        Ok(all)
    }

    fn sessions_of(&mut self, id: &UserId) -> Result<Vec<StoredSession>, StoreError> {
        let mut sessions = self.page(&key_of(id))?.1.sessions();
        sessions.retain(|session| session.user == *id);
        Ok(sessions)
    }

    fn put_session(&mut self, session: &StoredSession) -> Result<Option<Revision>, StoreError> {
        let (known, revision) = self.change(&session.user, |page| page.put_session(session))?;
        Ok(known.then_some(revision))
    }

    fn remove_session(&mut self, id: &UserId, hash: &TokenHash) -> Result<(), StoreError> {
        self.change(id, |page| page.remove_session(id, hash)).map(|_| ())
    }

    fn remove_sessions(&mut self, id: &UserId) -> Result<(), StoreError> {
        self.change(id, |page| page.remove_sessions(id)).map(|_| ())
    }

    fn put_message(&mut self, user: &UserId, text: &ContactText, sent: Minute) -> Result<Left, StoreError> {
        self.leave_message(user, text, sent)
    }

    fn messages_of(&mut self, id: &UserId) -> Result<Vec<StoredMessage>, StoreError> {
        self.read_messages(Some(id))
    }

    fn messages(&mut self) -> Result<Vec<StoredMessage>, StoreError> {
        self.read_messages(None)
    }

    fn expire_messages(&mut self, before: Minute) -> Result<usize, StoreError> {
        self.forget_messages(|_, sent| sent < before)
    }

    fn remove_messages(&mut self, ids: &[u32]) -> Result<(), StoreError> {
        self.forget_messages(|id, _| ids.contains(&id)).map(|_| ())
    }

    /// Each change lasts by itself.
    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What was replaced is overwritten here, also when nobody asks for a scrub.
    fn commit(&mut self) -> Result<(), StoreError> {
        if let Err(error) = self.scrub() {
            tracing::error!(reason = %error, "what the store has replaced may still be on the disk of NATS");
        }
        Ok(())
    }

    fn roll_back(&mut self) {}

    fn scrub(&mut self) -> Result<(), StoreError> {
        while let Some(revision) = self.replaced.last() {
            self.users.overwrite(*revision)?;
            self.replaced.pop();
        }
        Ok(())
    }

    fn state_of(&mut self, id: &UserId) -> Result<Option<Change>, StoreError> {
        let (revision, page) = self.page(&key_of(id))?;
        let (first, last) = id.of_same_tag();
        let (users, sessions) = (page.users(), page.sessions());
        Ok(Some(Change { revision: Revision(revision), first, last, users, sessions }))
    }

    fn secret(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        if self.secret.is_given() {
            return Ok(Some(*self.secret.key(&[b"nonces"])));
        }
        for _ in 0..MAX_TRIES {
            if let Some(held) = self.users.get("secret")? {
                let secret = held.bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
                return secret.map(Some).ok_or_else(|| StoreError::Damaged {
                    path: "the value secret in NATS".to_owned(),
                    reason: "it has no 32 bytes".to_owned(),
                });
            }
            self.users.set("secret", &random::<32>(), 0)?;
        }
        Err(NatsError::Silent.into())
    }

    fn spend_nonce(&mut self, nonce: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self.nonces.set(&HEXLOWER.encode(nonce), b"", 0)?.is_some())
    }
}

impl Drop for JetStream {
    fn drop(&mut self) {
        if let Err(error) = self.scrub() {
            tracing::error!(reason = %error, "what the store has replaced may still be on the disk of NATS");
        }
        self.link.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the store's connection had panicked");
        }
    }
}
