//! The main loop of a worker.

use std::collections::VecDeque;
use std::rc::Rc;

use tenfour_core::{ConnId, Time};
use tokio::sync::mpsc;

use super::Worker;
use crate::orders::{Order, Relay, ToWorker};

/// Most messages that a worker takes before it writes to listeners.
const MAX_BATCH: usize = 512;
/// Most orders before talkers are read again: about a millisecond of work.
const MAX_ORDERS: usize = 64;

impl Worker {
    /// Serves until it is told to stop, or nobody can tell it anything any more.
    pub(super) async fn run(self: &Rc<Self>, mut inbox: mpsc::UnboundedReceiver<ToWorker>) {
        let mut batch = VecDeque::new();
        let alarm = tokio::time::sleep_until(self.clock.instant(self.next_alarm()));
        tokio::pin!(alarm);
        loop {
            if !batch.is_empty() || self.deck.borrow().has_due() {
                // Lets the sockets that have something be read.
                tokio::task::yield_now().await;
            } else {
                tokio::select! {
                    biased;
                    taken = inbox.recv() => match taken {
                        Some(message) => batch.push_back(message),
                        None => return,
                    },
                    () = &mut alarm => {}
                    () = self.earlier.notified() => {}
                }
            }
            let room = MAX_BATCH.saturating_sub(batch.len());
            batch.extend(std::iter::from_fn(|| inbox.try_recv().ok()).take(room));
            let mut orders = 0;
            while orders < MAX_ORDERS
                && let Some(message) = batch.pop_front()
            {
                match self.take(message) {
                    Some(count) => orders += count,
                    None => return,
                }
            }
            let now = self.clock.now();
            self.timers(now);
            self.pump(now);
            let next = self.next_alarm();
            if next != self.alarm.replace(next) || alarm.is_elapsed() {
                alarm.as_mut().reset(self.clock.instant(next));
            }
        }
    }

    /// Returns the number of orders in it; nothing when the worker should end.
    fn take(self: &Rc<Self>, message: ToWorker) -> Option<usize> {
        match message {
            ToWorker::Arrival(arrival) => {
                self.arrive(arrival);
                Some(1)
            }
            ToWorker::Orders(orders) => {
                let (now, count) = (self.clock.now(), orders.len());
                orders.into_iter().for_each(|order| self.obey(order, now));
                Some(count)
            }
            ToWorker::Frame { burst, packet } => {
                self.deck.borrow_mut().append(burst, packet, self.clock.now());
                Some(0)
            }
            ToWorker::Stop => None,
        }
    }

    /// False for a connection that is gone or closing: the deck would keep an entry for it.
    fn hears(&self, conn: ConnId) -> bool {
        self.find(conn).is_some_and(|listener| listener.is_open())
    }

    fn obey(self: &Rc<Self>, order: Order, now: Time) {
        match order {
            Order::Send { to, message } => {
                for conn in to {
                    self.send(conn, message.clone(), now);
                }
            }
            Order::Deck(order) => {
                order.carry_out(&mut self.deck.borrow_mut(), |conn| self.hears(conn), now);
            }
            Order::Port { conn, order } => match self.find(conn) {
                Some(connection) => {
                    connection.port().obey(order, now);
                    self.drain_port(&connection, now);
                }
                None => order.without_port(conn).into_iter().for_each(|input| self.shared.hub.input(input)),
            },
            Order::Relay { conn, burst, subject } => {
                if let Some(talker) = self.find(conn) {
                    talker.relay.replace(Some((burst, Relay::to(&subject))));
                }
            }
            Order::Disconnect { conn, code } => {
                if let Some(connection) = self.find(conn) {
                    self.close(&connection, code, now);
                }
            }
        }
    }
}
