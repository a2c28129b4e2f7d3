//! Writing: straight from the shared logs to each socket that is due.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tenfour_core::voice::Item;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{Code, ServerMessage};
use tokio::io::AsyncWrite;

use super::Worker;
use super::connection::{Connection, State};
use super::outbox::{Chunk, Outbox};
use crate::hub_thread::{Framed, encode};

/// Messages of bursts in one write.
const ITEMS: usize = 32;
/// Pieces in one write: the kernel takes 1,024, but nobody is that far behind for long.
const SLICES: usize = 64;

enum Wrote {
    /// Everything, and nothing is left.
    All,
    /// Something; there is more.
    Some,
    /// The socket is full and wakes the connection's task.
    Full,
    Failed,
}

impl Worker {
    /// Writes to everybody who is due.
    pub(super) fn pump(&self, now: Time) {
        loop {
            let due = self.deck.borrow_mut().due();
            let Some(conn) = due else { return };
            match self.find(conn) {
                Some(connection) => self.write(&connection, now),
                None => self.deck.borrow_mut().remove(conn),
            }
        }
    }

    /// Queues a control message and writes what the socket takes.
    pub(super) fn send(&self, conn: ConnId, message: Framed, now: Time) {
        if let Some(connection) = self.find(conn) {
            self.send_to(&connection, message, now);
        }
    }

    /// The same for a connection at hand.
    pub(super) fn send_to(&self, connection: &Connection, message: Framed, now: Time) {
        if !connection.is_open() {
            return;
        }
        let pushed = connection.outbox.borrow_mut().push(message);
        match pushed {
            Ok(()) if connection.blocked.get().is_some() => {}
            Ok(()) => self.write(connection, now),
            Err(_) => self.close(connection, Code::Stalled, now),
        }
    }

    /// Writes until nothing is left or the socket is full.
    pub(super) fn write(&self, connection: &Connection, now: Time) {
        if connection.state.get() == State::Over {
            return;
        }
        loop {
            match self.write_once(connection) {
                Wrote::Some => connection.blocked.set(connection.blocked.get().map(|_| now)),
                Wrote::All => {
                    if connection.blocked.take().is_some() {
                        self.blocked.borrow_mut().remove(&connection.id);
                    }
                    if connection.state.get() == State::Answering {
                        connection.end();
                    }
                    return;
                }
                Wrote::Full => {
                    if connection.blocked.get().is_none() {
                        connection.blocked.set(Some(now));
                        self.blocked.borrow_mut().insert(connection.id);
                    }
                    return;
                }
                Wrote::Failed => return connection.end(),
            }
        }
    }

    /// One write of everything that waits: the rest of what was begun, control, then voice.
    fn write_once(&self, connection: &Connection) -> Wrote {
        let mut deck = self.deck.borrow_mut();
        let mut outbox = connection.outbox.borrow_mut();
        let mut stream = connection.stream.borrow_mut();
        let (mut items, mut chunks) = (self.items.borrow_mut(), self.chunks.borrow_mut());
        if connection.is_open() {
            deck.gather(connection.id, ITEMS, &mut items);
        }
        chunks.clear();
        chunks.extend(items.drain(..).map(chunk));
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut filled = 0;
        let mut offered = 0;
        for (slice, bytes) in slices.iter_mut().zip(outbox.slices().chain(chunks.iter().map(Chunk::bytes))) {
            *slice = IoSlice::new(bytes);
            filled += 1;
            offered += bytes.len();
        }
        let waker = connection.waker();
        let mut context = Context::from_waker(&waker);
        let wrote = if offered > 0 {
            put(Pin::new(&mut *stream), &mut context, &slices[..filled])
        } else if stream.buffers() {
            return flush(Pin::new(&mut *stream), &mut context);
        } else {
            return Wrote::All;
        };
        match wrote {
            Poll::Ready(Ok(wrote)) if wrote > 0 => {
                let taken = settle(&mut outbox, &mut chunks, wrote);
                if taken > 0 {
                    deck.advance(connection.id, taken);
                    self.shared.metrics.messages_out.inc_by(taken as u64);
                }
                let all = wrote == offered && filled < SLICES && taken < ITEMS && !stream.buffers();
                if all { Wrote::All } else { Wrote::Some }
            }
            Poll::Ready(failed) => {
                chunks.clear();
                failed.inspect_err(|error| self.note_end(error)).ok();
                Wrote::Failed
            }
            Poll::Pending => {
                // Handles keep voice from being wiped.
                chunks.clear();
                Wrote::Full
            }
        }
    }
}

/// Writes once. One piece, by far the most frequent, goes by a plain write: the kernel spends less
/// on it than on a list of one.
fn put(
    stream: Pin<&mut impl AsyncWrite>,
    context: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<std::io::Result<usize>> {
    match slices {
        [one] => stream.poll_write(context, one),
        several => stream.poll_write_vectored(context, several),
    }
}

impl Worker {
    /// The socket failed. When what was sent was not taken in time, and the kernel has let go of it, that
    /// is a reset like our own.
    pub(super) fn note_end(&self, error: &Error) {
        if error.kind() == ErrorKind::TimedOut {
            self.shared.metrics.resets.inc();
        }
    }
}

/// So many bytes are written: settles with the outbox, then with the chunks. Returns how many
/// chunks are begun.
fn settle(outbox: &mut Outbox, chunks: &mut Vec<Chunk>, wrote: usize) -> usize {
    let mut rest = outbox.wrote(wrote);
    let mut taken = 0;
    for chunk in chunks.drain(..) {
        if rest == 0 {
            break;
        }
        taken += 1;
        let bytes = chunk.bytes().len();
        if bytes > rest {
            outbox.begin(chunk, rest);
            break;
        }
        rest -= bytes;
    }
    taken
}

/// Sends what the stream keeps inside.
fn flush(stream: Pin<&mut impl AsyncWrite>, context: &mut Context<'_>) -> Wrote {
    match stream.poll_flush(context) {
        Poll::Pending => Wrote::Full,
        Poll::Ready(Ok(())) => Wrote::All,
        Poll::Ready(Err(_)) => Wrote::Failed,
    }
}

fn chunk(item: Item<Framed>) -> Chunk {
    match item {
        Item::Voice(packet) => Chunk::Voice(packet),
        Item::Started(message) | Item::Ended(message) => Chunk::Control(message),
        Item::Gap { burst, from, to } => Chunk::Control(encode(&ServerMessage::BurstGap { burst, from, to })),
    }
}
