//! The one thread that drives the hub.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tenfour_core::ConnId;
use tenfour_core::front::{Dispatch, Handover, Round, Shell};
use tenfour_core::hub::{Hub, HubConfig, Route};
use tenfour_core::reach::scrub_stack;
use tenfour_core::voice::ByGrade;
use tenfour_protocol::ServerMessage;
use tokio::sync::mpsc as tokio_mpsc;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::metrics::Metrics;
use crate::orders::{Boxed, Framed, HubInbox, ToHub, ToWorker, Waiting, encode, worker_of};
use crate::websocket;

/// Most inputs that are handled before their orders go out: workers are woken once for all.
const MAX_BATCH: usize = 64;

/// Starts the thread.
pub(crate) fn start(
    config: HubConfig,
    inbox: HubInbox,
    workers: Vec<tokio_mpsc::UnboundedSender<ToWorker>>,
    clock: Clock,
    cluster: Option<Cluster>,
    metrics: Arc<Metrics>,
) -> std::io::Result<JoinHandle<()>> {
    let dispatch = Dispatch::new(workers.len());
    let mut thread = HubThread { hub: Hub::new(config), dispatch, clock, workers, cluster, metrics };
    std::thread::Builder::new().name("tenfour-hub".into()).spawn(move || thread.run(&inbox.0))
}

struct HubThread {
    hub: Hub,
    dispatch: Dispatch<Framed>,
    clock: Clock,
    workers: Vec<tokio_mpsc::UnboundedSender<ToWorker>>,
    cluster: Option<Cluster>,
    metrics: Arc<Metrics>,
}

impl HubThread {
    fn run(&mut self, inbox: &mpsc::Receiver<Boxed>) {
        loop {
            match self.wait(inbox) {
                Ok(first) => {
                    for message in std::iter::once(first).chain(inbox.try_iter().take(MAX_BATCH)) {
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
            let rest = self.dispatch.rest();
            self.hand_over(rest);
            // The hub has compared places: none may stay on the stack while the thread sleeps.
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
    fn take(&mut self, waiting: Waiting) -> bool {
        self.metrics.hub_wait.observe(waiting.since.elapsed().as_secs_f64());
        match waiting.message {
            ToHub::Input(input, place) => {
                self.hub.handle(input, self.clock.now());
                self.drain();
                drop(place);
            }
            // Whoever asked may have gone away.
            ToHub::Channels(answer) => drop(answer.send(self.hub.channels())),
            ToHub::Figures(answer) => drop(answer.send(self.hub.figures())),
            ToHub::Quit => return false,
        }
        true
    }

    fn drain(&mut self) {
        while let Some(output) = self.hub.poll() {
            if let Some(round) = self.dispatch.take(output, &Written) {
                self.hand_over(round);
            }
        }
    }

    fn hand_over(&self, round: Round<Framed>) {
        for handover in round.handovers() {
            match handover {
                // A worker that has ended serves nobody any more.
                Handover::Worker(worker, orders) => {
                    self.workers[worker].send(ToWorker::Orders(orders)).ok();
                }
                // Without other nodes the hub has nothing for the bus.
                Handover::Bus(output) => {
                    if let Some(cluster) = &self.cluster {
                        cluster.carry_out(output);
                    }
                }
            }
        }
    }
}

/// Messages as text frames.
struct Written;

impl Shell for Written {
    type Message = Framed;

    fn worker_of(&self, conn: ConnId) -> usize {
        worker_of(conn)
    }

    fn write(&self, message: ServerMessage) -> Framed {
        encode(&message)
    }

    fn write_started(&self, route: &Route) -> ByGrade<Framed> {
        announcements(route)
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
    use tenfour_core::front::Unwritten;
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
        let framed = announcements(&route);
        let messages = Unwritten(|_| 0).write_started(&route);
        for grade in SignalGrade::ALL.into_iter().map(Some).chain([None]) {
            assert_eq!(framed.of(grade), &encode(messages.of(grade)), "{grade:?}");
        }
    }
}
