//! The connection logs of other nodes, for a user who wants to see all that is stored: each node has one of
//! its own, and the rows of a user are in those of the nodes that it connected to.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenfour_protocol::UserId;
use tenfour_protocol::http::HeldConnection;
use tenfour_protocol::node::NodeId;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::Cluster;
use crate::bus::Lane;
use crate::connection_log::{ConnectionLog, Position};
use crate::lock::lock;

/// The subject of questions to all nodes.
pub(super) const QUESTIONS: &str = "logs";
/// The longest wait for other nodes. One that says nothing until then counts as gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Most rows of one message.
const ROWS_PER_MESSAGE: usize = 500;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Question {
    from: NodeId,
    ask: u32,
    user: UserId,
}

#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    ask: u32,
    rows: Vec<HeldConnection>,
    /// More rows of this node follow.
    more: bool,
}

/// Rows of one node, and whether more of them follow.
type Part = (Vec<HeldConnection>, bool);

/// Questions that wait for their answers.
#[derive(Debug, Default)]
pub(super) struct Logs {
    last: AtomicU32,
    asking: Mutex<HashMap<u32, UnboundedSender<Part>>>,
    /// Where questions of others go.
    questions: Mutex<Option<UnboundedSender<Question>>>,
}

/// Where a node gets its answers.
pub(super) fn answers_to(node: NodeId) -> String {
    format!("{QUESTIONS}.{node}")
}

impl Logs {
    /// A message of another node came on one of the subjects. False when it is none.
    pub(super) fn message(&self, from: NodeId, subject: &str, payload: &[u8]) -> bool {
        if subject == QUESTIONS {
            let question = serde_json::from_slice::<Question>(payload).ok();
            let Some(question) = question.filter(|question| question.from == from) else { return false };
            // Before the start and after the stop nobody reads it.
            lock(&self.questions).as_ref().map(|questions| questions.send(question));
        } else {
            let Ok(Reply { ask, rows, more }) = serde_json::from_slice(payload) else { return false };
            lock(&self.asking).get(&ask).map(|asking| asking.send((rows, more)));
        }
        true
    }
}

impl Cluster {
    /// The rows of a user on the other nodes that are there.
    pub(crate) async fn held_elsewhere(&self, user: UserId) -> Vec<HeldConnection> {
        let logs = &self.side.logs;
        let ask = logs.last.fetch_add(1, Ordering::Relaxed);
        let (answer, mut answers) = mpsc::unbounded_channel();
        lock(&logs.asking).insert(ask, answer);
        let mut waiting = lock(&self.side.others).len();
        self.say(QUESTIONS, &Question { from: self.node, ask, user });
        let until = Instant::now() + ANSWER_TIMEOUT;
        let mut all = Vec::new();
        while waiting > 0 {
            let Ok(Some((rows, more))) = timeout_at(until, answers.recv()).await else { break };
            all.extend(rows);
            waiting -= usize::from(!more);
        }
        lock(&logs.asking).remove(&ask);
        all
    }

    fn say(&self, subject: &str, what: &impl Serialize) {
        let text = Zeroizing::new(serde_json::to_vec(what).expect("it is JSON"));
        self.publish(Lane::Control, subject, &[&text]);
    }

    /// Where questions of other nodes come from now on.
    pub(crate) fn questions(&self) -> Questions {
        let (sender, questions) = mpsc::unbounded_channel();
        lock(&self.side.logs.questions).replace(sender);
        Questions(questions)
    }
}

/// What other nodes ask of this one's connection log.
#[derive(Debug)]
pub(crate) struct Questions(UnboundedReceiver<Question>);

impl Questions {
    /// Answers until the server ends.
    pub(crate) async fn answer(mut self, cluster: &Cluster, log: &ConnectionLog) {
        while let Some(Question { from, ask, user }) = self.0.recv().await {
            let mut at = Some(Position::START);
            while let Some(from_here) = at {
                // The log itself tells the operator what cannot be read.
                let page = log.held_by(user, from_here).await;
                let (rows, next) = page.unwrap_or_default();
                let mut parts = rows.chunks(ROWS_PER_MESSAGE).map(<[_]>::to_vec).peekable();
                while let Some(rows) = parts.next() {
                    let more = next.is_some() || parts.peek().is_some();
                    cluster.say(&answers_to(from), &Reply { ask, rows, more });
                }
                if rows.is_empty() && next.is_none() {
                    cluster.say(&answers_to(from), &Reply { ask, rows, more: false });
                }
                at = next;
            }
        }
    }
}
