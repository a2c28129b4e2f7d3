//! Work for nobody: whoever is tuned to a small channel and does not hear a burst costs a worker as much as
//! whoever hears it (docs/adr/0021), or the time at which others are served would tell which of them it is.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use socket2::SockRef;

/// What is sent, instead of voice.
static NOTHING: [u8; 4096] = [0; 4096];
/// About as long as an announcement is.
const MESSAGE_BYTES: usize = 256;
/// Whoever else finds the way in goes first, and out again.
const STRANGERS: usize = 16;

/// Connections of this process to itself, one for each worker. To be opened before the process takes the
/// right to call anybody away from itself.
#[derive(Debug, Default)]
pub struct Sinks(Vec<Pair>);

/// The end that a worker sends to, and the one where it is thrown away.
#[derive(Debug)]
struct Pair(TcpStream, TcpStream);

impl Sinks {
    /// Opens them. A system without loopback has none, and is told: then nobody is sent nothing.
    pub fn open(workers: usize) -> Self {
        let pairs: io::Result<Vec<_>> = (0..workers).map(|_| Pair::open()).collect();
        let opened =
            pairs.inspect_err(|error| tracing::warn!(%error, "no loopback: moments may tell who hears"));
        Self(opened.unwrap_or_default())
    }

    /// One for a worker that is about to start.
    pub(crate) fn take(&mut self) -> Option<Sink> {
        self.0.pop().and_then(|pair| pair.start().ok())
    }
}

impl Pair {
    fn open() -> io::Result<Self> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let near = TcpStream::connect(door.local_addr()?)?;
        let ours = near.local_addr()?;
        for _ in 0..STRANGERS {
            let (far, from) = door.accept()?;
            if from == ours {
                return Ok(Self(near, far));
            }
        }
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    /// A thread waits at the far end, as a client does: to wake it is a part of the work.
    fn start(self) -> io::Result<Sink> {
        let Self(near, mut far) = self;
        near.set_nodelay(true)?;
        near.set_nonblocking(true)?;
        std::thread::Builder::new().name("tenfour-sink".into()).spawn(move || {
            yield_to_others();
            let mut scratch = [0; 4096];
            while far.read(&mut scratch).is_ok_and(|bytes| bytes > 0) {}
        })?;
        Ok(Sink(near))
    }
}

/// Where a worker sends what nobody gets.
#[derive(Debug)]
pub(crate) struct Sink(TcpStream);

impl Sink {
    /// Sends as much as somebody would have got, in one piece. What does not fit is left.
    pub(super) fn send(&self, bytes: usize, messages: usize) {
        let bytes = (bytes + messages * MESSAGE_BYTES).min(NOTHING.len());
        SockRef::from(&self.0).send(&NOTHING[..bytes]).ok();
    }
}

/// The far end never keeps a worker from its core.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_to_nobody_is_taken_for_ever() {
        let sink = Sinks::open(1).take().expect("loopback");
        for round in 0..1000 {
            let sent = SockRef::from(&sink.0).send(&NOTHING);
            assert!(sent.is_ok() || round > 10, "{sent:?}");
            sink.send(100, 1);
            std::thread::yield_now();
        }
        // The far end is behind at most for a moment.
        sink.0.set_nonblocking(false).unwrap();
        SockRef::from(&sink.0).send(&NOTHING).unwrap();
    }

    #[test]
    fn there_are_as_many_as_workers() {
        let mut sinks = Sinks::open(2);
        assert!(sinks.take().is_some() && sinks.take().is_some() && sinks.take().is_none());
    }
}
