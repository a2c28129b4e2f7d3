//! Log-in by device key.

use data_encoding::BASE64URL_NOPAD;
use hyper::Method;
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::http::{
    Channels, Contact, Held, Login, Me, Nonce, Profile, Proof, Register, SessionKind,
};
use tenfour_protocol::limits::NONCE_BYTES;
use tenfour_protocol::{Code, Refusal};
use zeroize::Zeroizing;

use crate::http::Conversation;
use crate::{Error, Identity, Server};

/// A log-in. The token is good until it is logged out or long unused.
pub struct Session {
    /// Who one is there.
    pub me: Me,
    /// True when the key was registered just now.
    pub registered: bool,
    pub(crate) token: Zeroizing<String>,
}

impl Session {
    /// The channels of the server.
    pub async fn channels(&self, server: &Server) -> Result<Channels, Error> {
        server.get("channels", Some(&self.token)).await
    }

    /// All that the server has stored of oneself.
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

    /// Erases oneself from the server. The session is over with it.
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

    /// The session token, for a connection of one's own: `Authorization: Bearer`.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// Logs in with the key; a key that the server does not know is registered under `handle`.
pub async fn log_in(server: &Server, identity: &Identity, handle: Option<&str>) -> Result<Session, Error> {
    let mut talk = Conversation::with(server);
    let login = Login { proof: prove(&mut talk, identity).await? };
    match talk.post("login", &login).await {
        Ok(me) => session(server, me, false),
        Err(Error::Refused(Refusal { code: Code::NotRegistered, .. })) => {
            let handle = handle.ok_or_else(|| Error::HandleNeeded(server.origin().into()))?.to_owned();
            let proof = prove(&mut talk, identity).await?;
            session(
                server,
                talk.post("register", &Register { handle, description: None, proof }).await?,
                true,
            )
        }
        Err(error) => Err(error),
    }
}

async fn prove(talk: &mut Conversation<'_>, identity: &Identity) -> Result<Proof, Error> {
    let Nonce { nonce, expiry } = talk.post("nonce", &()).await?;
    let server = talk.server();
    let bytes: [u8; NONCE_BYTES] = BASE64URL_NOPAD
        .decode(nonce.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| odd(server, "its nonce is malformed"))?;
    let signature = identity.sign(&signed_bytes(server.origin(), &bytes, expiry, &identity.user()));
    Ok(Proof {
        key: BASE64URL_NOPAD.encode(&identity.public_key()),
        nonce,
        expiry,
        signature: BASE64URL_NOPAD.encode(&signature),
        session: SessionKind::Bearer,
    })
}

fn session(server: &Server, mut me: Me, registered: bool) -> Result<Session, Error> {
    let token = me.token.take().ok_or_else(|| odd(server, "it gave no session"))?;
    Ok(Session { me, registered, token: Zeroizing::new(token) })
}

fn odd(server: &Server, why: &str) -> Error {
    Error::NotTenfour { server: server.origin().into(), why: why.into() }
}
