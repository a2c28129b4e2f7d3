//! Work for nobody. In a small channel, somebody who does not hear a burst costs a worker as much as somebody who
//! does; otherwise the time at which others are served would tell who hears it (docs/adr/0021).

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::ServerConfig;
use socket2::SockRef;
use tenfour_core::ConnId;
use tenfour_tls::{Row, SEALED_MORE, Session};

use super::{Worker, place_of};

/// What is sent, instead of voice.
static NOTHING: [u8; 4096] = [0; 4096];
/// About as long as an announcement is.
const MESSAGE_BYTES: usize = 256;
/// So many are sent before the far end throws them away: long before it is full.
const MAX_UNREAD_WRITES: u32 = 32;
/// Other programs may connect to the listener first; they are dropped.
const MAX_STRANGERS: usize = 16;

/// Connections of a worker to itself. Several, so that each lies in memory that is as cold as a listener's.
const SOCKETS: usize = 8;
/// Files of a worker's own that those are.
pub(crate) const FILES: usize = 2 * SOCKETS;

/// Connections of this process to itself, some for each worker. Opened before the process gives up the right to open
/// connections.
#[derive(Default)]
pub struct Sinks(Vec<Vec<Socket>>);

impl Sinks {
    /// Opens them, or none on a system without loopback.
    pub fn open(workers: usize) -> Self {
        let open = |_| (0..SOCKETS).map(|_| Socket::open()).collect::<io::Result<_>>().ok();
        Self((0..workers).map_while(open).collect())
    }

    /// Whether a worker has none.
    pub(crate) fn are_fewer_than(&self, workers: usize) -> bool {
        self.0.len() < workers
    }

    /// Those of a worker that starts.
    pub(crate) fn take(&mut self) -> Sink {
        Sink(self.0.pop().unwrap_or_default())
    }
}

/// Where a worker sends what nobody gets.
pub(crate) struct Sink(Vec<Socket>);

/// Both ends. No thread waits at the far one, as none of this machine does for a client.
struct Socket {
    near: TcpStream,
    far: TcpStream,
    sent: Cell<u32>,
    /// Under TLS everybody's words are sealed first.
    sealing: Option<RefCell<(Session, Row)>>,
}

impl Sink {
    /// The same on a server that is reached by TLS.
    pub(super) fn under(mut self, tls: Option<&Arc<ServerConfig>>) -> Self {
        for socket in &mut self.0 {
            let session = tls.and_then(|config| {
                let opened = Session::to_nobody(config.clone());
                opened
                    .inspect_err(|error| tracing::warn!(reason = %error, "nothing is sealed for nobody"))
                    .ok()
            });
            let row = || Row::new(NOTHING.len() + SEALED_MORE);
            socket.sealing = session.map(|session| RefCell::new((session, row())));
        }
        self
    }
}

impl Worker {
    /// Does for nobody what would be done for `conn`, up to the socket.
    pub(super) fn write_to_nobody(&self, conn: Option<ConnId>, bytes: usize, messages: usize) {
        self.unheard.set(self.unheard.get() + 1);
        let connection = conn.and_then(|conn| self.find(conn));
        if let Some(connection) = connection {
            self.lanes.borrow_mut().note(connection.id, connection.takes_frames());
        }
        let sockets = &self.sink.0;
        let place = conn.map_or(0, place_of) % sockets.len().max(1);
        sockets.get(place).into_iter().for_each(|socket| socket.send(bytes, messages));
    }
}

impl Socket {
    fn open() -> io::Result<Self> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let near = TcpStream::connect(door.local_addr()?)?;
        let ours = near.local_addr()?;
        for _ in 0..MAX_STRANGERS {
            let (far, from) = door.accept()?;
            if from == ours {
                near.set_nodelay(true)?;
                near.set_nonblocking(true)?;
                far.set_nonblocking(true)?;
                return Ok(Self { near, far, sent: Cell::new(0), sealing: None });
            }
        }
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    /// Sends as much as somebody would have got, in one piece.
    fn send(&self, bytes: usize, messages: usize) {
        let bytes = (bytes + messages * MESSAGE_BYTES).min(NOTHING.len());
        let socket = SockRef::from(&self.near);
        // What does not fit is dropped: nobody misses it.
        match &self.sealing {
            None => socket.send(&NOTHING[..bytes]).ok(),
            Some(sealing) => {
                let (session, row) = &mut *sealing.borrow_mut();
                let record = session.seal(&NOTHING[..bytes], row);
                let sent = record.and_then(|record| socket.send(row.get(record)).ok());
                row.wipe();
                sent
            }
        };
        let sent = self.sent.get() + 1;
        self.sent.set(sent % MAX_UNREAD_WRITES);
        if sent == MAX_UNREAD_WRITES {
            self.throw_away();
        }
    }

    fn throw_away(&self) {
        let mut scratch = [0; NOTHING.len()];
        while (&self.far).read(&mut scratch).is_ok_and(|bytes| bytes > 0) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_to_nobody_is_taken_for_ever() {
        let sink = Socket::open().expect("loopback");
        for _ in 0..100 {
            for _ in 0..MAX_UNREAD_WRITES {
                sink.send(NOTHING.len(), 1);
            }
            SockRef::from(&sink.near).send(&NOTHING).expect("there is room again");
        }
        sink.throw_away();
        let left = sink.far.peek(&mut [0]);
        assert_eq!(left.unwrap_err().kind(), io::ErrorKind::WouldBlock, "nothing is left there");
    }

    #[test]
    fn there_are_as_many_as_workers() {
        let mut sinks = Sinks::open(2);
        assert!(!sinks.are_fewer_than(2) && sinks.are_fewer_than(3));
        assert_eq!([(); 3].map(|()| sinks.take().0.len()), [SOCKETS, SOCKETS, 0]);
    }
}
