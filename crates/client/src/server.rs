//! Where a server is, and a connection to it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;

use crate::stream::Stream;
use crate::{Error, trust};

/// Time for TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server: its origin, and how its certificate is checked. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    origin: Arc<str>,
    host: Arc<str>,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    /// Longest wait for an answer, including the connection. For a long answer, the longest wait for its next piece.
    pub(crate) timeout: Duration,
}

/// How long a server may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Server {
    /// The server at `url` (`http://` or `https://`, host, port if unusual). Its certificate is
    /// checked against the system's authorities, or, with `fingerprint`, is the one with this
    /// SHA-256 (hexadecimal, colons allowed).
    pub fn new(url: &str, fingerprint: Option<&str>) -> Result<Self, Error> {
        let no_address = || Error::Address(url.into());
        let uri: hyper::Uri = url.parse().map_err(|_| no_address())?;
        let authority = uri.authority().ok_or_else(no_address)?;
        let usual = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(no_address()),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(no_address());
        }
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(usual);
        if host.is_empty() || (authority.as_str().ends_with(':')) {
            return Err(no_address());
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        let origin =
            if port == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") };
        let tls = if scheme == "https" { Some(trust::tls(fingerprint)?) } else { None };
        Ok(Self { origin: origin.into(), host: host.into(), port, tls, timeout: ANSWER_TIMEOUT })
    }

    /// The origin as a browser writes it: it is signed at log-in.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Host, and port if unusual, as in the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        self.origin.split_once("://").expect("an origin has a scheme").1
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Stream, Error> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.dial()).await {
            Ok(dialed) => dialed.map_err(|error| self.no_link(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// The error if nothing came for as long as the client waits.
    pub(crate) fn silent(&self) -> Error {
        Error::NoLink { server: self.origin.to_string(), why: "it does not answer".into() }
    }

    async fn dial(&self) -> io::Result<Stream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((host, self.port)).await?;
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(tenfour_tls::connect(tcp, Arc::clone(tls), name).await?)))
    }

    /// The words for a connection that could not be made.
    pub(crate) fn no_link(&self, error: &io::Error) -> Error {
        let server = self.origin.to_string();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(why)) => Error::NotTrusted { server, why: distrust(why) },
            _ => Error::NoLink { server, why: plain(error) },
        }
    }
}

/// Why a certificate is not trusted, in words for people.
fn distrust(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "nobody this computer knows vouches for its certificate".into(),
        CertificateError::ApplicationVerificationFailure => "its certificate has another fingerprint".into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this computer is wrong".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or the clock of this computer is wrong".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        // The library has no variant for it.
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is one of an authority, as those that people make for themselves often are"
                .into()
        }
        other => format!("its certificate cannot be checked: {other}"),
    }
}

/// The system's words without its numbers.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody answers there".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => "the connection was cut".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::UnixTime;

    use super::*;

    #[test]
    fn the_origin_is_written_as_a_browser_writes_it() {
        for (url, origin) in [
            ("http://127.0.0.1:27185", "http://127.0.0.1:27185"),
            ("http://Radio.Example:80/", "http://radio.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Server::new(url, None).map(|s| s.origin().to_owned()).ok().as_deref(), Some(origin));
        }
    }

    /// Why a certificate for `name`, which this computer knows, is not believed at `time`.
    fn refusal(change: impl FnOnce(&mut rcgen::CertificateParams), time: UnixTime) -> String {
        let mut params = rcgen::CertificateParams::new(vec!["radio.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2027, 1, 1));
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from("radio.example").unwrap();
        match verifier.verify_server_cert(certificate.der(), &[], &name, &[], time).unwrap_err() {
            rustls::Error::InvalidCertificate(why) => distrust(&why),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_certificate_is_refused_in_words_for_people() {
        let at = |year: u64| {
            UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600 + 86_400 * 40))
        };
        let authority = |params: &mut rcgen::CertificateParams| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        };
        let elsewhere = |params: &mut rcgen::CertificateParams| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("other.example".try_into().unwrap())];
        };
        assert!(refusal(authority, at(2026)).contains("one of an authority"));
        assert!(refusal(elsewhere, at(2026)).contains("for another name"));
        assert!(refusal(|_| {}, at(2030)).contains("has expired"));
        assert!(refusal(|_| {}, at(2020)).contains("not valid yet"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "radio.example",
            "127.0.0.1:27185",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://u:p@a",
            "http://a?b",
        ] {
            assert!(matches!(Server::new(url, None), Err(Error::Address(_))), "{url}");
        }
    }
}
