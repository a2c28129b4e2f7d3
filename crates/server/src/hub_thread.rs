//! The one thread that drives the hub.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tenfour_core::ConnId;
use tenfour_core::hub::{Hub, HubConfig, NodeOutput, Output, Recipients, Route};
use tenfour_core::reach::scrub_stack;
use tenfour_core::voice::ByGrade;
use tokio::sync::mpsc as tokio_mpsc;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::orders::{Boxed, Framed, HubInbox, Order, Relay, ToHub, ToWorker, encode, worker_of};
use crate::websocket;

/// Inputs that are handled before their orders go out: workers are woken once for all.
const TOGETHER: usize = 64;

/// Starts the thread.
pub(crate) fn start(
    config: HubConfig,
    inbox: HubInbox,
    workers: Vec<tokio_mpsc::UnboundedSender<ToWorker>>,
    clock: Clock,
    cluster: Option<Cluster>,
) -> std::io::Result<JoinHandle<()>> {
    let outboxes = workers.iter().map(|_| Vec::new()).collect();
    let mut thread = HubThread { hub: Hub::new(config), clock, workers, outboxes, cluster };
    std::thread::Builder::new().name("tenfour-hub".into()).spawn(move || thread.run(&inbox.0))
}

struct HubThread {
    hub: Hub,
    clock: Clock,
    workers: Vec<tokio_mpsc::UnboundedSender<ToWorker>>,
    outboxes: Vec<Vec<Order>>,
    cluster: Option<Cluster>,
}

impl HubThread {
    fn run(&mut self, inbox: &mpsc::Receiver<Boxed>) {
        loop {
            match self.wait(inbox) {
                Ok(first) => {
                    for message in std::iter::once(first).chain(inbox.try_iter().take(TOGETHER)) {
                        if !self.take(*message) {
                            return;
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            if self.hub.poll_timeout().is_some_and(|at| at <= now) {
                self.hub.handle_timeout(now);
                self.drain();
            }
            self.deliver();
            // Places were read and compared: before the thread sleeps, nothing of them is left.
            scrub_stack();
        }
    }

    fn wait(&self, inbox: &mpsc::Receiver<Boxed>) -> Result<Boxed, mpsc::RecvTimeoutError> {
        match self.hub.poll_timeout() {
            Some(at) => inbox.recv_timeout(at.since(self.clock.now()).max(Duration::from_micros(1))),
            None => inbox.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
        }
    }

    /// False when the thread should end.
    fn take(&mut self, message: ToHub) -> bool {
        match message {
            ToHub::Input(input, place) => {
                self.hub.handle(input, self.clock.now());
                self.drain();
                drop(place);
            }
            // Who asked may have gone away.
            ToHub::Channels(answer) => drop(answer.send(self.hub.channels())),
            ToHub::Figures(answer) => drop(answer.send(self.hub.figures())),
            ToHub::Quit => return false,
        }
        true
    }

    fn drain(&mut self) {
        while let Some(output) = self.hub.poll() {
            self.order(output);
        }
    }

    fn order(&mut self, output: Output) {
        match output {
            Output::Send { to: Recipients::One(conn), message } => {
                self.give(conn, Order::Send { to: vec![conn], message: encode(&message) });
            }
            Output::Send { to: Recipients::Many(conns), message } => {
                let message = encode(&message);
                for (worker, to) in self.by_worker(&conns, |conn| *conn).into_iter().enumerate() {
                    if !to.is_empty() {
                        self.outboxes[worker].push(Order::Send { to, message: message.clone() });
                    }
                }
            }
            Output::Open(route) => {
                let started = announcements(&route);
                let by_worker = self.by_worker(&route.tuned, |who| who.conn());
                for (worker, tuned) in by_worker.into_iter().enumerate() {
                    let (burst, started) = (route.burst, started.clone());
                    let Route { bundle, small, .. } = *route;
                    self.outboxes[worker].push(Order::Open { burst, started, bundle, small, tuned });
                }
            }
            Output::Close { burst, ended } => {
                let ended = encode(&ended);
                for outbox in &mut self.outboxes {
                    outbox.push(Order::Close { burst, ended: ended.clone() });
                }
            }
            Output::Join { burst, who, from } => self.give(who.conn(), Order::Join { burst, who, from }),
            Output::Leave { burst, conn } => self.give(conn, Order::Leave { burst, conn }),
            Output::Bundle { conn, frames } => self.give(conn, Order::Bundle { conn, frames }),
            Output::Admit { conn, local, burst } => {
                // The talker's worker passes frames on at once: every other one has to know the
                // burst by then, or it would drop its first words.
                self.deliver();
                self.give(conn, Order::Admit { conn, local, burst });
            }
            Output::Refuse { conn, local } => self.give(conn, Order::Refuse { conn, local }),
            Output::EndBurst { conn, local, reason } => {
                self.give(conn, Order::EndBurst { conn, local, reason });
            }
            Output::Node(output) => self.tell_nodes(output),
            Output::Disconnect { conn, code } => self.give(conn, Order::Disconnect { conn, code }),
        }
    }

    fn tell_nodes(&mut self, output: NodeOutput) {
        // Without others, the hub has nothing for them.
        let Some(cluster) = &self.cluster else { return };
        match output {
            NodeOutput::Relay { conn, burst, subject } => {
                self.give(conn, Order::Relay { conn, burst, relay: Relay::to(&subject) });
            }
            NodeOutput::Hear { .. } => {
                let cluster = cluster.clone();
                // Frames may wait for it: every worker has to know the burst by then.
                self.deliver();
                cluster.carry_out(output);
            }
            _ => cluster.carry_out(output),
        }
    }

    /// Sorts by worker and keeps the order within each: the hub has shuffled it, and the order in
    /// which listeners are served must not tell who is near.
    fn by_worker<T: Copy>(&self, all: &[T], conn: impl Fn(&T) -> ConnId) -> Vec<Vec<T>> {
        let mut lists = vec![Vec::new(); self.outboxes.len()];
        for one in all {
            lists[worker_of(conn(one))].push(*one);
        }
        lists
    }

    fn give(&mut self, conn: ConnId, order: Order) {
        self.outboxes[worker_of(conn)].push(order);
    }

    fn deliver(&mut self) {
        for (worker, outbox) in self.workers.iter().zip(&mut self.outboxes) {
            if !outbox.is_empty() {
                // A worker that has ended serves nobody any more.
                worker.send(ToWorker::Orders(std::mem::take(outbox))).ok();
            }
        }
    }
}

/// `burst.started` for each grade, each framed once for all who have it. The grade is the last
/// field: written behind the others, it takes a quarter of the time of seven messages.
fn announcements(route: &Route) -> ByGrade<Framed> {
    let started = serde_json::to_vec(&route.started).expect("a message is JSON");
    let fields = started.strip_suffix(b"}").expect("an object");
    ByGrade::from_fn(|grade| match grade {
        None => websocket::text(&started),
        Some(grade) => {
            websocket::text(&[fields, format!(",\"grade\":{}}}", u8::from(grade)).as_bytes()].concat())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tenfour_protocol::{BurstNo, ChannelId, SignalGrade};

    #[test]
    fn an_announcement_for_a_grade_is_the_message_with_that_grade() {
        let channel = ChannelId::numbered(19).unwrap();
        let started = json!({
            "type": "burst.started", "burst": 7, "channel": channel, "codec": "opus", "frame_ms": 20,
            "talker": { "id": 1, "handle": "Broken } \"Roadrunner\"", "tag": "aaaa" },
        });
        let started = serde_json::from_value(started).unwrap();
        let route = Route { burst: BurstNo(7), channel, bundle: 1, started, small: true, tuned: Vec::new() };
        let (framed, messages) = (announcements(&route), route.started());
        for grade in SignalGrade::ALL.into_iter().map(Some).chain([None]) {
            assert_eq!(framed.of(grade), &encode(messages.of(grade)), "{grade:?}");
        }
    }
}
