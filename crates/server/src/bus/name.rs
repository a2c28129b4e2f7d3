//! The name of a node on NATS.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

use super::BusError;
use crate::nats::wire::{Message, Said};
use crate::nats::{ANSWERS, Api, Link, Nats, NatsError, Sid, derived, same};
use crate::random::random;

/// The subscription by which others ask for our name.
const NAME: Sid = 2;
/// The answers to our asking for it, when the connection is back.
const NAMESAKES: Sid = 3;
/// How long a node waits for another one with its name, when somebody is there who could have it.
const NAME_TIMEOUT: Duration = Duration::from_secs(1);

/// The name of a node, which one node has at a time. Only a node that knows the cluster's secret can claim one.
#[derive(Clone)]
pub(super) struct Name {
    subject: String,
    start: u64,
    api: Api,
    /// For answers.
    key: Arc<Zeroizing<[u8; 32]>>,
    /// A random number of this question, so that no earlier answer fits.
    challenge: [u8; 16],
    /// True once the name is ours. Until then this node does not answer.
    ours: Arc<AtomicBool>,
}

impl Name {
    pub(super) fn of(nats: &Nats, start: u64) -> Result<Self, NatsError> {
        let subject = format!("{}.name.{}", nats.prefix, nats.node);
        let key = Arc::new(nats.read_secret()?.key(&[b"name", subject.as_bytes()]));
        Ok(Self { subject, start, api: Api::default(), key, challenge: random(), ours: Arc::default() })
    }

    /// Asks who has the name, takes it, and asks once more, since two nodes may have asked at the same time. Of
    /// those the one with the smaller number stays.
    pub(super) fn claim(&self, link: &Link, nats: &Nats) -> Result<(), BusError> {
        let taken = || BusError::NameTaken(nats.node.clone());
        self.api.listen(link);
        if self.owner(link)?.is_some() {
            return Err(taken());
        }
        self.ours.store(true, Ordering::Release);
        link.subscribe(NAME, &self.subject);
        if self.owner(link)?.is_some_and(|owner| owner < self.start) {
            return Err(taken());
        }
        link.subscribe(NAMESAKES, &self.api.subject("namesakes"));
        Ok(())
    }

    /// Another start that has the name, as far as one shows that it knows the secret.
    fn owner(&self, link: &Link) -> Result<Option<u64>, NatsError> {
        self.api.ask_all(link, &self.subject, &self.challenge, NAME_TIMEOUT, |answer| {
            self.namesake(&answer.payload)
        })
    }

    /// Asks again without waiting, once the name is ours.
    pub(super) fn look(&self, link: &Link) {
        if self.ours.load(Ordering::Acquire) {
            let answer = self.api.subject("namesakes");
            link.say(Said::publish(&[&self.subject], Some(&answer), &[&self.challenge]));
        }
    }

    pub(super) fn hear(&self, link: &Link, message: &Message<'_>) {
        match message.sid {
            ANSWERS => self.api.answered(message),
            NAME if message.payload.len() == self.challenge.len() => {
                if let Some(reply) = message.reply {
                    let answer = self.answer(self.start, message.payload);
                    link.say(Said::publish(&[reply], None, &[&answer]));
                }
            }
            NAMESAKES if message.status().is_none() && self.namesake(message.payload).is_some() => {
                tracing::error!(
                    "another node has our name by now: give one of the two another with --node NAME"
                );
            }
            _ => {}
        }
    }

    /// The start of another node in an answer to us; nothing when it is ours, or nobody's.
    fn namesake(&self, answer: &[u8]) -> Option<u64> {
        let (start, _) = answer.split_first_chunk::<8>()?;
        let start = u64::from_be_bytes(*start);
        (start != self.start && same(answer, &self.answer(start, &self.challenge))).then_some(start)
    }

    fn answer(&self, start: u64, challenge: &[u8]) -> Vec<u8> {
        let start = start.to_be_bytes();
        [&start[..], &derived(&**self.key, &[&start, challenge])[..]].concat()
    }
}
