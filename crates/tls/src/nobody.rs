//! A session with nobody at its other end.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, ServerConfig, SignatureScheme};

use crate::{Error, Session};

/// More rounds than any handshake needs: each side speaks twice.
const FLIGHTS: usize = 8;

impl Session {
    /// An open server session whose client existed for the handshake only, so that nobody can decrypt what it
    /// encrypts. It is for work that has to take as long as encrypting for somebody.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn to_nobody(config: Arc<ServerConfig>) -> Result<Self, Error> {
        let mut server = Self::server(config)?;
        let name = ServerName::try_from("nobody.invalid").expect("a name");
        let mut client = Self::client(credulous()?, name)?;
        for _ in 0..FLIGHTS {
            tell(&mut client, &mut server)?;
            tell(&mut server, &mut client)?;
        }
        Ok(server)
    }
}

/// Passes one end's pending bytes to the other.
fn tell(from: &mut Session, to: &mut Session) -> Result<(), Error> {
    let mut words = [to.kept(), from.pending()].concat();
    from.sent(from.pending().len());
    to.read(&mut words, |_| true)
}

/// A client that trusts any certificate, and takes the suite that browsers take.
fn credulous() -> Result<Arc<ClientConfig>, Error> {
    let mut provider = aws_lc_rs::default_provider();
    let browsers = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    provider.cipher_suites.sort_by_key(|suite| *suite != browsers);
    let provider = Arc::new(provider);
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Any certificate will do: the other end is our own.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
