//! Certificates: from files, read again when they change, or made here for a local network.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use data_encoding::HEXUPPER;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Names of the files of a self-signed certificate in the data folder.
const CERTIFICATE: &str = "self-signed.pem";
const KEY: &str = "self-signed.key";

/// The certificate that is shown now, and where it comes from.
#[derive(Debug)]
pub(crate) struct Certificates {
    current: RwLock<Arc<ServerConfig>>,
    cert: PathBuf,
    key: PathBuf,
    seen: RwLock<Seen>,
}

/// When the two files were changed last.
type Seen = [Option<SystemTime>; 2];

/// Why there is no certificate. Each says what to do.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that cannot be read or holds nothing of use.
    #[error("{path} has no {what}: {reason}; give PEM files with --tls-cert and --tls-key")]
    File {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// Certificate and key are not a pair, or of a kind that is not supported.
    #[error("{cert} and {key} do not work together: {reason}")]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        reason: String,
    },
    /// A certificate cannot be made or kept.
    #[error("cannot keep a self-signed certificate in {path}: {reason}; name another folder with --data DIR")]
    Make {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Certificates {
    /// Reads certificate and key.
    pub(crate) fn from_files(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let seen = changed(&cert, &key);
        let current = RwLock::new(load(&cert, &key)?);
        Ok(Self { current, cert, key, seen: RwLock::new(seen) })
    }

    /// Reads the self-signed certificate in `data`, or makes it for `names` (names and
    /// addresses of this machine).
    pub(crate) fn self_signed(data: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (cert, key) = (data.join(CERTIFICATE), data.join(KEY));
        if !(cert.exists() && key.exists()) {
            make(&cert, &key, names)
                .map_err(|reason| TlsError::Make { path: data.to_owned(), reason: reason.to_string() })?;
        }
        Self::from_files(cert, key)
    }

    /// For the next connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub(crate) fn fingerprint(&self) -> Result<String, TlsError> {
        let chain = chain(&self.cert)?;
        let hash = chain.first().map(|cert| Sha256::digest(cert.as_ref())).unwrap_or_default();
        Ok(hash.iter().map(|byte| HEXUPPER.encode(&[*byte])).collect::<Vec<_>>().join(":"))
    }

    /// Reads the files again if they have changed. A pair that does not work leaves the old
    /// one in place: it may be half written, and is tried again at the next change.
    pub(crate) fn refresh(&self) {
        let now = changed(&self.cert, &self.key);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        *seen = now;
        match load(&self.cert, &self.key) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                tracing::error!(reason = %error, "the new certificate cannot be used; the old one stays");
            }
        }
    }
}

fn changed(cert: &Path, key: &Path) -> Seen {
    [cert, key].map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}

fn load(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = chain(cert)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsError::File {
        path: key.to_owned(),
        what: "private key",
        reason: error.to_string(),
    })?;
    let pair = |error: rustls::Error| TlsError::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        reason: error.to_string(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason: String| TlsError::File { path: path.to_owned(), what: "certificate", reason };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(chain) if chain.is_empty() => Err(wrong("there is none in it".into())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// ECDSA P-256, which every browser takes.
fn make(cert: &Path, key: &Path, names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let names: Vec<String> = names.iter().map(|name| name.trim_matches(['[', ']']).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Tenfour, self-signed");
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&pair)?;
    private_file(key)?.write_all(pair.serialize_pem().as_bytes())?;
    Ok(fs::write(cert, certificate.pem())?)
}

/// A file for the owner's eyes only, from its first moment.
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Names and addresses under which this machine can be reached through a listener at
/// `address`, as they stand in a URL. The first is the best one to show.
pub(crate) fn names_of(address: IpAddr) -> Vec<String> {
    let loopback = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
    if address.is_loopback() {
        return if address.is_ipv4() { loopback.into() } else { loopback.into_iter().rev().collect() };
    }
    let mut names = Vec::new();
    if address.is_unspecified() {
        let found = if_addrs::get_if_addrs().unwrap_or_default();
        let usable = found
            .iter()
            .map(|interface| interface.ip())
            .filter(|ip| !ip.is_loopback() && !is_link_local(*ip));
        names.extend(usable.map(in_url));
        // Addresses of version 4 are what people can read out.
        names.sort_by_key(|name| name.starts_with('['));
    } else {
        names.push(in_url(address));
    }
    let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    if !host.is_empty() && host != "localhost" {
        names.push(format!("{host}.local"));
        names.push(host);
    }
    if address.is_unspecified() {
        names.extend(loopback);
    }
    names
}

fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
