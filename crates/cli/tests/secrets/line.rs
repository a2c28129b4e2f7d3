//! A connection, plain or over TLS of one version, at either end. What is sealed can be had before it is
//! sent, so that it can be cut or garbled; what went over the wire sealed is remembered, so that it can be
//! looked for.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};

use crate::http::PATIENCE;
use crate::queues::Queues;

/// The largest record with its header.
const RECORD: usize = 5 + 16 * 1024 + 256;
/// Bytes of a record's header.
const HEADER: usize = 5;
/// Type of a record with data in it, or, from version 1.3 on, with anything sealed.
const DATA: u8 = 23;
/// Bytes of a record that are looked for: chance does not find them.
pub(crate) const PIECE: usize = 32;

/// How a server is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Plain,
    Tls12,
    Tls13,
}

/// Where a server is, and how it is talked to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) mode: Mode,
}

/// One end of a connection. Copies are of the same connection.
#[derive(Clone)]
pub(crate) struct Line {
    tcp: Arc<TcpStream>,
    tls: Option<Arc<Mutex<Session>>>,
}

struct Session {
    connection: Connection,
    /// All that was sealed, either way, after the handshake.
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Tls12, Self::Tls13];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }

    pub(crate) fn is_secure(self) -> bool {
        self.version().is_some()
    }

    fn version(self) -> Option<&'static SupportedProtocolVersion> {
        match self {
            Self::Plain => None,
            Self::Tls12 => Some(&TLS12),
            Self::Tls13 => Some(&TLS13),
        }
    }

    /// For somebody who believes any certificate, and tries no session again.
    pub(crate) fn client(self) -> Option<Arc<ClientConfig>> {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&[self.version()?]).expect("the provider has it");
        let believes = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody));
        Some(Arc::new(believes.with_no_client_auth()))
    }

    /// For somebody who shows the certificate that a server made in its folder `data`.
    pub(crate) fn server(self, data: &Path) -> Option<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&[self.version()?]).expect("the provider has it");
        let certificate = CertificateDer::from_pem_file(data.join("self-signed.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(data.join("self-signed.key")).expect("its key");
        let shows = builder.with_no_client_auth().with_single_cert(vec![certificate], key);
        Some(Arc::new(shows.expect("they are a pair")))
    }
}

impl Door {
    /// As a browser writes it.
    pub(crate) fn origin(self) -> String {
        let scheme = if self.mode.is_secure() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The name of the session cookie.
    pub(crate) fn cookie(self) -> &'static str {
        if self.mode.is_secure() { "__Host-tenfour" } else { "tenfour" }
    }

    pub(crate) fn connect(self) -> Line {
        let tcp = TcpStream::connect(self.address).expect("the server listens");
        tcp.set_nodelay(true).expect("an option");
        self.connect_on(tcp)
    }

    /// The same on a socket that is connected.
    pub(crate) fn connect_on(self, tcp: TcpStream) -> Line {
        let connection = self.mode.client().map(|config| {
            let name = ServerName::from(self.address.ip());
            Connection::from(ClientConnection::new(config, name).expect("a client"))
        });
        Line::over(tcp, connection).expect("a handshake")
    }
}

impl Line {
    /// The server's end of a connection: plain without a configuration.
    pub(crate) fn accept(tcp: TcpStream, config: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let connection = config.map(|config| ServerConnection::new(config).expect("a server").into());
        Self::over(tcp, connection)
    }

    fn over(tcp: TcpStream, connection: Option<Connection>) -> io::Result<Self> {
        tcp.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let tls = connection.map(|mut connection| {
            connection.set_buffer_limit(None);
            while connection.is_handshaking() || connection.wants_write() {
                connection.complete_io(&mut &tcp)?;
            }
            let session = Session { connection, sent: Vec::new(), received: Vec::new() };
            io::Result::Ok(Arc::new(Mutex::new(session)))
        });
        Ok(Self { tcp: Arc::new(tcp), tls: tls.transpose()? })
    }

    /// What `plain` is on the wire. It has to be sent, or nothing can be sent after it.
    pub(crate) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let Some(mut session) = self.session() else { return plain.to_vec() };
        session.connection.writer().write_all(plain).expect("it is kept in memory");
        session.take()
    }

    /// Sends bytes as they are.
    pub(crate) fn write_raw(&self, bytes: &[u8]) -> io::Result<()> {
        (&*self.tcp).write_all(bytes)
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Says that records are sealed with new keys from now on, and asks for the same, where TLS has that.
    pub(crate) fn update_keys(&self) {
        let update = self.session().map(|mut session| {
            // Version 1.2 has none.
            session.connection.refresh_traffic_keys().ok();
            session.take()
        });
        self.write_raw(&update.unwrap_or_default()).expect("the server reads");
    }

    /// Waits until the program at the other end, on this machine, has taken all that was sent.
    pub(crate) fn wait_until_read(&self) {
        let here = self.tcp.local_addr().expect("an address").port();
        let there = self.tcp.peer_addr().expect("an address").port();
        while Queues::unread(there, here) > 0 {}
    }

    /// Says that nothing more comes.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let last = self.session().map(|mut session| {
            session.connection.send_close_notify();
            session.take()
        });
        last.map_or(Ok(()), |last| self.write_raw(&last))?;
        self.tcp.shutdown(Shutdown::Write)
    }

    /// A piece out of each record that went either way since the handshake, and is long enough: a sealed
    /// record is as good as what is in it to somebody who has the memory that it lies in.
    pub(crate) fn records(&self) -> Vec<[u8; PIECE]> {
        let Some(session) = self.session() else { return Vec::new() };
        [&session.sent, &session.received].into_iter().flat_map(|bytes| pieces(bytes)).collect()
    }

    fn session(&self) -> Option<MutexGuard<'_, Session>> {
        self.tls.as_ref().map(|session| session.lock().expect("whole"))
    }

    /// Takes what the other side sent, and answers what TLS has to answer.
    fn take_in(&self, mut bytes: &[u8]) -> io::Result<()> {
        let mut session = self.session().expect("it is TLS");
        session.received.extend(bytes);
        while !bytes.is_empty() {
            session.connection.read_tls(&mut bytes)?;
            session.connection.process_new_packets().map_err(io::Error::other)?;
        }
        let answer = session.take();
        drop(session);
        self.write_raw(&answer)
    }
}

impl Session {
    /// What TLS wants to send.
    fn take(&mut self) -> Vec<u8> {
        let mut sealed = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut sealed).expect("there is memory");
        }
        self.sent.extend(&sealed);
        sealed
    }
}

/// Out of the middle of each record of data.
fn pieces(mut bytes: &[u8]) -> Vec<[u8; PIECE]> {
    let mut pieces = Vec::new();
    while let [kind, _, _, high, low, after @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((sealed, after)) = after.split_at_checked(length) else { break };
        if *kind == DATA && length >= 2 * PIECE + HEADER {
            let from = (length - PIECE) / 2;
            pieces.push(sealed[from..from + PIECE].try_into().expect("a piece"));
        }
        bytes = after;
    }
    pieces
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session().map(|mut session| session.connection.reader().read(buffer)) {
                None => return (&*self.tcp).read(buffer),
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Some(read) => return read,
            }
            let mut sealed = [0; RECORD];
            match (&*self.tcp).read(&mut sealed)? {
                // A reader that is asked again tells whether the other side said that this is all.
                0 => self
                    .session()
                    .map_or(Ok(0), |mut session| session.connection.read_tls(&mut io::empty()))?,
                read => self.take_in(&sealed[..read]).map(|()| read)?,
            };
        }
    }
}

impl Write for Line {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.write_raw(&self.seal(plain)).map(|()| plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())).clone()
}

/// Believes every certificate: who the server is, is not what is tried here.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
