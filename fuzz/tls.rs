//! Two ends of a TLS connection, and a network between them that does what the data say: it passes bytes on, cuts
//! and garbles them, and puts in others. Keys are new each time, so a run is told apart from the next by its
//! bytes, but not by what comes of them.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tenfour_tls::{Row, SEALED_MORE, Session};

/// What an end keeps of input that is not whole, at most: the client, which has certificates to read.
const KEPT: usize = 64 * 1024;
/// What waits to be sent, at most, and one flight more.
const PENDING: usize = 80 * 1024;

struct Configs {
    server: Arc<ServerConfig>,
    /// The older version first.
    clients: [Arc<ClientConfig>; 2],
}

/// One certificate for all runs of a process.
fn configs() -> &'static Configs {
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    CONFIGS.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("they are a pair");
        let clients = [&TLS12, &TLS13].map(|version| {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone()).expect("a root");
            let client = ClientConfig::builder_with_provider(provider.clone());
            let client = client.with_protocol_versions(&[version]).expect("the provider has it");
            Arc::new(client.with_root_certificates(roots).with_no_client_auth())
        });
        Configs { server: Arc::new(server), clients }
    })
}

/// One end, and what it has said and heard.
struct End {
    session: Session,
    /// On their way to the other end.
    wire: Vec<u8>,
    said: Vec<u8>,
    heard: Vec<u8>,
    failed: bool,
    closed: bool,
}

impl End {
    fn new(session: Session) -> Self {
        Self { session, wire: Vec::new(), said: Vec::new(), heard: Vec::new(), failed: false, closed: false }
    }

    /// Puts on the wire what TLS has to say.
    fn flush(&mut self) {
        self.wire.extend_from_slice(self.session.pending());
        self.session.sent(self.session.pending().len());
        assert!(!self.session.is_pending());
    }

    /// Says something, when it may; a part of it waits as if the socket were full.
    fn say(&mut self, plain: &[u8], taken: usize) {
        let mut row = Row::new(plain.len() + SEALED_MORE);
        let Some(sealed) = self.session.seal(plain, &mut row) else { return };
        assert!(!self.failed, "nothing is sealed after the end");
        let sealed = row.get(sealed);
        let (now, later) = sealed.split_at(taken.min(sealed.len()));
        self.wire.extend_from_slice(now);
        self.session.keep(later);
        assert!(
            later.is_empty() || self.session.seal(plain, &mut Row::new(1_000)).is_none(),
            "first the rest"
        );
        self.said.extend_from_slice(plain);
    }

    /// Hears what is at the front of `wire`, so many bytes of it at most; what was left for a reader that was full
    /// comes first. A reader that is full takes one record.
    fn hear(&mut self, wire: &mut Vec<u8>, most: usize, full: bool) {
        while self.session.has_more() && !self.failed {
            self.read(&[], full);
            if full {
                return;
            }
        }
        let now: Vec<u8> = wire.drain(..most.min(wire.len())).collect();
        self.read(&now, full);
    }

    fn read(&mut self, bytes: &[u8], full: bool) {
        let mut buffer = [self.session.kept(), bytes].concat();
        let heard = &mut self.heard;
        let read = self.session.read(&mut buffer, |plain| {
            heard.extend_from_slice(plain);
            !full
        });
        self.failed |= read.is_err();
        assert!(
            self.session.kept().len() <= KEPT.max(bytes.len()),
            "{} bytes are kept",
            self.session.kept().len()
        );
        assert!(self.session.pending().len() <= PENDING, "{} bytes wait", self.session.pending().len());
        assert!(!self.failed || self.session.kept().is_empty(), "what was bad is not shown again");
        let mut rest = [0; 100];
        while let taken @ 1.. = self.session.take_plain(&mut rest) {
            self.heard.extend_from_slice(&rest[..taken]);
        }
    }
}

/// Whatever the network does, no end panics or keeps more than it should; and while it does nothing but pass on,
/// each end hears what the other said, and no end fails.
pub(crate) fn tls_session(data: &[u8]) {
    let Some((&first, mut data)) = data.split_first() else { return };
    let configs = configs();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = Session::client(configs.clients[usize::from(first & 1)].clone(), name).expect("a client");
    let mut ends = [End::new(client), End::new(Session::server(configs.server.clone()).expect("a server"))];
    let mut honest = true;
    while let [what, how, after @ ..] = data {
        data = after;
        // Who speaks.
        let from = usize::from(what >> 7);
        let how = usize::from(*how);
        honest &= !matches!(what & 0x7f, 3..=6);
        if !honest && ends.iter().any(|end| end.closed) {
            // In debug builds rustls insists that what comes after its own close_notify is good.
            break;
        }
        let [one, other] = &mut ends;
        let (from, to) = if from == 0 { (one, other) } else { (other, one) };
        match what & 0x7f {
            // Everything arrives.
            0 => pass(from, to, usize::MAX),
            // In pieces.
            1 => {
                from.flush();
                while !from.wire.is_empty() {
                    to.hear(&mut from.wire, how + 1, false);
                }
            }
            // Some of it arrives.
            2 => pass(from, to, how * how),
            // A bit flips.
            3 => {
                from.flush();
                if let Some(byte) = from.wire.get_mut(how * 7) {
                    *byte ^= 1 << (how % 8);
                }
            }
            // Bytes are lost.
            4 => {
                from.flush();
                let lost = how.min(from.wire.len());
                from.wire.drain(..lost);
            }
            // Bytes come twice.
            5 => {
                from.flush();
                let again = from.wire[..how.min(from.wire.len())].to_vec();
                from.wire.splice(..0, again);
            }
            // Other bytes come in between: those that follow.
            6 => {
                let (other, after) = data.split_at(how.min(data.len()));
                data = after;
                to.hear(&mut other.to_vec(), usize::MAX, false);
            }
            7 => from.say(&vec![b'x'; how + 1], usize::MAX),
            // The socket takes a part of it.
            8 => from.say(&vec![b'y'; 64 * how + 1], how),
            // The largest record.
            9 => from.say(&vec![b'z'; 16 * 1024], usize::MAX),
            10 => {
                from.session.close();
                from.closed = true;
            }
            // A reader that is full.
            11 => {
                from.flush();
                to.hear(&mut from.wire, usize::MAX, true);
            }
            _ => {}
        }
    }
    let [client, server] = &mut ends;
    if honest {
        // A round trip for each flight, and what readers left.
        for _ in 0..6 {
            pass(client, server, usize::MAX);
            pass(server, client, usize::MAX);
        }
        assert!(!client.failed && !server.failed);
        for (from, to) in [(&*client, &*server), (&*server, &*client)] {
            assert!(to.heard == from.said, "{} of {}", to.heard.len(), from.said.len());
        }
    }
}

/// So many bytes of what is on the wire arrive, in their order.
fn pass(from: &mut End, to: &mut End, most: usize) {
    from.flush();
    to.hear(&mut from.wire, most, false);
}
