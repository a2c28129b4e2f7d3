//! A node in a process of its own, which can be killed and stopped as a machine can.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tenfour_server::Server;
use tenfour_server::config::{Config, Settings};

use crate::desk::Key;
use crate::http::request;
use crate::nats::NatsServer;

/// What the process is told by.
const NATS: &str = "NODE_NATS";
const NAME: &str = "NODE_NAME";
const DATA: &str = "NODE_DATA";

pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    ops: SocketAddr,
    _folder: TempDir,
}

impl Process {
    /// This program once more, as a node.
    pub(crate) fn start(nats: &NatsServer, name: &str) -> Self {
        Self::at(&format!("nats://127.0.0.1:{}", nats.port), name, &[])
    }

    /// The same with the address of NATS, and variables.
    pub(crate) fn at(address: &str, name: &str, variables: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::node", "--ignored", "--nocapture"])
            .env(NATS, address)
            .envs(variables.iter().copied())
            .env(NAME, name)
            .env(DATA, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut says = |words: &str| {
            let said = lines.find_map(|line| line.split_once(words).map(|(_, rest)| rest.to_owned()));
            said.expect("it comes on the air")
        };
        let (url, ops) = (says("on the air: "), says("for the operator: http://").parse().unwrap());
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, ops, _folder: folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.url.split_once("://").unwrap().1.parse().unwrap()
    }

    /// Registers somebody, and returns the token.
    pub(crate) fn register(&self, n: u32) -> String {
        let mut seed = [9; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        let post = |path: &str, body: &Value| {
            let reply = request(self.address(), "POST", path, &[], body.to_string().as_bytes());
            assert!(reply.status < 300, "{}", reply.json());
            reply.json()
        };
        let nonce = post("/api/v1/nonce", &json!({}));
        let proof = Key::of_bytes(seed).prove(&nonce, &self.url, "bearer");
        let me = post("/api/v1/register", &json!({ "handle": format!("Person {n}"), "proof": proof }));
        me["token"].as_str().unwrap().to_owned()
    }

    /// Stops it as a machine that freezes, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(&mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// A figure of the operator's page.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        crate::voice::figure_in(&crate::voice::metrics(self.ops), name)
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed by the test.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// For [`Process`]: a node until its input ends.
#[test]
#[ignore = "serves until its input ends"]
fn node() {
    let variable = |name: &str| std::env::var(name).expect("called by another test");
    // The same for all of them, in a file of each.
    let secret = PathBuf::from(variable(DATA)).join("cluster.secret");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&secret);
    writeln!(file.unwrap(), "8d0f4c3e2b1a69788796a5b4c3d2e1f0").unwrap();
    let settings = Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        ops: Some("127.0.0.1:0".parse().unwrap()),
        data: Some(PathBuf::from(variable(DATA))),
        nats: Some(vec![variable(NATS).parse().unwrap()]),
        cluster_secret_file: Some(secret),
        node: Some(variable(NAME)),
        ..Settings::default()
    };
    let server = Server::start(Config::new(settings).unwrap()).unwrap();
    println!("on the air: {}", server.url());
    println!("for the operator: {}", server.ops_url().unwrap());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    server.stop();
}
