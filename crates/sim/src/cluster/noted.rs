//! What nodes do, for the log and for the judge.

use std::time::Duration;

use tenfour_core::hub::{NodeOutput, Output, Route, Tuned};
use tenfour_protocol::BurstNo;
use tenfour_protocol::node::NodeId;

use super::node::Effect;
use super::{Event, World};

impl World {
    /// A line of the log, without the bytes for the bus, which may carry a cell.
    pub(super) fn note(&mut self, node: usize, effect: &Effect) {
        let said = match effect {
            Effect::Published(subject, bytes) => format!("publishes {} bytes on {subject}", bytes.len()),
            Effect::Said(Output::Node(_)) => return,
            effect => format!("{effect:?}"),
        };
        self.log.push(format!("{:>12} node {node} {said}", self.schedule.now().as_micros()));
    }

    pub(super) fn judge_output(&mut self, node: usize, output: &Output) {
        let me = self.nodes[node].id;
        match output {
            Output::Open(route) => {
                self.opened = Some(Route::clone(route));
                self.channels.insert((me, route.burst), route.channel.clone());
            }
            Output::Admit { conn, local, burst } => {
                let key = (me, *burst);
                let talker = self.lines.get(conn);
                let (Some(talker), Some(channel)) = (talker, self.channels.get(&key)) else { return };
                self.judge.admitted(key, node, talker, *local, channel.clone(), self.schedule.now());
                self.judge_opened(node, key);
            }
            Output::Node(NodeOutput::Hear { node: from, burst, local }) => {
                self.known.insert((me, *local), (*from, *burst));
                self.judge_opened(node, (*from, *burst));
            }
            Output::Join { burst, who: Tuned::Hears(listener), .. } => {
                let key = (me, *burst);
                let key = self.known.get(&key).copied().unwrap_or(key);
                if let Some(line) = self.lines.get(&listener.conn) {
                    self.judge.joined(key, listener, line);
                }
            }
            Output::Close { burst, .. } => {
                self.schedule.after(Duration::from_millis(300), Event::Over((me, *burst)));
            }
            _ => {}
        }
    }

    fn judge_opened(&mut self, node: usize, key: (NodeId, BurstNo)) {
        if let Some(route) = self.opened.take() {
            let listeners: Vec<_> = route.listeners().collect();
            self.judge.opened(key, node, &listeners, &self.lines);
        }
    }
}
