//! Questions to NATS that somebody waits for, on a thread that may wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::wire::{Message, Said};
use super::{Link, NatsError, Sid};
use crate::auth::random;

/// How long an answer is waited for. An election in JetStream takes longer: whoever asks then tries
/// again later.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// Who waits, by the last word of the subject of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    waiting: Arc<Mutex<HashMap<String, SyncSender<Answer>>>>,
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
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(word);
        if let Some(waiting) = waiting {
            let answer =
                Answer { status: message.status(), payload: Zeroizing::new(message.payload.to_vec()) };
            // Who asked may have given up.
            waiting.send(answer).ok();
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
        let word = self.count.fetch_add(1, Ordering::Relaxed).to_string();
        let reply = format!("{}.{word}", self.inbox);
        let (answer, answered) = mpsc::sync_channel(1);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(word.clone(), answer);
        let said = if headers.is_empty() {
            Said::publish(&[subject], Some(&reply), &[payload])
        } else {
            Said::publish_with(subject, &reply, headers, payload)
        };
        let answer = if link.say(said) { answered.recv_timeout(PATIENCE).ok() } else { None };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&word);
        answer.ok_or(NatsError::Silent)
    }
}
