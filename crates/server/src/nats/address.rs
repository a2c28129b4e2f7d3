//! Addresses of NATS servers, as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Port when none is named.
const PORT: u16 = 4222;

/// A server of NATS: `nats://host[:port]`, or `tls://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NatsAddress {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether TLS is insisted on; a server may ask for it by itself.
    pub tls: bool,
}

/// Why a text is no address. It says what to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not in this form.
    #[error("write it like nats://127.0.0.1:4222, or tls://nats.example:4222")]
    Form,
    /// A password would be seen in the list of processes, and in logs.
    #[error("put user:password into a file of its own, and name it with --nats-creds FILE")]
    Secret,
}

impl NatsAddress {
    /// True when it is on this machine: nobody else can listen in between.
    pub fn is_here(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl FromStr for NatsAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("nats", text));
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return Err(AddressError::Form),
        };
        if rest.contains('@') {
            return Err(AddressError::Secret);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(PORT), str::parse).map_err(|_| AddressError::Form)?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        if host.is_empty() || port == 0 || !host.bytes().all(fits) {
            return Err(AddressError::Form);
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

impl fmt::Display for NatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl TryFrom<String> for NatsAddress {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<NatsAddress> for String {
    fn from(address: NatsAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, told) in [
            ("nats://127.0.0.1:4223", "nats://127.0.0.1:4223"),
            ("nats.example", "nats://nats.example:4222"),
            ("tls://nats.example:4443/", "tls://nats.example:4443"),
            ("nats://[::1]:4222", "nats://[::1]:4222"),
        ] {
            assert_eq!(text.parse::<NatsAddress>().unwrap().to_string(), told);
        }
        for text in ["", "nats://", "http://x", "nats://x:y", "nats://x:0", "nats://x/y", "a b"] {
            assert_eq!(text.parse::<NatsAddress>(), Err(AddressError::Form), "{text}");
        }
        assert_eq!("nats://me:secret@x".parse::<NatsAddress>(), Err(AddressError::Secret));
    }
}
