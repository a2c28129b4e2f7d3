//! Turns the hub's outputs into orders for workers, in the order in which they must be carried out.

use tenfour_protocol::ServerMessage;

use super::{DeckOrder, Order, PortOrder};
use crate::ConnId;
use crate::hub::{NodeOutput, Output, Recipients, Route};
use crate::voice::ByGrade;

/// What the front asks of a shell.
pub trait Shell {
    /// A control message as this shell writes it.
    type Message: Clone;

    /// The worker of a connection, counted from 0. Also works for a connection that is gone.
    fn worker_of(&self, conn: ConnId) -> usize;

    /// Writes a control message, once for everybody who gets it.
    fn write(&self, message: ServerMessage) -> Self::Message;

    /// Writes `burst.started` for each grade.
    fn write_started(&self, route: &Route) -> ByGrade<Self::Message> {
        ByGrade::from_fn(|heard| {
            let mut started = route.started.clone();
            if let ServerMessage::BurstStarted { grade, .. } = &mut started {
                *grade = heard;
            }
            self.write(started)
        })
    }
}

/// The shell of a simulation: messages stay as they are. The function says the worker of a connection.
#[derive(Debug)]
pub struct Unwritten<F>(pub F);

impl<F: Fn(ConnId) -> usize> Shell for Unwritten<F> {
    type Message = ServerMessage;

    fn worker_of(&self, conn: ConnId) -> usize {
        (self.0)(conn)
    }

    fn write(&self, message: ServerMessage) -> ServerMessage {
        message
    }
}

/// Sorts the hub's outputs.
///
/// The shell gives it each output with [`Dispatch::take`], hands over the round that comes back, and hands over the
/// [rest](Dispatch::rest) when the hub has nothing more to say.
#[derive(Debug)]
pub struct Dispatch<M>(Round<M>);

/// What is handed over together: messages for the bus first, then orders for workers.
///
/// The bus comes first: a client that was told it is tuned must not miss a burst because this node subscribed too
/// late. A round is handed over whole before the next one begins. So a talker is admitted only after every worker has
/// the opening of the burst, and no deck gets a frame of a burst that it does not know. Likewise, frames of another
/// node are let in only after every worker has their opening.
#[must_use = "orders that are not handed over are lost"]
#[derive(Debug)]
pub struct Round<M> {
    workers: Vec<Vec<Order<M>>>,
    bus: Vec<NodeOutput>,
}

/// A part of a round.
#[derive(Debug)]
pub enum Handover<M> {
    /// For a worker, at the end of its queue.
    Worker(usize, Vec<Order<M>>),
    /// For the bus.
    Bus(NodeOutput),
}

impl<M: Clone> Dispatch<M> {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Self(Round::new(workers))
    }

    /// Sorts an output in. Returns the round before it, if that has to be handed over first.
    #[must_use = "the round that comes back goes first"]
    pub fn take<S: Shell<Message = M>>(&mut self, output: Output, shell: &S) -> Option<Round<M>> {
        let waits = matches!(output, Output::Admit { .. } | Output::Node(NodeOutput::Hear { .. }));
        let before = waits.then(|| self.rest());
        match output {
            Output::Send { to: Recipients::One(conn), message } => {
                self.give(shell, conn, Order::Send { to: vec![conn], message: shell.write(message) });
            }
            Output::Send { to: Recipients::Many(conns), message } => {
                let message = shell.write(message);
                let lists = self.by_worker(&conns, |conn| shell.worker_of(*conn));
                for (worker, to) in lists.into_iter().enumerate() {
                    if !to.is_empty() {
                        self.0.workers[worker].push(Order::Send { to, message: message.clone() });
                    }
                }
            }
            Output::Open(route) => {
                let Route { burst, bundle, small, .. } = *route;
                let all = shell.write_started(&route);
                let lists = self.by_worker(&route.tuned, |who| shell.worker_of(who.conn()));
                for (worker, tuned) in lists.into_iter().enumerate() {
                    let started = all.clone();
                    let open = DeckOrder::Open { burst, started, bundle, small, tuned };
                    self.0.workers[worker].push(Order::Deck(open));
                }
            }
            Output::Close { burst, ended } => {
                let ended = shell.write(ended);
                for orders in &mut self.0.workers {
                    orders.push(Order::Deck(DeckOrder::Close { burst, ended: ended.clone() }));
                }
            }
            Output::Join { burst, who, from } => {
                self.give(shell, who.conn(), Order::Deck(DeckOrder::Join { burst, who, from }));
            }
            Output::Leave { burst, conn } => {
                self.give(shell, conn, Order::Deck(DeckOrder::Leave { burst, conn }));
            }
            Output::Bundle { conn, frames } => {
                self.give(shell, conn, Order::Deck(DeckOrder::Bundle { conn, frames }));
            }
            Output::Admit { conn, local, burst } => {
                self.give(shell, conn, Order::Port { conn, order: PortOrder::Admit { local, burst } });
            }
            Output::Refuse { conn, local } => {
                self.give(shell, conn, Order::Port { conn, order: PortOrder::Refuse { local } });
            }
            Output::EndBurst { conn, local, reason } => {
                self.give(shell, conn, Order::Port { conn, order: PortOrder::End { local, reason } });
            }
            Output::Disconnect { conn, code } => self.give(shell, conn, Order::Disconnect { conn, code }),
            Output::Node(NodeOutput::Relay { conn, burst, subject }) => {
                self.give(shell, conn, Order::Relay { conn, burst, subject });
            }
            Output::Node(output) => self.0.bus.push(output),
        }
        before
    }

    /// The same for a shell without queues: what follows from one output, in order.
    pub fn at_once<S: Shell<Message = M>>(
        &mut self,
        output: Output,
        shell: &S,
    ) -> impl Iterator<Item = Handover<M>> + use<M, S> {
        let before = self.take(output, shell);
        before.into_iter().chain([self.rest()]).flat_map(Round::handovers)
    }

    /// What was sorted in and not returned yet.
    pub fn rest(&mut self) -> Round<M> {
        let workers = self.0.workers.len();
        std::mem::replace(&mut self.0, Round::new(workers))
    }

    fn give<S: Shell<Message = M>>(&mut self, shell: &S, conn: ConnId, order: Order<M>) {
        self.0.workers[shell.worker_of(conn)].push(order);
    }

    /// Sorts by worker and keeps the order within each: the hub has shuffled it, and the order in which listeners are
    /// served must not tell who is near.
    fn by_worker<T: Copy>(&self, all: &[T], worker_of: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
        let mut lists = vec![Vec::new(); self.0.workers.len()];
        for one in all {
            lists[worker_of(one)].push(*one);
        }
        lists
    }
}

impl<M> Round<M> {
    fn new(workers: usize) -> Self {
        Self { workers: (0..workers).map(|_| Vec::new()).collect(), bus: Vec::new() }
    }

    /// What to hand over, in this order.
    pub fn handovers(self) -> impl Iterator<Item = Handover<M>> {
        let orders = self.workers.into_iter().enumerate().filter(|(_, orders)| !orders.is_empty());
        let orders = orders.map(|(worker, orders)| Handover::Worker(worker, orders));
        self.bus.into_iter().map(Handover::Bus).chain(orders)
    }
}
