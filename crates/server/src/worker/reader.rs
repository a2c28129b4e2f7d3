//! The task that reads a radio socket.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tenfour_core::{Reading, Time};
use tenfour_protocol::Code;
use tenfour_protocol::limits::{READ_BYTES, READ_DENSE_BYTES, READ_TURN};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::{Zeroize, Zeroizing};

use super::Worker;
use super::connection::{Connection, State};
use super::unfinished::Unfinished;
use crate::websocket::{self, Decoder};

/// Cleans up when the task ends, also by a panic: no burst stays on the air, no place is kept.
struct Parting<'a>(&'a Worker, &'a Connection);

impl Drop for Parting<'_> {
    fn drop(&mut self) {
        self.0.part(self.1);
    }
}

/// What the task of a connection keeps between two reads.
struct Reader {
    decoder: Decoder,
    unfinished: Unfinished,
    reading: Reading,
    /// Records of TLS that were paid for.
    records: u64,
    /// What was read last cost more than a turn: many small messages.
    dense: bool,
}

impl Worker {
    /// Reads the socket until it is over. `early` came together with the upgrade.
    pub(super) async fn attend(self: Rc<Self>, connection: Rc<Connection>, mut early: Zeroizing<Vec<u8>>) {
        let now = self.clock.now();
        let mut reader = Reader {
            decoder: Decoder::default(),
            unfinished: Unfinished::default(),
            reading: Reading::new(now),
            records: 0,
            dense: false,
        };
        let _parting = Parting(&self, &connection);
        self.hear(&connection, &mut reader, &mut early, now);
        drop(early);
        poll_fn(|context| self.poll(&connection, &mut reader, context)).await;
        // The rest of an unfinished message will never come.
        drop(reader);
        // One try to say good-bye under TLS; the kernel sends the rest.
        poll_fn(|context| {
            let mut stream = connection.stream.borrow_mut();
            Poll::Ready(Pin::new(&mut *stream).poll_shutdown(context).is_ready())
        })
        .await;
    }

    fn poll(&self, connection: &Connection, reader: &mut Reader, context: &mut Context<'_>) -> Poll<()> {
        connection.keep_waker(context.waker());
        if connection.blocked.get().is_some() {
            self.write(connection, self.clock.now());
        }
        let read = self.read(connection, reader, context);
        self.answer_ping(connection);
        let since = {
            let mut stream = connection.stream.borrow_mut();
            let session = stream.session().map(|session| &*session);
            reader.unfinished.note(&mut reader.decoder, session, self.clock.now())
        };
        self.note_unfinished(connection, since);
        // An answer of TLS itself that the socket did not take.
        if connection.blocked.get().is_none() && connection.stream.borrow().buffers() {
            self.write(connection, self.clock.now());
        }
        self.pump_small(self.clock.now());
        if self.deck.borrow().has_due() || self.next_alarm() < self.alarm.get() {
            self.earlier.notify_one();
        }
        if connection.state.get() == State::Over { Poll::Ready(()) } else { read }
    }

    /// Reads for one turn, or until nothing is there or may be read.
    fn read(&self, connection: &Connection, reader: &mut Reader, context: &mut Context<'_>) -> Poll<()> {
        let mut turn = 0;
        while turn < READ_TURN {
            if connection.state.get() == State::Over {
                return Poll::Ready(());
            }
            if self.rests(connection, &mut reader.reading, context) {
                return Poll::Pending;
            }
            let mut scratch = self.scratch.borrow_mut();
            let room = if reader.dense { READ_DENSE_BYTES } else { READ_BYTES };
            let mut buffer = ReadBuf::new(&mut scratch[..room]);
            let read = Pin::new(&mut *connection.stream.borrow_mut()).poll_read(context, &mut buffer);
            let bytes = buffer.filled().len();
            let Poll::Ready(read) = read else {
                reader.reading.caught_up();
                return Poll::Pending;
            };
            // Under TLS a good record may come together with one that ends the connection.
            let price = self.hear(connection, reader, &mut scratch[..bytes], self.clock.now());
            (turn, reader.dense) = (turn + price, price * (READ_BYTES / room) as u32 > READ_TURN);
            scratch[..bytes].zeroize();
            if read.inspect_err(|error| self.note_end(error)).is_err() || bytes == 0 {
                return Poll::Ready(());
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the socket is not read now, because it has sent more than its budget or its share of the hub's
    /// queue is used. Whoever sends more without end is closed.
    fn rests(&self, connection: &Connection, reading: &mut Reading, context: &Context<'_>) -> bool {
        if connection.paused.get().is_some() || connection.share.poll_room(context).is_pending() {
            return true;
        }
        if !reading.owes() {
            return false;
        }
        let now = self.clock.now();
        let until = now + reading.pause(now);
        if reading.is_flood(now) {
            self.close(connection, Code::TooManyMessages, now);
        }
        connection.paused.set(Some(until));
        self.paused.borrow_mut().insert((until, connection.id));
        true
    }

    /// Answers the newest ping, once a turn and when the socket takes something.
    fn answer_ping(&self, connection: &Connection) {
        if connection.blocked.get().is_none()
            && let Some(pong) = connection.pong.take()
        {
            self.send_to(connection, pong, self.clock.now());
        }
    }

    /// Handles the client's bytes, and returns what they cost of its budget.
    fn hear(&self, connection: &Connection, reader: &mut Reader, bytes: &mut [u8], now: Time) -> u32 {
        if matches!(connection.state.get(), State::Over | State::Answering) || bytes.is_empty() {
            return 0;
        }
        connection.pings.set(0);
        let mut texts = 0;
        let heard = reader.decoder.feed(bytes, |event| {
            texts += u32::from(matches!(event, websocket::Event::Text(_)));
            self.event(connection, event, now);
        });
        if let Err(violation) = heard
            && connection.is_open()
        {
            let code = match violation {
                websocket::Violation::TooLarge => Code::MessageTooLarge,
                websocket::Violation::Protocol | websocket::Violation::Text => Code::MalformedMessage,
            };
            self.close_with(connection, violation.close_code(), code, now);
        }
        let records = connection.stream.borrow_mut().session().map_or(0, |session| session.records());
        let records = records - std::mem::replace(&mut reader.records, records);
        reader.reading.pay(bytes.len(), records + u64::from(reader.decoder.take_frames()), texts, now)
    }
}
