//! What is due in time: wiping, silent bursts, unfinished input, pauses, pings, stalled and closing sockets. There is no
//! timer for a connection: a tick each second looks after a share of them.

use std::time::Duration;

use tenfour_core::Time;
use tenfour_protocol::Code;
use tenfour_protocol::limits::{PING, PINGS_MISSED, STALLED};

use super::Worker;
use super::connection::{Connection, State};
use crate::orders::Framed;
use crate::websocket;

/// Time between two looks at the sockets.
const TICK: Duration = Duration::from_secs(1);
/// A client that is told that its connection closes may take so long to agree.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// The same after a log-out: it is over at once, also for a client that does not listen.
const LOGOUT_WAIT: Duration = Duration::from_millis(80);
/// A worker without sockets wakes up for nothing else.
const NOTHING: Duration = Duration::from_secs(3600);

impl Worker {
    /// When [`Worker::timers`] has something to do.
    pub(super) fn next_alarm(&self) -> Time {
        let tick = if self.table.borrow().is_empty() {
            self.clock.now() + NOTHING
        } else {
            Time::ZERO + TICK * u32::try_from(self.tick.get() + 1).unwrap_or(u32::MAX)
        };
        let closing = self.closing.borrow().first().map(|(at, _)| *at);
        let wiping = self.deck.borrow().poll_timeout();
        let silent = self.talking.borrow().first().map(|(at, _)| *at);
        let unfinished = self.unfinished.borrow().first().map(|(at, _)| *at);
        let paused = self.paused.borrow().first().map(|(at, _)| *at);
        [closing, wiping, silent, unfinished, paused].into_iter().flatten().min().unwrap_or(tick).min(tick)
    }

    /// Does what is due.
    pub(super) fn timers(&self, now: Time) {
        self.deck.borrow_mut().handle_timeout(now);
        self.end_silent(now);
        self.end_unfinished(now);
        self.end_pauses(now);
        self.end_closing(now);
        let tick = now.as_micros() / TICK.as_micros() as u64;
        // After a pause without sockets, one round stands for all that were missed.
        let missed = (tick - self.tick.replace(tick)).min(PING.as_secs());
        if missed > 0 {
            self.look_after_blocked(now);
            for tick in tick + 1 - missed..=tick {
                self.look_after(tick, now);
            }
        }
    }

    fn end_silent(&self, now: Time) {
        loop {
            let first = self.talking.borrow().first().copied();
            let Some((at, conn)) = first.filter(|(at, _)| *at <= now) else { return };
            self.talking.borrow_mut().remove(&(at, conn));
            if let Some(talker) = self.find(conn) {
                talker.port().handle_timeout(now);
                talker.silent.set(None);
                self.drain_port(&talker, now);
            }
        }
    }

    /// Pings the share of the sockets whose turn it is.
    fn look_after(&self, tick: u64, now: Time) {
        let share = PING.as_secs();
        let due: Vec<_> = {
            let table = self.table.borrow();
            table
                .iter()
                .filter(|(place, _)| *place as u64 % share == tick % share)
                .map(|(_, c)| c.clone())
                .collect()
        };
        let ping: Framed = websocket::ping();
        for connection in due {
            let missed = connection.pings.replace(connection.pings.get() + 1);
            if missed >= PINGS_MISSED {
                self.close(&connection, Code::Stalled, now);
            } else if connection.blocked.get().is_none() {
                self.send_to(&connection, ping.clone(), now);
            }
        }
    }

    /// Resets sockets that have taken nothing for too long, or hold voice past its time.
    fn look_after_blocked(&self, now: Time) {
        let blocked: Vec<_> = self.blocked.borrow().iter().filter_map(|conn| self.find(*conn)).collect();
        for connection in blocked {
            let stalled = connection.blocked.get().is_some_and(|since| now.since(since) >= STALLED);
            let voice = connection.begun_voice();
            if stalled || voice.is_some_and(|arrived| now.since(arrived) >= self.shared.hold) {
                self.shared.metrics.resets.inc();
                connection.stream.borrow().reset_on_drop();
                connection.end();
            }
        }
    }

    fn end_pauses(&self, now: Time) {
        loop {
            let first = self.paused.borrow().first().copied();
            let Some((at, conn)) = first.filter(|(at, _)| *at <= now) else { return };
            self.paused.borrow_mut().remove(&(at, conn));
            if let Some(connection) = self.find(conn) {
                connection.paused.set(None);
                connection.waker.borrow().wake_by_ref();
            }
        }
    }

    fn end_closing(&self, now: Time) {
        loop {
            let first = self.closing.borrow().first().copied();
            let Some((at, conn)) = first.filter(|(at, _)| *at <= now) else { return };
            self.closing.borrow_mut().remove(&(at, conn));
            if let Some(connection) = self.find(conn) {
                if connection.blocked.get().is_some() {
                    connection.stream.borrow().reset_on_drop();
                }
                connection.end();
            }
        }
    }

    /// Closes a connection after what was sent to it before.
    pub(super) fn close(&self, connection: &Connection, code: Code, now: Time) {
        self.close_with(connection, code.close_code(), code, now);
    }

    /// The same with a close code of RFC 6455.
    pub(super) fn close_with(&self, connection: &Connection, close_code: u16, code: Code, now: Time) {
        if !connection.is_open() {
            return;
        }
        // What is still due may tell how a burst ended.
        self.write(connection, now);
        self.take_leave(connection, now);
        if connection.state.get() == State::Over {
            return;
        }
        self.shared.metrics.closed(code);
        let mut outbox = connection.outbox.borrow_mut();
        let reason = serde_json::to_value(code).expect("a code is a string");
        let frame = websocket::close(close_code, reason.as_str().unwrap_or_default());
        if outbox.push(frame.clone()).is_err() {
            outbox.clear();
            outbox.push(frame).ok();
        }
        drop(outbox);
        connection.state.set(State::Closing);
        let wait = if code == Code::LoggedOut { LOGOUT_WAIT } else { CLOSE_WAIT };
        connection.closes.set(Some(now + wait));
        self.closing.borrow_mut().insert((now + wait, connection.id));
        self.write(connection, now);
        self.earlier.notify_one();
    }

    /// Ends what the connection says and hears. Done once, whoever closes.
    pub(super) fn take_leave(&self, connection: &Connection, now: Time) {
        if connection.left.replace(true) {
            return;
        }
        let conn = connection.id;
        connection.port().end(now);
        self.drain_port(connection, now);
        if let Some(at) = connection.silent.take() {
            self.talking.borrow_mut().remove(&(at, conn));
        }
        self.deck.borrow_mut().remove(conn);
    }

    /// Forgets a connection whose task ends.
    pub(super) fn part(&self, connection: &Connection) {
        connection.state.set(State::Over);
        self.take_leave(connection, self.clock.now());
        self.blocked.borrow_mut().remove(&connection.id);
        self.note_unfinished(connection, None);
        if let Some(at) = connection.paused.get() {
            self.paused.borrow_mut().remove(&(at, connection.id));
        }
        if let Some(at) = connection.closes.get() {
            self.closing.borrow_mut().remove(&(at, connection.id));
        }
        self.lanes.borrow_mut().close(connection.id);
        self.table.borrow_mut().remove(super::place_of(connection.id));
        self.shared.metrics.sockets.dec();
    }
}
