//! The real nats-server, started by a test on a port of its own, and gone with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tenfour_server::nats::Nats;

/// Where Debian's package puts it.
const PROGRAM: &str = "/usr/sbin/nats-server";

/// A server of NATS that runs.
pub(crate) struct NatsServer {
    child: Child,
    pub(crate) port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

impl NatsServer {
    /// With JetStream.
    pub(crate) fn start() -> Self {
        Self::with(&["-js"])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let (child, port) = run(folder.path(), &arguments, "-1");
        Self { child, port, folder, arguments }
    }

    /// With JetStream, and TLS, which it demands of everybody. Also the file of the certificate that
    /// vouches for it.
    pub(crate) fn secure() -> (Self, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut ours = CertificateParams::new(Vec::new()).unwrap();
        ours.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ours = CertifiedIssuer::self_signed(ours, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let its = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ours).unwrap();
        std::fs::write(path("authority.pem"), ours.pem()).unwrap();
        std::fs::write(path("server.pem"), its.pem()).unwrap();
        std::fs::write(path("server.key"), key.serialize_pem()).unwrap();
        let files = (path("server.pem"), path("server.key"));
        let conf = format!("tls {{ cert_file: {:?}, key_file: {:?} }}\n", files.0, files.1);
        std::fs::write(path("tls.conf"), conf).unwrap();
        let arguments = ["-js".into(), "-c".into(), path("tls.conf").to_str().unwrap().to_owned()];
        let (child, port) = run(folder.path(), &arguments, "-1");
        let authority = path("authority.pem");
        (Self { child, port, folder, arguments: arguments.into() }, authority)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, with what it had on its disk.
    pub(crate) fn restart(&mut self) {
        let (child, _) = run(self.folder.path(), &self.arguments, &self.port.to_string());
        self.child = child;
    }

    /// Where JetStream keeps what it has.
    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// How a node is told about it.
    pub(crate) fn nats(&self, node: &str) -> Nats {
        Nats {
            servers: vec![format!("nats://127.0.0.1:{}", self.port).parse().unwrap()],
            creds: None,
            secret: None,
            prefix: "tenfour".into(),
            node: node.into(),
            store: true,
        }
    }
}

/// Starts the program and reads in its log where it listens.
fn run(folder: &Path, arguments: &[String], port: &str) -> (Child, u16) {
    let mut child = Command::new(PROGRAM)
        .args(["-a", "127.0.0.1", "-p", port, "-sd"])
        .arg(folder)
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Debian package nats-server is installed (cargo xtask test does it)");
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut port = None;
    for line in log.by_ref() {
        let line = line.unwrap();
        if let Some((_, address)) = line.split_once("Listening for client connections on ") {
            port = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        }
        if line.contains("Server is ready") {
            break;
        }
        assert!(!line.contains("[FTL]"), "{line}");
    }
    // Its pipe must not be full.
    std::thread::spawn(move || log.for_each(drop));
    (child, port.expect("it says where it listens"))
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // It may have been killed by the test.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
