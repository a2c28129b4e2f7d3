//! A radio on three nodes, on one machine: to try what many machines do.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::packages;
use crate::run::build;
use crate::shell::target;

const NATS: (&str, &str) = ("nats-server", "/usr/sbin/nats-server");
const NODES: [&str; 3] = ["alpha", "beta", "gamma"];

/// Starts all, prints where the nodes are, and waits until they end.
pub(crate) fn cluster(flags: &[String]) -> Result<()> {
    packages::install_if_possible(&[NATS])?;
    build()?;
    let folder = tempfile::tempdir()?;
    let secret = folder.path().join("cluster.secret");
    make_secret(&secret)?;
    let nats = Running::start(
        Command::new(NATS.1)
            .args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"])
            .arg(folder.path().join("nats"))
            .stderr(Stdio::piped()),
        "nats-server",
    )?;
    let (nats, address) = nats.says("Listening for client connections on ")?;
    println!("NATS: nats://{address}");
    let mut nodes = vec![nats];
    for name in NODES {
        let node = Command::new(target().join("debug/tenfour"))
            .args(["serve", "--listen", "127.0.0.1:0", "--node", name, "--nats"])
            .arg(format!("nats://{address}"))
            .arg("--cluster-secret")
            .arg(&secret)
            .arg("--data")
            .arg(folder.path().join(name))
            .args(flags)
            .stdout(Stdio::piped())
            .spawn();
        let (node, url) = Running(node.with_context(|| format!("{name} does not start"))?)
            .says("Tenfour is on the air: ")
            .with_context(|| format!("{name} does not come on the air"))?;
        println!("{name}: {url}");
        nodes.push(node);
    }
    println!(
        "A key that registers on one logs in on any; who talks on one is heard on all. Ctrl-C ends them."
    );
    // Ctrl-C reaches all of them, and each stops by itself.
    for mut node in nodes.into_iter().rev() {
        node.0.wait()?;
    }
    Ok(())
}

/// What nodes know and NATS does not, as `openssl rand -hex 32` makes it.
fn make_secret(path: &Path) -> Result<()> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(writeln!(file, "{text}")?)
}

/// A process that is ended with this.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, name: &str) -> Result<Self> {
        let child = command.spawn();
        Ok(Self(child.with_context(|| format!("{name} does not start; it is Debian's package {name}"))?))
    }

    /// Waits for a line that has these words, and gives what follows them.
    fn says(mut self, words: &str) -> Result<(Self, String)> {
        let lines: Box<dyn BufRead + Send> = match (self.0.stdout.take(), self.0.stderr.take()) {
            (Some(out), _) => Box::new(BufReader::new(out)),
            (None, Some(err)) => Box::new(BufReader::new(err)),
            (None, None) => bail!("it has nothing to say"),
        };
        let mut lines = lines.lines();
        for line in lines.by_ref() {
            if let Some((_, rest)) = line?.split_once(words) {
                let rest = rest.trim().to_owned();
                // Its pipe must not be full.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((self, rest));
            }
        }
        bail!("it has ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
