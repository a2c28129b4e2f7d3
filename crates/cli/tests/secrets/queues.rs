//! What the kernel keeps of a server's answers.

use std::process::{Command, Stdio};

/// The send queues of the sockets of one port.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Queues {
    /// Sockets that have something.
    pub(crate) sockets: usize,
    /// Bytes that the other side has not taken.
    pub(crate) bytes: u64,
    /// Memory that the kernel has for them.
    pub(crate) memory: u64,
}

impl Queues {
    /// Those of the sockets with this port on their side, in whatever state.
    pub(crate) fn of_port(port: u16) -> Self {
        let mut ss = Command::new("ss");
        ss.args(["-tanmHO", &format!("sport = :{port}")]).stdin(Stdio::null());
        let output = ss.output().expect("ss, of iproute2, is needed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::read(&String::from_utf8(output.stdout).expect("text"))
    }

    /// Bytes that the program at port `from` has not read of what the one at port `to` sent it.
    pub(crate) fn unread(from: u16, to: u16) -> usize {
        let mut ss = Command::new("ss");
        ss.args(["-tanHO", &format!("sport = :{from} and dport = :{to}")]).stdin(Stdio::null());
        let output = ss.output().expect("ss, of iproute2, is needed");
        let line = String::from_utf8(output.stdout).expect("text");
        line.split_whitespace().nth(1).and_then(|queue| queue.parse().ok()).expect("a connection")
    }

    fn read(lines: &str) -> Self {
        let mut queues = Self::default();
        for line in lines.lines().filter(|line| !line.starts_with("LISTEN")) {
            let bytes: u64 =
                line.split_whitespace().nth(2).and_then(|queue| queue.parse().ok()).expect("a queue");
            let memory = line.split_once("skmem:(").map_or("", |(_, memory)| memory);
            let written =
                memory.split([',', ')']).find_map(|field| field.strip_prefix('w')?.parse::<u64>().ok());
            let memory = written.unwrap_or_default();
            queues.sockets += usize::from(bytes + memory > 0);
            queues.bytes += bytes;
            queues.memory += memory;
        }
        queues
    }
}

#[test]
fn queues_are_read() {
    let lines = "LISTEN 0 4096 127.0.0.1:1 0.0.0.0:* skmem:(r0,rb1,t0,tb2,f0,w0,o0,bl0,d0)\n\
        ESTAB 0 700 127.0.0.1:1 127.0.0.1:2 skmem:(r0,rb131072,t0,tb65536,f1280,w2816,o0,bl0,d0)\n\
        ESTAB 3 0 127.0.0.1:1 127.0.0.1:3 skmem:(r3,rb131072,t0,tb65536,f0,w0,o0,bl0,d0)\n";
    assert_eq!(Queues::read(lines), Queues { sockets: 1, bytes: 700, memory: 2816 });
}
