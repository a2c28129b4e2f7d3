//! Questions to NATS that somebody waits for, on a thread that may wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::wire::{Message, Said};
use super::{Link, NatsError, Sid};
use crate::lock::lock;
use crate::random::random;

/// The longest wait for an answer. An election in JetStream takes longer: whoever asks then tries again later.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Answers that wait to be looked at, where there may be many.
const ANSWERS_WAITING: usize = 1024;
/// Status of a message: nobody has subscribed to what was asked.
const NO_RESPONDERS: u16 = 503;

/// The subscription that answers come by.
pub(crate) const ANSWERS: Sid = 1;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Of a message that is no ordinary one: 503 when nobody is there to answer.
    pub(crate) status: Option<u16>,
    /// What it says.
    pub(crate) payload: Zeroizing<Vec<u8>>,
}

/// Where an answer goes, and whether others may follow it.
#[derive(Debug, Clone)]
struct Waiting {
    answer: SyncSender<Answer>,
    many: bool,
}

/// Who waits, by the last word of the subject of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    waiting: Arc<Mutex<HashMap<String, Waiting>>>,
    inbox: Arc<str>,
    count: Arc<AtomicU64>,
}

impl Default for Api {
    fn default() -> Self {
        let inbox = format!("_INBOX.{}", HEXLOWER.encode(&random::<12>()));
        Self { waiting: Arc::default(), inbox: inbox.into(), count: Arc::default() }
    }
}

impl Api {
    /// Subscribes to answers.
    pub(crate) fn listen(&self, link: &Link) {
        link.subscribe(ANSWERS, &format!("{}.*", self.inbox));
    }

    /// A subject of our own that nobody else has.
    pub(crate) fn subject(&self, word: &str) -> String {
        format!("{}-{word}", self.inbox)
    }

    /// Takes a message of [`ANSWERS`].
    pub(crate) fn answered(&self, message: &Message<'_>) {
        let word = message.subject.rsplit('.').next().unwrap_or_default();
        let waiting = {
            let mut waiting = lock(&self.waiting);
            let found = waiting.get(word).cloned();
            if found.as_ref().is_some_and(|found| !found.many) {
                waiting.remove(word);
            }
            found
        };
        if let Some(waiting) = waiting {
            let answer =
                Answer { status: message.status(), payload: Zeroizing::new(message.payload.to_vec()) };
            // Who asked may have given up, or have enough to look at.
            waiting.answer.try_send(answer).ok();
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(
        &self,
        link: &Link,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Result<Answer, NatsError> {
        let (word, reply, answered) = self.wait(1);
        let said = if headers.is_empty() {
            Said::publish(&[subject], Some(&reply), &[payload])
        } else {
            Said::publish_with(subject, &reply, headers, payload)
        };
        let answer = if link.say(said) { answered.recv_timeout(TIMEOUT).ok() } else { None };
        self.forget(&word);
        answer.ok_or(NatsError::Silent)
    }

    /// Asks, and looks at every answer until one means something: anybody may answer. Nothing when nobody is
    /// there to answer, or no answer in this time means anything.
    pub(crate) fn ask_all<T>(
        &self,
        link: &Link,
        subject: &str,
        payload: &[u8],
        patience: Duration,
        mut meaning: impl FnMut(&Answer) -> Option<T>,
    ) -> Result<Option<T>, NatsError> {
        let (word, reply, answered) = self.wait(ANSWERS_WAITING);
        let until = Instant::now() + patience;
        let said = link.say(Said::publish(&[subject], Some(&reply), &[payload]));
        let mut found = None;
        while said && found.is_none() {
            match answered.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(answer) if answer.status == Some(NO_RESPONDERS) => break,
                Ok(answer) => found = meaning(&answer),
                Err(_) => break,
            }
        }
        self.forget(&word);
        if said { Ok(found) } else { Err(NatsError::Silent) }
    }

    /// Where an answer is to go, and comes from. More than one are taken when there is room for more.
    fn wait(&self, room: usize) -> (String, String, Receiver<Answer>) {
        let word = self.count.fetch_add(1, Ordering::Relaxed).to_string();
        let reply = format!("{}.{word}", self.inbox);
        let (answer, answered) = mpsc::sync_channel(room);
        let waiting = Waiting { answer, many: room > 1 };
        lock(&self.waiting).insert(word.clone(), waiting);
        (word, reply, answered)
    }

    fn forget(&self, word: &str) {
        lock(&self.waiting).remove(word);
    }
}
