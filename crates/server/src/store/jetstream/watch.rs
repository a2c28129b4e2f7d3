//! Changes of the store as they are made, by whichever node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::bucket::Bucket;
use crate::nats::wire::{Message, Said};
use crate::nats::{Api, Link, Sid};

/// Answers to the wish for a watch.
const WISHES: Sid = 2;
/// Subscriptions of watches have numbers from here on.
const FIRST: Sid = 16;
/// How often JetStream says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Silence after which the watch is begun anew.
const DEAD_AFTER: Duration = Duration::from_secs(4);

/// What is done with a value: its key, its revision, and its bytes.
pub(super) type Sink = Box<dyn FnMut(&str, u64, &[u8]) + Send>;

/// A watch on the keys below one word. It begins anew when something was missed.
pub(super) struct Watch {
    stream: String,
    /// What keys begin with, as subjects.
    root: String,
    filter: String,
    api: Api,
    sink: Sink,
    /// Called once, when everything that was there before has been told.
    begun: Option<Box<dyn FnOnce() + Send>>,
    /// True while nothing is missed.
    live: Arc<AtomicBool>,
    sid: Sid,
    /// Revisions up to here were told.
    told: u64,
    /// Messages of this watch so far.
    count: u64,
    heard: Instant,
}

impl Watch {
    pub(super) fn new(
        bucket: &Bucket,
        word: &str,
        api: &Api,
        live: &Arc<AtomicBool>,
        sink: Sink,
        begun: Box<dyn FnOnce() + Send>,
    ) -> Self {
        Self {
            stream: bucket.stream(),
            root: bucket.subject(""),
            filter: bucket.subject(&format!("{word}.*")),
            api: api.clone(),
            sink,
            begun: Some(begun),
            live: live.clone(),
            sid: FIRST,
            told: 0,
            count: 0,
            heard: Instant::now(),
        }
    }

    /// The connection is there: begins, or begins anew.
    pub(super) fn begin(&mut self, link: &Link) {
        self.live.store(false, Ordering::Release);
        link.unsubscribe(self.sid);
        self.sid += 1;
        (self.count, self.heard) = (0, Instant::now());
        let deliver = self.api.subject(&format!("watch-{}", self.sid));
        let answer = self.api.subject("wishes");
        link.subscribe(WISHES, &answer);
        link.subscribe(self.sid, &deliver);
        let mut config = json!({
            "deliver_subject": deliver, "filter_subject": self.filter, "ack_policy": "none",
            "replay_policy": "instant", "max_deliver": 1, "mem_storage": true, "num_replicas": 1,
            "flow_control": true, "idle_heartbeat": nanos(HEARTBEAT), "inactive_threshold": nanos(DEAD_AFTER * 4),
        });
        if self.told == 0 {
            config["deliver_policy"] = json!("last_per_subject");
        } else {
            config["deliver_policy"] = json!("by_start_sequence");
            config["opt_start_seq"] = json!(self.told + 1);
        }
        let wish = json!({ "stream_name": self.stream, "config": config }).to_string();
        let subject = format!("$JS.API.CONSUMER.CREATE.{}", self.stream);
        link.say(Said::publish(&[&subject], Some(&answer), &[wish.as_bytes()]));
    }

    /// The connection is gone.
    pub(super) fn lose(&self) {
        self.live.store(false, Ordering::Release);
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, link: &Link) {
        if link.is_up() && self.heard.elapsed() > DEAD_AFTER {
            self.begin(link);
        }
    }

    /// A message came, maybe of this watch.
    pub(super) fn message(&mut self, link: &Link, message: &Message<'_>) {
        if message.sid == WISHES {
            self.wished(message);
        } else if message.sid == self.sid {
            self.heard = Instant::now();
            match message.status() {
                Some(_) => self.word(link, message),
                None => self.value(link, message),
            }
        }
    }

    fn wished(&mut self, message: &Message<'_>) {
        let answer: serde_json::Value = serde_json::from_slice(message.payload).unwrap_or_default();
        if let Some(error) = answer.get("error") {
            // It is tried again when the silence has been long enough.
            tracing::error!(reason = %error, "JetStream does not tell of changes");
            return;
        }
        self.live.store(true, Ordering::Release);
        if answer["num_pending"] == 0 && answer["delivered"]["consumer_seq"] == 0 {
            self.begun();
        }
    }

    fn begun(&mut self) {
        if let Some(begun) = self.begun.take() {
            begun();
        }
    }

    /// JetStream says that it is there, or asks whether we keep up.
    fn word(&mut self, link: &Link, message: &Message<'_>) {
        if let Some(reply) = message.reply.or(message.header("Nats-Consumer-Stalled")) {
            link.say(Said::publish(&[reply], None, &[]));
        }
        let last = message.header("Nats-Last-Consumer").and_then(|last| last.parse().ok());
        if last.is_some_and(|last: u64| last != self.count) {
            self.begin(link);
        }
    }

    fn value(&mut self, link: &Link, message: &Message<'_>) {
        let Some(place) = message.reply.and_then(Place::of) else { return };
        if place.count != self.count + 1 {
            return self.begin(link);
        }
        self.count = place.count;
        self.told = place.revision;
        if let Some(key) = message.subject.strip_prefix(self.root.as_str()) {
            (self.sink)(key, place.revision, message.payload);
        }
        if place.pending == 0 {
            self.begun();
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Where a message stands, from the subject of its acknowledgement.
struct Place {
    revision: u64,
    count: u64,
    pending: u64,
}

impl Place {
    /// `$JS.ACK.stream.consumer.delivered.revision.count.time.pending`, or with domain and account in
    /// front, and a word at the end.
    fn of(reply: &str) -> Option<Self> {
        let words: Vec<&str> = reply.split('.').collect();
        let first = match words.len() {
            9 => 5,
            11.. => 7,
            _ => return None,
        };
        let number = |at: usize| words.get(at)?.parse().ok();
        Some(Self { revision: number(first)?, count: number(first + 1)?, pending: number(first + 3)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_acknowledgement_say_where_a_message_stands() {
        for reply in
            ["$JS.ACK.KV_x.cons.1.42.7.1700000000.3", "$JS.ACK._.hash.KV_x.cons.1.42.7.1700000000.3.rnd"]
        {
            let place = Place::of(reply).unwrap();
            assert_eq!((place.revision, place.count, place.pending), (42, 7, 3));
        }
        assert!(Place::of("$JS.FC.x").is_none());
    }
}
