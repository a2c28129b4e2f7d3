//! Writing: straight from the shared logs to each socket that is due.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tenfour_core::voice::{Deck, Item, NAMED, Packet, Turn};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::{Code, ServerMessage};
use tokio::io::AsyncWrite;

use super::Worker;
use super::connection::{Connection, State};
use super::outbox::Chunk;
use super::socket::Stream;
use super::together::{Due, FRAMES};
use crate::orders::{Framed, encode};

/// Messages of bursts in one write, when other things wait too.
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
    /// Writes to [`NAMED`] of those whose turn it is, which takes about a quarter of a millisecond: somebody
    /// who talks now does not wait until a large channel is served.
    pub(super) fn pump(&self, now: Time) {
        self.write_batch(Deck::due, now);
    }

    /// Writes to those in small channels whose turn it is.
    pub(super) fn pump_small(&self, now: Time) {
        while self.write_batch(Deck::due_in_small, now) {}
    }

    /// Writes to a batch of those whom `next` names. Says whether the batch was full.
    fn write_batch(&self, next: fn(&mut Deck<Framed>, Time) -> Option<Turn>, now: Time) -> bool {
        let mut due = Due::new();
        let mut turns = 0;
        while turns < NAMED {
            let turn = next(&mut self.deck.borrow_mut(), now);
            match turn {
                None => break,
                Some(Turn::Large(conn)) => due.push(conn),
                Some(Turn::Small(conn)) => self.write_to(conn, now),
                Some(Turn::Nobody { conn, bytes, messages }) => self.write_to_nobody(conn, bytes, messages),
            }
            turns += 1;
        }
        let full = turns == NAMED;
        self.write_together(&mut due);
        // All are looked up before the first is written to, so that their memory is fetched at once.
        let mut batch = self.batch.take();
        for conn in due {
            match self.find(conn) {
                Some(connection) => batch.push(connection),
                None => self.deck.borrow_mut().remove(conn),
            }
        }
        batch.drain(..).for_each(|connection| self.write(&connection, now));
        self.batch.set(batch);
        // Counted once per batch: all workers share these counters.
        self.shared.metrics.messages_out.inc_by(self.written.take());
        self.shared.metrics.turns_unheard.inc_by(self.unheard.take());
        full
    }

    fn write_to(&self, conn: ConnId, now: Time) {
        match self.find(conn) {
            Some(connection) => self.write(&connection, now),
            None => self.deck.borrow_mut().remove(conn),
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
        if connection.state.get() != State::Over {
            self.write_out(connection, now);
            self.lanes.borrow_mut().note(connection.id, connection.takes_frames());
        }
    }

    fn write_out(&self, connection: &Connection, now: Time) {
        loop {
            match self.write_once(connection) {
                Wrote::Some => connection.blocked.set(connection.blocked.get().map(|_| now)),
                Wrote::All => {
                    connection.sealed_is_gone();
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

    /// One write of what waits.
    fn write_once(&self, connection: &Connection) -> Wrote {
        self.write_frames(connection).unwrap_or_else(|| self.write_all(connection))
    }

    /// One write of frames straight from the log, when nothing else waits: nearly always. None when
    /// something else does.
    fn write_frames(&self, connection: &Connection) -> Option<Wrote> {
        let mut deck = self.deck.borrow_mut();
        if !connection.outbox.borrow().is_empty() || !connection.is_open() {
            return None;
        }
        let frames = deck.frames(connection.id)?;
        let waiting = frames.len();
        let mut slices = [IoSlice::new(&[]); FRAMES];
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(frame.bytes());
        }
        let slices = &slices[..waiting.min(FRAMES)];
        let mut stream = connection.stream.borrow_mut();
        let wrote = match self.put(connection, &mut stream, slices) {
            Ok(wrote) => wrote,
            Err(none) => return Some(none),
        };
        if stream.buffers() {
            connection.note_sealed(
                deck.frames(connection.id).and_then(|mut frames| frames.next()).map(Packet::arrived),
            );
        }
        let all = self.took(&mut deck, connection.id, wrote);
        Some(if all && !stream.buffers() { Wrote::All } else { Wrote::Some })
    }

    /// So many bytes of the frames that wait are written. Says whether those were all.
    pub(super) fn took(&self, deck: &mut Deck<Framed>, conn: ConnId, wrote: usize) -> bool {
        let Some(frames) = deck.frames(conn) else { return false };
        let waiting = frames.len();
        let (whole, rest) = split(frames.map(|frame| frame.bytes().len()), wrote);
        if rest > 0
            && let Some(begun) = deck.frames(conn).and_then(|mut frames| frames.nth(whole))
            && let Some(connection) = self.find(conn)
        {
            connection.outbox.borrow_mut().begin(Chunk::Voice(begun.clone()), rest);
        }
        self.advance(deck, conn, whole + usize::from(rest > 0));
        whole == waiting
    }

    /// One write of everything that waits: the rest of what was begun, control, then voice.
    #[cold]
    fn write_all(&self, connection: &Connection) -> Wrote {
        let mut deck = self.deck.borrow_mut();
        let mut outbox = connection.outbox.borrow_mut();
        let mut stream = connection.stream.borrow_mut();
        let (mut items, mut chunks) = (self.items.borrow_mut(), self.chunks.borrow_mut());
        if connection.is_open() {
            deck.gather(connection.id, ITEMS, &mut items);
        }
        chunks.extend(items.drain(..).map(chunk));
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut filled = 0;
        let mut offered = 0;
        for (slice, bytes) in slices.iter_mut().zip(outbox.slices().chain(chunks.iter().map(Chunk::bytes))) {
            *slice = IoSlice::new(bytes);
            filled += 1;
            offered += bytes.len();
        }
        if offered == 0 {
            return if stream.buffers() {
                flush(&mut stream, &connection.waker.borrow())
            } else {
                Wrote::All
            };
        }
        let oldest = outbox.begun_voice().into_iter().chain(chunks.iter().filter_map(Chunk::voice)).min();
        let wrote = self.put(connection, &mut stream, &slices[..filled]);
        let result = match wrote {
            Ok(wrote) => {
                if stream.buffers() {
                    connection.note_sealed(oldest);
                }
                let rest = outbox.wrote(wrote);
                let (whole, rest) = split(chunks.iter().map(|chunk| chunk.bytes().len()), rest);
                let taken = whole + usize::from(rest > 0);
                if rest > 0 {
                    outbox.begin(chunks.swap_remove(whole), rest);
                }
                if taken > 0 {
                    self.advance(&mut deck, connection.id, taken);
                }
                let all = wrote == offered && filled < SLICES && taken < ITEMS && !stream.buffers();
                if all { Wrote::All } else { Wrote::Some }
            }
            Err(none) => none,
        };
        // Frames are wiped only when all handles are gone.
        chunks.clear();
        result
    }

    /// Offers `pieces` to the socket: how many bytes it has taken, which is not zero.
    fn put(
        &self,
        connection: &Connection,
        stream: &mut Stream,
        pieces: &[IoSlice<'_>],
    ) -> Result<usize, Wrote> {
        match stream.put(pieces, &connection.waker) {
            Poll::Ready(Ok(wrote)) if wrote > 0 => Ok(wrote),
            Poll::Ready(failed) => {
                failed.inspect_err(|error| self.note_end(error)).ok();
                Err(Wrote::Failed)
            }
            Poll::Pending => Err(Wrote::Full),
        }
    }

    fn advance(&self, deck: &mut Deck<Framed>, conn: ConnId, taken: usize) {
        deck.advance(conn, taken);
        self.written.set(self.written.get() + taken as u64);
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

/// So many bytes of pieces of these lengths are written: how many pieces are, and how much of the next.
fn split(lengths: impl Iterator<Item = usize>, wrote: usize) -> (usize, usize) {
    let (mut whole, mut rest) = (0, wrote);
    for length in lengths {
        if length > rest {
            break;
        }
        rest -= length;
        whole += 1;
    }
    (whole, rest)
}

/// Sends what the stream keeps inside.
fn flush(stream: &mut Stream, waker: &Waker) -> Wrote {
    match Pin::new(stream).poll_flush(&mut Context::from_waker(waker)) {
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
