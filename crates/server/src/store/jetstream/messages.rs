//! Messages to the operator, each a value of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenfour_protocol::limits::{CONTACTS, CONTACTS_PER_USER};
use tenfour_protocol::{ContactText, Handle, UserId};

use super::bucket::Held;
use super::vault::Vault;
use super::{JetStream, MAX_TRIES, damaged, key_of};
use crate::nats::NatsError;
use crate::store::{Left, Minute, StoreError, StoredMessage};

/// What a message is, beside its key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    user: UserId,
    handle: Handle,
    text: ContactText,
}

/// What a key says.
struct Place {
    key: String,
    /// Tells writers apart without telling who they are.
    writer: String,
    id: u32,
    sent: Minute,
}

impl Place {
    fn new(vault: &Vault, user: &UserId, id: u32, sent: Minute) -> Self {
        let writer = writer(vault, user);
        let words = format!("message.{writer}.{id}.{}", sent.0);
        Self { key: format!("{words}.{}", vault.mark(&words)), writer, id, sent }
    }

    /// Nothing when no node has made this key.
    fn of(vault: &Vault, key: String) -> Option<Self> {
        let (words, mark) = key.rsplit_once('.')?;
        if !vault.is_marked(words, mark) {
            vault.refuse();
            return None;
        }
        let mut words = words.strip_prefix("message.")?.split('.');
        let (writer, id, sent) =
            (words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { writer, id, sent: Minute(sent), key })
    }
}

fn writer(vault: &Vault, user: &UserId) -> String {
    vault.mark(&format!("writer {user}"))
}

impl JetStream {
    /// Leaves a message, if there is room. Two nodes that do so at the same moment may let one more in.
    pub(super) fn leave_message(
        &mut self,
        id: &UserId,
        text: &ContactText,
        sent: Minute,
    ) -> Result<Left, StoreError> {
        let places = self.places("message.>")?;
        let me = writer(self.users.vault(), id);
        let own = places.iter().filter(|place| place.writer == me).count();
        if own >= CONTACTS_PER_USER {
            return Ok(Left::TooMany);
        }
        if places.len() >= CONTACTS && (own > 0 || !self.make_room(&places)?) {
            return Ok(Left::Full);
        }
        let Some(user) = self.page(&key_of(id))?.1.user(id) else { return Ok(Left::Unknown) };
        let number = self.next_number(&places)?;
        let Place { key, .. } = Place::new(self.users.vault(), id, number, sent);
        let body = Body { user: *id, handle: user.handle, text: text.clone() };
        let body = zeroize::Zeroizing::new(serde_json::to_vec(&body).expect("a message is JSON"));
        self.users.set(&key, &body, 0)?;
        // An erasure in between has not seen it.
        if self.page(&key_of(id))?.1.user(id).is_none() {
            self.erase_messages(id)?;
            return Ok(Left::Unknown);
        }
        Ok(Left::Done)
    }

    /// Forgets the oldest one of whoever has most of them. False when nobody has more than one.
    fn make_room(&mut self, places: &[Place]) -> Result<bool, StoreError> {
        let mut of_each: BTreeMap<&str, (usize, u32)> = BTreeMap::new();
        for place in places {
            let (count, oldest) = of_each.entry(&place.writer).or_insert((0, place.id));
            (*count, *oldest) = (*count + 1, place.id.min(*oldest));
        }
        let most = of_each.values().max_by_key(|(count, oldest)| (*count, std::cmp::Reverse(*oldest)));
        let Some(oldest) = most.filter(|(count, _)| *count > 1).map(|(_, oldest)| *oldest) else {
            return Ok(false);
        };
        places.iter().filter(|place| place.id == oldest).try_for_each(|place| self.forget(place))?;
        Ok(true)
    }

    /// Counts up, and is never used again.
    fn next_number(&mut self, places: &[Place]) -> Result<u32, StoreError> {
        let number =
            |bytes: &[u8]| serde_json::from_slice::<u32>(bytes).map_err(|error| damaged("messages", &error));
        for _ in 0..MAX_TRIES {
            let (revision, last) = match self.users.get("messages")? {
                None => (0, 0),
                Some(Held { revision, bytes: Some(bytes) }) => (revision, number(&bytes)?),
                // Somebody else has written there.
                Some(Held { revision, bytes: None }) => {
                    let earlier = self.users.earlier("messages")?;
                    let all = earlier.iter().map(|bytes| number(bytes)).collect::<Result<Vec<_>, _>>()?;
                    (revision, all.into_iter().max().unwrap_or(0))
                }
            };
            let used = places.iter().map(|place| place.id).max().unwrap_or(0);
            let next = last.max(used).saturating_add(1);
            if self.users.set("messages", next.to_string().as_bytes(), revision)?.is_some() {
                self.replaced.extend((revision > 0).then_some(revision));
                return Ok(next);
            }
        }
        Err(NatsError::Silent.into())
    }

    /// The oldest first.
    pub(super) fn read_messages(&mut self, of: Option<&UserId>) -> Result<Vec<StoredMessage>, StoreError> {
        let pattern = of.map_or_else(|| "message.>".to_owned(), |user| self.pattern(user));
        let mut messages = Vec::new();
        for Place { key, id, sent, .. } in self.places(&pattern)? {
            // It may have been removed in the meantime. A value that is not ours may hide one that is.
            let Some(Held { bytes, .. }) = self.users.get(&key)? else { continue };
            let bytes = match bytes {
                Some(bytes) => Some(bytes),
                None => self.users.earlier(&key)?.pop(),
            };
            let Some(bytes) = bytes else { continue };
            let Body { user, handle, text } =
                serde_json::from_slice(&bytes).map_err(|error| damaged("message", &error))?;
            messages.push(StoredMessage { id, user, handle, sent, text });
        }
        messages.sort_unstable_by_key(|message| message.id);
        Ok(messages)
    }

    pub(super) fn erase_messages(&mut self, id: &UserId) -> Result<(), StoreError> {
        let places = self.places(&self.pattern(id))?;
        places.iter().try_for_each(|place| self.forget(place))
    }

    /// Forgets those that fit; says how many they were.
    pub(super) fn forget_messages(
        &mut self,
        fits: impl Fn(u32, Minute) -> bool,
    ) -> Result<usize, StoreError> {
        let mut places = self.places("message.>")?;
        places.retain(|place| fits(place.id, place.sent));
        places.iter().try_for_each(|place| self.forget(place))?;
        Ok(places.len())
    }

    fn forget(&mut self, place: &Place) -> Result<(), StoreError> {
        if let Some(held) = self.users.get(&place.key)? {
            self.users.overwrite(held.revision)?;
        }
        Ok(())
    }

    /// The keys of a user's messages.
    fn pattern(&self, user: &UserId) -> String {
        format!("message.{}.>", writer(self.users.vault(), user))
    }

    fn places(&self, pattern: &str) -> Result<Vec<Place>, StoreError> {
        let place = |key| Place::of(self.users.vault(), key);
        Ok(self.users.keys(pattern)?.into_iter().filter_map(place).collect())
    }
}
