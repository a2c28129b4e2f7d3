//! Log-in by device key.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, VerifyingKey};
use tenfour_core::hub::LoginId;
use tenfour_core::mutant;
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::http::{Login, Nonce, Proof, Register};
use tenfour_protocol::limits::{NONCE_BYTES, TOKEN_BYTES};
use tenfour_protocol::{Code, Description, Handle, Refusal, UserId, Work};
use zeroize::Zeroizing;

use super::refusals::{too_many, unavailable, written};
use super::sessions::Session;
use super::{Auth, hash};
use crate::calendar::{since_epoch, today};
use crate::handle;
use crate::lock::lock;
use crate::random::random;
use crate::store::{StoredSession, TokenHash, User};

/// Bytes of an identifier that begin a token of a cluster: they hold the tag.
const TAG_BYTES: usize = 3;
/// Questions about tokens that nobody knows, in a second. Past that, a node takes such a token for nobody's: if a
/// session did begin elsewhere, the store reports it in a moment.
const QUESTIONS: u32 = 500;

/// A valid nonce, and the key that the client must prove with it.
struct Spent {
    nonce: [u8; NONCE_BYTES],
    key: [u8; 32],
    user: UserId,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct Opened {
    /// Who it is.
    pub user: User,
    /// The token as text. The server does not keep it.
    pub token: Zeroizing<String>,
    /// A session of the user that ended to make room for this one.
    pub displaced: Option<LoginId>,
}

impl Auth {
    /// Something to sign. The rate limit counts here and not at the registration or log-in, so that nobody has to
    /// wait in between for longer than a nonce lives.
    pub fn nonce(&self, peer: IpAddr) -> Result<Nonce, Refusal> {
        self.take(peer)?;
        let (nonce, expiry) = match &self.shared {
            Some(cluster) => cluster.nonces.open(random(), since_epoch()),
            None => {
                let nonce = random();
                (nonce, lock(&self.nonces).open(nonce, since_epoch()))
            }
        };
        let work = self.newcomers.work(peer, Instant::now());
        Ok(Nonce { nonce: BASE64URL_NOPAD.encode(&nonce), expiry, work })
    }

    /// Makes a user and begins a session.
    pub async fn register(
        &self,
        request: Register,
        client: Client<'_>,
        peer: IpAddr,
    ) -> Result<Opened, Refusal> {
        let spent = self.spend(&request.proof, peer).await?;
        self.check_work(&spent, request.work, peer)?;
        let key = self.verify(&spent, &request.proof, client)?;
        mutant!(crate::mutants::active(), DescriptionRequired => crate::mutants::require_description(&request)?);
        let handle = handle_of(&request.handle)?;
        let description = request.description.as_deref().map(description_of).transpose()?;
        let user = User { id: UserId::of_key(&key), key, handle, description, created: today() };
        self.registrations
            .take(peer, Instant::now())
            .map_err(|wait| too_many("As many people registered from this address as may in a day.", wait))?;
        self.newcomers.note(peer, Instant::now());
        let changes = self.changes();
        let id = user.id;
        written(self.store.insert_user(user).await.map_err(unavailable)?)?;
        self.open(id, changes).await
    }

    /// Begins a session of a known user.
    pub async fn login(&self, request: Login, client: Client<'_>, peer: IpAddr) -> Result<Opened, Refusal> {
        let spent = self.spend(&request.proof, peer).await?;
        let key = self.verify(&spent, &request.proof, client)?;
        let changes = self.changes();
        self.open(UserId::of_key(&key), changes).await
    }

    /// The session of a token (base64url).
    pub async fn session(&self, token: &str) -> Option<(TokenHash, Session)> {
        let token = Zeroizing::new(BASE64URL_NOPAD.decode(token.as_bytes()).ok()?);
        let known = self.lock_sessions().find(&token, today());
        if known.is_some() || self.shared.is_none() {
            return known;
        }
        self.ask_for(&token).await
    }

    /// The session of a token that this node does not know. It may have begun on another one a moment
    /// ago: the store is asked for the users of the tag that is in the token.
    async fn ask_for(&self, token: &[u8]) -> Option<(TokenHash, Session)> {
        let cluster = self.shared.as_ref()?;
        {
            let mut asked = lock(&cluster.asked);
            if asked.0.elapsed() >= Duration::from_secs(1) {
                *asked = (Instant::now(), 0);
            }
            asked.1 += 1;
            if asked.1 > QUESTIONS || token.len() != TOKEN_BYTES {
                return None;
            }
        }
        let mut first = [0; 20];
        first[..TAG_BYTES].copy_from_slice(&token[..TAG_BYTES]);
        // The thread of the store has logged why.
        let change = self.store.state_of(UserId::from_bytes(first)).await.ok()??;
        let mut sessions = self.lock_sessions();
        sessions.adopt(&change);
        sessions.find(token, today())
    }

    /// Begins a session of a user. `changes` is from before the user was read.
    async fn open(&self, id: UserId, changes: u64) -> Result<Opened, Refusal> {
        let mut bytes = Zeroizing::new(random::<TOKEN_BYTES>());
        if self.shared.is_some() {
            // A node that never saw the token then knows which tag to ask the store for. The tag is public anyway.
            bytes[..TAG_BYTES].copy_from_slice(&id.as_bytes()[..TAG_BYTES]);
        }
        let stored = StoredSession { hash: hash(&*bytes), user: id, used: today() };
        let begun = self.store.begin_session(stored).await.map_err(unavailable)?;
        let (user, since) = begun.ok_or(Code::NotRegistered)?;
        let displaced = self.lock_sessions().insert(stored, since);
        // An erasure in between has removed the session from the store, but not here.
        if let Err(refusal) = self.user_again(id, changes).await {
            self.lock_sessions().remove(&stored.hash);
            return Err(refusal);
        }
        if let Some((hash, Session { user, .. })) = &displaced {
            // The thread of the store has logged why; the session is gone at the door.
            self.store.remove_session(*user, *hash).await.ok();
        }
        Ok(Opened {
            user,
            token: Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes)),
            displaced: displaced.map(|(_, session)| session.login),
        })
    }

    /// Spends the nonce of a proof, even if the proof is bad. An invalid nonce costs as much as a new one.
    async fn spend(&self, proof: &Proof, peer: IpAddr) -> Result<Spent, Refusal> {
        let nonce = bytes(&proof.nonce);
        let good = match (nonce, &self.shared) {
            (None, _) => false,
            (Some(nonce), None) => lock(&self.nonces).spend(&nonce, proof.expiry, since_epoch()),
            (Some(nonce), Some(cluster)) if cluster.nonces.is_ours(&nonce, proof.expiry, since_epoch()) => {
                self.store.spend_nonce(nonce).await.map_err(unavailable)?
            }
            (Some(_), Some(_)) => false,
        };
        let Some(nonce) = nonce.filter(|_| good) else {
            self.take(peer)?;
            return Err(Code::NonceExpired.into());
        };
        let key = bytes(&proof.key).ok_or(Code::BadSignature)?;
        Ok(Spent { nonce, key, user: UserId::of_key(&key) })
    }

    /// Checks the work that a registration from this address costs now. In a cluster each node uses its own count,
    /// whichever node gave out the nonce.
    fn check_work(&self, spent: &Spent, solution: Option<u32>, peer: IpAddr) -> Result<(), Refusal> {
        let bits = self.newcomers.work(peer, Instant::now());
        let work = Work::new(&spent.nonce, &spent.user);
        let is_done = bits == 0 || solution.is_some_and(|solution| work.is_done(solution.into(), bits));
        if is_done { Ok(()) } else { Err(Code::WorkNeeded.into()) }
    }

    /// Checks that the client holds the key it names.
    fn verify(&self, spent: &Spent, proof: &Proof, client: Client<'_>) -> Result<[u8; 32], Refusal> {
        let signature = bytes(&proof.signature).ok_or(Code::BadSignature)?;
        let verifying = VerifyingKey::from_bytes(&spent.key).map_err(|_| Code::BadSignature)?;
        let signature = Signature::from_bytes(&signature);
        let fits = |origin: &str| {
            let signed = signed_bytes(origin, &spent.nonce, proof.expiry, &spent.user);
            verifying.verify_strict(&signed, &signature).is_ok()
        };
        let good = match client {
            Client::Page(origin) => self.origins.allows(origin) && fits(origin),
            Client::Program(host) => self.origins.of_host(host).any(fits),
        };
        mutant!(crate::mutants::active(), AnyKey => let good = true);
        if good { Ok(spent.key) } else { Err(Code::BadSignature.into()) }
    }
}

/// What a request says about who sends it.
#[derive(Debug, Clone, Copy)]
pub enum Client<'a> {
    /// A page; what its browser says in `Origin`.
    Page(&'a str),
    /// A program; what it connected to, as in `Host`.
    Program(&'a str),
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// A handle from a request.
pub(super) fn handle_of(text: &str) -> Result<Handle, Refusal> {
    handle::choose(text)
        .map_err(|error| Refusal::because(Code::HandleRefused, format!("The handle {error}.")))
}

/// A description from a request.
pub(super) fn description_of(text: &str) -> Result<Description, Refusal> {
    Description::parse(text)
        .map_err(|error| Refusal::because(Code::DescriptionRefused, format!("The description {error}.")))
}
