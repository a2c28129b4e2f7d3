//! A bucket of keys and values in JetStream, by the few questions that it takes.
//!
//! It is a bucket as every tool for NATS knows them, but for one thing: single revisions can be
//! deleted. JetStream overwrites what is deleted so; what is merely replaced it leaves on the disk until
//! it tidies up.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::vault::Vault;
use crate::nats::{Api, Link, NatsError};

/// Earlier values that JetStream keeps by itself: room for nodes that change one value at the same time,
/// so that each can overwrite what it has replaced.
const HISTORY: u32 = 16;
/// Subjects in one list: a server gives no more at once.
const MAX_LISTED: usize = 100_000;
/// Numbers of JetStream for what we expect to happen.
const NO_STREAM: u64 = 10_059;
const NO_MESSAGE: u64 = 10_037;
const OTHER_REVISION: u64 = 10_071;
const NAME_IN_USE: u64 = 10_058;

/// What a bucket is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// On disk, until it is removed.
    ForGood,
    /// In memory, for this time.
    For(std::time::Duration),
}

/// A bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    link: Link,
    api: Api,
    name: String,
    vault: Vault,
}

/// A value with its revision, as far as it is one of ours.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) revision: u64,
    pub(super) bytes: Option<Zeroizing<Vec<u8>>>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Bucket {
    /// Opens the bucket, and makes it when it is missing. `replicas` is what a cluster can bear.
    pub(super) fn open(
        link: &Link,
        api: &Api,
        name: &str,
        vault: Vault,
        kept: Kept,
        clustered: bool,
    ) -> Result<Self, NatsError> {
        let bucket = Self { link: link.clone(), api: api.clone(), name: name.to_owned(), vault };
        match bucket.api("STREAM.INFO", &json!({})) {
            Err(NatsError::JetStream { code: NO_STREAM, .. }) => {}
            other => return other.map(|_| bucket),
        }
        // Three copies survive the loss of one; a cluster of two servers, or none, has one.
        let copies = if clustered && matches!(kept, Kept::ForGood) { &[3, 1][..] } else { &[1][..] };
        let mut made = Err(NatsError::Silent);
        for replicas in copies {
            made = bucket.api("STREAM.CREATE", &bucket.config(kept, *replicas));
            match &made {
                Ok(_) => break,
                Err(error) => tracing::warn!(replicas, reason = %error, "JetStream makes no such bucket"),
            }
        }
        match made {
            // Another node made it first.
            Err(NatsError::JetStream { code: NAME_IN_USE, .. }) | Ok(_) => Ok(bucket),
            Err(error) => Err(error),
        }
    }

    fn config(&self, kept: Kept, replicas: u32) -> Value {
        let (storage, age, history) = match kept {
            Kept::ForGood => ("file", 0, HISTORY),
            Kept::For(time) => ("memory", u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), 1),
        };
        json!({
            "name": format!("KV_{}", self.name),
            "subjects": [format!("$KV.{}.>", self.name)],
            "retention": "limits", "discard": "new", "storage": storage, "num_replicas": replicas,
            "max_msgs_per_subject": history, "max_age": age, "max_msgs": -1, "max_bytes": -1,
            "max_consumers": -1, "max_msg_size": -1, "allow_rollup_hdrs": true, "deny_delete": false,
            "allow_direct": false,
        })
    }

    pub(super) fn stream(&self) -> String {
        format!("KV_{}", self.name)
    }

    pub(super) fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    /// Seals and opens its values.
    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The newest value of a key.
    pub(super) fn get(&self, key: &str) -> Result<Option<Held>, NatsError> {
        self.message(key, &json!({ "last_by_subj": self.subject(key) }))
    }

    /// All values of a key that are kept and are ours, the oldest first: somebody else may have written behind
    /// them.
    pub(super) fn earlier(&self, key: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, NatsError> {
        let (mut from, mut ours) = (1, Vec::new());
        for _ in 0..=HISTORY {
            let next = json!({ "seq": from, "next_by_subj": self.subject(key) });
            let Some(Held { revision, bytes }) = self.message(key, &next)? else { break };
            ours.extend(bytes);
            from = revision + 1;
        }
        Ok(ours)
    }

    fn message(&self, key: &str, question: &Value) -> Result<Option<Held>, NatsError> {
        #[derive(Deserialize)]
        struct Got {
            message: Message,
        }
        #[derive(Deserialize)]
        struct Message {
            seq: u64,
            #[serde(default)]
            data: String,
        }
        let answer = match self.api("STREAM.MSG.GET", question) {
            Err(NatsError::JetStream { code: NO_MESSAGE, .. }) => return Ok(None),
            other => other?,
        };
        let Got { message } = serde_json::from_slice(&answer).map_err(|error| foreign(&error))?;
        let data = Zeroizing::new(message.data);
        let bytes = Zeroizing::new(BASE64.decode(data.as_bytes()).map_err(|error| foreign(&error))?);
        Ok(Some(Held { revision: message.seq, bytes: self.vault.open(key, &bytes) }))
    }

    /// Sets a value if the newest one is still of this revision, 0 for none. Nothing when it is not.
    pub(super) fn set(&self, key: &str, bytes: &[u8], revision: u64) -> Result<Option<u64>, NatsError> {
        #[derive(Deserialize)]
        struct Stored {
            seq: u64,
        }
        let expected = revision.to_string();
        let headers = [("Nats-Expected-Last-Subject-Sequence", expected.as_str())];
        let sealed = self.vault.seal(key, bytes);
        let answer = self.api.ask(&self.link, &self.subject(key), &headers, &sealed)?;
        if answer.status.is_some() {
            return Err(NatsError::Silent);
        }
        match failed(&answer.payload) {
            Some(NatsError::JetStream { code: OTHER_REVISION, .. }) => Ok(None),
            Some(error) => Err(error),
            None => {
                let Stored { seq } =
                    serde_json::from_slice(&answer.payload).map_err(|error| foreign(&error))?;
                Ok(Some(seq))
            }
        }
    }

    /// Deletes one revision, and has its bytes overwritten. One that is gone is no error.
    pub(super) fn overwrite(&self, revision: u64) -> Result<(), NatsError> {
        match self.api("STREAM.MSG.DELETE", &json!({ "seq": revision, "no_erase": false })) {
            Err(NatsError::JetStream { .. }) if self.is_gone(revision)? => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn is_gone(&self, revision: u64) -> Result<bool, NatsError> {
        match self.api("STREAM.MSG.GET", &json!({ "seq": revision })) {
            Err(NatsError::JetStream { code: NO_MESSAGE, .. }) => Ok(true),
            other => other.map(|_| false),
        }
    }

    /// The keys that fit a pattern.
    pub(super) fn keys(&self, pattern: &str) -> Result<Vec<String>, NatsError> {
        #[derive(Deserialize)]
        struct Info {
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(default)]
            subjects: Option<std::collections::BTreeMap<String, u64>>,
        }
        let root = self.subject("");
        let (mut keys, mut offset) = (Vec::new(), 0);
        loop {
            let question = json!({ "subjects_filter": self.subject(pattern), "offset": offset });
            let answer = self.api("STREAM.INFO", &question)?;
            let Info { state } = serde_json::from_slice(&answer).map_err(|error| foreign(&error))?;
            let page = state.subjects.unwrap_or_default();
            offset += page.len();
            let full = page.len() >= MAX_LISTED;
            keys.extend(page.into_keys().filter_map(|subject| Some(subject.strip_prefix(&root)?.to_owned())));
            if !full {
                return Ok(keys);
            }
        }
    }

    /// Asks JetStream about this bucket.
    fn api(&self, what: &str, question: &Value) -> Result<Zeroizing<Vec<u8>>, NatsError> {
        let subject = format!("$JS.API.{what}.KV_{}", self.name);
        let question = Zeroizing::new(question.to_string());
        let answer = self.api.ask(&self.link, &subject, &[], question.as_bytes())?;
        if answer.status.is_some() {
            return Err(NatsError::Silent);
        }
        failed(&answer.payload).map_or(Ok(answer.payload), Err)
    }
}

fn failed(answer: &[u8]) -> Option<NatsError> {
    #[derive(Deserialize)]
    struct Failed {
        error: Option<Failure>,
    }
    let failure = serde_json::from_slice::<Failed>(answer).ok()?.error?;
    let code = if failure.err_code == 0 { failure.code } else { failure.err_code };
    Some(NatsError::JetStream { code, reason: failure.description })
}

fn foreign(error: &dyn std::fmt::Display) -> NatsError {
    NatsError::JetStream { code: 0, reason: format!("its answer cannot be read: {error}") }
}
