//! A network that leads nowhere, and counts what would have left.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Namespaces that last as long as this does.
pub(crate) struct Closed {
    holder: Child,
    input: Option<ChildStdin>,
}

impl Closed {
    /// Needs root, or a system that lets anybody have namespaces.
    pub(crate) fn new() -> Self {
        let mut unshare = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--net", "--mount", "sh"]);
        unshare.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/closed_network/closed.sh"));
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = unshare.spawn().expect("unshare (util-linux) starts");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(line, "closed\n", "namespaces need root and iproute2");
        Self { input: holder.stdin.take(), holder }
    }

    /// A command that is to run inside.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.holder.id().to_string());
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--net", "--mount", program]);
        command
    }

    /// How many packets would have left so far.
    pub(crate) fn left(&self) -> u64 {
        let shown = self.command("cat").arg("/proc/net/dev").output().expect("it runs").stdout;
        let shown = String::from_utf8(shown).expect("text");
        let line = shown.lines().find_map(|line| line.trim_start().strip_prefix("watched:"));
        let mut figures = line.expect("the interface").split_whitespace();
        figures.nth(9).and_then(|packets| packets.parse().ok()).expect("the tenth figure: packets sent")
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        // Its input ends, and with it the script.
        if let Some(mut input) = self.input.take() {
            input.flush().ok();
        }
        self.holder.wait().ok();
    }
}
