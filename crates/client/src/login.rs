//! Log-in by device key.

use std::time::Instant;

use data_encoding::BASE64URL_NOPAD;
use hyper::Method;
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::http::{
    Channels, Contact, Held, Login, Me, Nonce, Profile, Proof, Register, SessionKind,
};
use tenfour_protocol::limits::{NONCE_BYTES, REGISTRATION_WORK_MOST};
use tenfour_protocol::{Code, Refusal, Work};
use zeroize::Zeroizing;

use crate::http::Conversation;
use crate::patience::{Patience, Waiting};
use crate::{Error, Identity, Server};

/// A log-in. The token is good until it is logged out or long unused.
pub struct Session {
    /// The user, as this server knows them.
    pub me: Me,
    /// Whether the key was just registered.
    pub registered: bool,
    pub(crate) token: Zeroizing<String>,
}

impl Session {
    /// The channels of the server.
    pub async fn channels(&self, server: &Server) -> Result<Channels, Error> {
        server.get("channels", Some(&self.token)).await
    }

    /// All that the server has stored about this user.
    pub async fn held(&self, server: &Server) -> Result<Held, Error> {
        server.get("me", Some(&self.token)).await
    }

    /// Changes handle or description; returns them as they are now.
    pub async fn change(&self, server: &Server, profile: &Profile) -> Result<Me, Error> {
        server.patch("me", &self.token, profile).await
    }

    /// Writes to the operator.
    pub async fn contact(&self, server: &Server, text: &str) -> Result<(), Error> {
        server.tell("contact", &self.token, &Contact { text: text.to_owned() }).await
    }

    /// Erases the user from the server, which ends the session.
    pub async fn erase(self, server: &Server) -> Result<(), Error> {
        server.done(Method::DELETE, "me", &self.token).await
    }

    /// Ends this session.
    pub async fn log_out(self, server: &Server) -> Result<(), Error> {
        server.done(Method::POST, "logout", &self.token).await
    }

    /// Ends every session of this key, this one too.
    pub async fn log_out_everywhere(self, server: &Server) -> Result<(), Error> {
        server.done(Method::DELETE, "me/sessions", &self.token).await
    }

    /// The session token, for requests that the program makes itself: `Authorization: Bearer`.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// Logs in with the key; a key that the server does not know is registered under `handle`. When many people come in
/// from the same network, this waits as long as the server says and does the work that a registration then costs, for
/// [`AUTH_PATIENCE`](tenfour_protocol::limits::AUTH_PATIENCE) at most.
pub async fn log_in(server: &Server, identity: &Identity, handle: Option<&str>) -> Result<Session, Error> {
    log_in_telling(server, identity, handle, |_| {}).await
}

/// The same. Calls `tell` with the reason each time that it takes longer.
pub async fn log_in_telling(
    server: &Server,
    identity: &Identity,
    handle: Option<&str>,
    tell: impl FnMut(Waiting),
) -> Result<Session, Error> {
    let patience = Patience::from(Instant::now());
    let mut door = Door { talk: Conversation::with(server), identity, patience, tell };
    // No server knows a key that was just made, so we do not ask first: that would double the load of a crowd.
    if let Some(handle) = handle.filter(|_| identity.is_new()) {
        match door.register(handle).await {
            Err(Error::Refused(Refusal { code: Code::AlreadyRegistered, .. })) => {}
            other => return other,
        }
    }
    match door.log_in().await {
        Err(Error::Refused(Refusal { code: Code::NotRegistered, .. })) => {
            door.register(handle.ok_or_else(|| Error::HandleNeeded(server.origin().into()))?).await
        }
        other => other,
    }
}

/// Somebody who is logging in.
struct Door<'a, T> {
    talk: Conversation<'a>,
    identity: &'a Identity,
    patience: Patience,
    tell: T,
}

/// A nonce, as it came and in bytes.
struct Fresh {
    nonce: Nonce,
    bytes: [u8; NONCE_BYTES],
}

impl<T: FnMut(Waiting)> Door<'_, T> {
    async fn log_in(&mut self) -> Result<Session, Error> {
        loop {
            match self.try_to_log_in().await {
                Err(Error::Refused(refusal)) => self.wait(refusal).await?,
                other => return session(self.talk.server(), other?, false),
            }
        }
    }

    async fn register(&mut self, handle: &str) -> Result<Session, Error> {
        loop {
            match self.try_to_register(handle).await {
                Err(Error::Refused(refusal)) => self.wait(refusal).await?,
                other => return session(self.talk.server(), other?, true),
            }
        }
    }

    async fn try_to_log_in(&mut self) -> Result<Me, Error> {
        let fresh = self.ask_for_nonce().await?;
        let login = Login { proof: self.prove(fresh) };
        self.talk.post("login", &login).await
    }

    async fn try_to_register(&mut self, handle: &str) -> Result<Me, Error> {
        let fresh = self.ask_for_nonce().await?;
        let work = self.work(&fresh).await?;
        let proof = self.prove(fresh);
        let register = Register { handle: handle.to_owned(), description: None, work, proof };
        self.talk.post("register", &register).await
    }

    /// Waits until it makes sense to try again after this refusal. Returns the refusal if it never does.
    async fn wait(&mut self, refusal: Refusal) -> Result<(), Error> {
        let Some(wait) = self.patience.again(&refusal, Instant::now()) else { return Err(refusal.into()) };
        if !wait.is_zero() {
            (self.tell)(Waiting::Turn(wait));
            // A client that waits should not occupy a connection, and the server would end it meanwhile.
            self.talk.hang_up();
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn ask_for_nonce(&mut self) -> Result<Fresh, Error> {
        let nonce: Nonce = self.talk.post("nonce", &()).await?;
        let bytes =
            BASE64URL_NOPAD.decode(nonce.nonce.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| odd(self.talk.server(), "its nonce is malformed"))?;
        Ok(Fresh { nonce, bytes })
    }

    /// Does the work that a registration costs now, if any, on another thread.
    async fn work(&mut self, fresh: &Fresh) -> Result<Option<u32>, Error> {
        let bits = self.patience.work(fresh.nonce.work);
        if bits == 0 {
            return Ok(None);
        }
        if bits > REGISTRATION_WORK_MOST {
            return Err(odd(self.talk.server(), "it asks for more work than a registration is worth"));
        }
        (self.tell)(Waiting::Work);
        let (work, until) = (Work::new(&fresh.bytes, &self.identity.user()), self.patience.until());
        let found = tokio::task::spawn_blocking(move || search(&work, bits, until)).await;
        found.ok().flatten().map(Some).ok_or_else(|| Refusal::from(Code::WorkNeeded).into())
    }

    fn prove(&self, Fresh { nonce, bytes }: Fresh) -> Proof {
        let origin = self.talk.server().origin();
        let signed = signed_bytes(origin, &bytes, nonce.expiry, &self.identity.user());
        Proof {
            key: BASE64URL_NOPAD.encode(&self.identity.public_key()),
            nonce: nonce.nonce,
            expiry: nonce.expiry,
            signature: BASE64URL_NOPAD.encode(&self.identity.sign(&signed)),
            session: SessionKind::Bearer,
        }
    }
}

/// Numbers that are tried between two looks at the clock: some milliseconds.
const BATCH: usize = 1 << 16;

/// The first solution, if there is time for it.
fn search(work: &Work, bits: u8, until: Instant) -> Option<u32> {
    let mut begins = (0..=u32::MAX).step_by(BATCH).take_while(|_| Instant::now() < until);
    begins.find_map(|begin| work.search((begin..=u32::MAX).take(BATCH), bits))
}

fn session(server: &Server, mut me: Me, registered: bool) -> Result<Session, Error> {
    let token = me.token.take().ok_or_else(|| odd(server, "it gave no session"))?;
    Ok(Session { me, registered, token: Zeroizing::new(token) })
}

fn odd(server: &Server, why: &str) -> Error {
    Error::NotTenfour { server: server.origin().into(), why: why.into() }
}
