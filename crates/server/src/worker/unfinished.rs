//! Limits how long unfinished input is kept: as long as voice, even if the client answers pings meanwhile.

use tenfour_core::{Time, mutant};
use tenfour_protocol::Code;
use tenfour_tls::Session;

use super::Worker;
use super::connection::{Connection, State};
use crate::websocket::Decoder;

/// Since when one connection keeps a part of something.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// A frame, or a message of several frames.
    message: Option<Time>,
    /// A record of TLS.
    record: Option<Time>,
    /// Records that had come whole by then.
    records: u64,
}

impl Unfinished {
    /// Looks again, after each turn of reading: since when the oldest byte is kept.
    pub(super) fn note(
        &mut self,
        decoder: &mut Decoder,
        session: Option<&Session>,
        now: Time,
    ) -> Option<Time> {
        self.message = match (decoder.is_unfinished(), decoder.take_emptied()) {
            (false, _) => None,
            (true, true) => Some(now),
            (true, false) => self.message.or(Some(now)),
        };
        let records = session.map_or(0, Session::records);
        let came_whole = std::mem::replace(&mut self.records, records) != records;
        self.record = match session.is_some_and(|session| !session.kept().is_empty()) {
            false => None,
            true if came_whole => Some(now),
            true => self.record.or(Some(now)),
        };
        [self.message, self.record].into_iter().flatten().min()
    }
}

impl Worker {
    /// Notes until when `connection` may finish what it has begun.
    pub(super) fn note_unfinished(&self, connection: &Connection, since: Option<Time>) {
        let until = since.map(|since| since + self.shared.hold);
        mutant!(crate::mutants::active(), NoDeadline => let until = None);
        let before = connection.unfinished.replace(until);
        if before == until {
            return;
        }
        let mut unfinished = self.unfinished.borrow_mut();
        if let Some(before) = before {
            unfinished.remove(&(before, connection.id));
        }
        unfinished.extend(until.map(|until| (until, connection.id)));
    }

    /// Ends connections that have kept a part of something for the hold. The part goes with the task that
    /// reads, so there is no time to agree on the end.
    pub(super) fn end_unfinished(&self, now: Time) {
        loop {
            let first = self.unfinished.borrow().first().copied();
            let Some((at, conn)) = first.filter(|(at, _)| *at <= now) else { return };
            self.unfinished.borrow_mut().remove(&(at, conn));
            if let Some(connection) = self.find(conn) {
                connection.unfinished.set(None);
                self.close(&connection, Code::Stalled, now);
                if connection.state.get() != State::Over {
                    connection.end();
                }
            }
        }
    }
}
