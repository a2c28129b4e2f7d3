//! From an address to a connection that may talk.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::{Zeroize, Zeroizing};

use super::credentials::Credentials;
use super::wire::{Op, Reader};
use super::{NatsAddress, NatsError};

/// How long a server may take to let us in.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// The first version that has what we use.
const OLDEST_VERSION: (u32, u32) = (2, 9);

/// What a connection is carried by.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// What a server says of itself, as far as we use it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    pub(crate) version: String,
    pub(crate) jetstream: bool,
    pub(crate) cluster: Option<String>,
    nonce: String,
    tls_required: bool,
}

/// How to get in.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) servers: Vec<NatsAddress>,
    pub(super) credentials: Option<Arc<Credentials>>,
    /// For the operator of NATS.
    pub(super) name: String,
}

/// A connection that was let in.
pub(super) struct Dialed {
    pub(super) carrier: Box<dyn Carrier>,
    /// With what came behind the greeting.
    pub(super) reader: Reader,
    pub(super) info: Info,
}

impl Entry {
    /// For people.
    pub(super) fn all(&self) -> String {
        self.servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Connects to the first server that lets us in, from number `first` on.
    pub(super) async fn dial(&self, first: usize) -> Result<Dialed, NatsError> {
        let count = self.servers.len();
        let mut worst = None;
        for server in (0..count).map(|n| &self.servers[(first + n) % count]) {
            let late = || self.unreachable("no answer in time");
            match timeout(DIAL_TIMEOUT, self.dial_one(server)).await.unwrap_or_else(|_| Err(late())) {
                Ok(dialed) => return Ok(dialed),
                // Of several failures, one that the operator can act on says more than a timeout.
                Err(error @ NatsError::Unreachable { .. }) => worst = worst.or(Some(error)),
                Err(error) => worst = Some(error),
            }
        }
        Err(worst.unwrap_or_else(|| self.unreachable("no server is named")))
    }

    fn unreachable(&self, reason: &str) -> NatsError {
        NatsError::Unreachable { servers: self.all(), reason: reason.to_owned() }
    }

    async fn dial_one(&self, server: &NatsAddress) -> Result<Dialed, NatsError> {
        let lost = |error: std::io::Error| self.unreachable(&error.to_string());
        let socket = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(lost)?;
        socket.set_nodelay(true).map_err(lost)?;
        let mut dialed =
            Dialed { carrier: Box::new(socket), reader: Reader::default(), info: Info::default() };
        dialed.info = loop {
            match self.hear(&mut dialed).await? {
                Heard::Info(info) => break info,
                Heard::Nothing | Heard::Pong => {}
            }
        };
        self.check_version(&dialed.info)?;
        if server.tls || dialed.info.tls_required {
            if !dialed.reader.is_empty() {
                // Somebody in between could have sent it before TLS, and it would pass for the server's word.
                let reason = "something was said in clear after its greeting".to_owned();
                return Err(NatsError::Tls { servers: self.all(), reason });
            }
            dialed.carrier = self.secure(dialed.carrier, &server.host).await?;
        }
        let words = Zeroizing::new(format!("CONNECT {}\r\nPING\r\n", self.words(server, &dialed.info)));
        dialed.carrier.write_all(words.as_bytes()).await.map_err(lost)?;
        loop {
            if let Heard::Pong = self.hear(&mut dialed).await? {
                return Ok(dialed);
            }
        }
    }

    fn check_version(&self, info: &Info) -> Result<(), NatsError> {
        let mut numbers = info.version.split('.').map(|number| number.parse().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version >= OLDEST_VERSION {
            return Ok(());
        }
        Err(NatsError::TooOld { servers: self.all(), version: info.version.clone() })
    }

    fn words(&self, server: &NatsAddress, info: &Info) -> Value {
        let mut words: Map<String, Value> = Map::new();
        let mut say = |key: &str, value: Value| words.insert(key.to_owned(), value);
        say("verbose", json!(false));
        say("pedantic", json!(false));
        say("tls_required", json!(server.tls || info.tls_required));
        say("name", json!(self.name));
        say("lang", json!("tenfour"));
        say("version", json!(env!("CARGO_PKG_VERSION")));
        say("protocol", json!(1));
        // A node knows what it said itself.
        say("echo", json!(false));
        say("headers", json!(true));
        say("no_responders", json!(true));
        if let Some(credentials) = &self.credentials {
            credentials.say(&mut words, &info.nonce);
        }
        Value::Object(words)
    }

    async fn secure(&self, carrier: Box<dyn Carrier>, host: &str) -> Result<Box<dyn Carrier>, NatsError> {
        let refuse = |reason: String| NatsError::Tls { servers: self.all(), reason };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refuse(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|error| refuse(error.to_string()))?;
        let secured = tenfour_tls::connect(carrier, Arc::new(config), name).await;
        Ok(Box::new(secured.map_err(|error| refuse(error.to_string()))?))
    }

    /// One thing that the server says, before it lets us in.
    async fn hear(&self, dialed: &mut Dialed) -> Result<Heard, NatsError> {
        let Dialed { carrier, reader, .. } = dialed;
        loop {
            match reader.next() {
                Ok(None) => {}
                Ok(Some(Op::Info(info))) => {
                    let parsed = serde_json::from_slice(info);
                    return parsed.map(Heard::Info).map_err(|_| self.unreachable("it is no NATS"));
                }
                Ok(Some(Op::Pong)) => return Ok(Heard::Pong),
                Ok(Some(Op::Error(reason))) => return Err(self.refused(reason)),
                Ok(Some(_)) => return Ok(Heard::Nothing),
                Err(_) => return Err(self.unreachable("it is no NATS")),
            }
            let mut bytes = [0; 4096];
            let read =
                carrier.read(&mut bytes).await.map_err(|error| self.unreachable(&error.to_string()))?;
            reader.feed(&bytes[..read]);
            bytes.zeroize();
            if read == 0 {
                return Err(self.unreachable("it closed the connection"));
            }
        }
    }

    fn refused(&self, reason: &str) -> NatsError {
        let (servers, reason) = (self.all(), reason.to_owned());
        if reason.to_ascii_lowercase().contains("auth") {
            return NatsError::Credentials { servers, reason };
        }
        NatsError::Unreachable { servers, reason }
    }
}

enum Heard {
    Info(Info),
    Pong,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_2_9_on_will_do() {
        let entry = Entry { servers: Vec::new(), credentials: None, name: String::new() };
        let check = |version: &str| entry.check_version(&Info { version: version.into(), ..Info::default() });
        for good in ["2.9.0", "2.10.7-RC.1", "3.0.0"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["2.8.4", "1.4.1", "go", ""] {
            assert!(matches!(check(bad), Err(NatsError::TooOld { .. })), "{bad}");
        }
    }
}
