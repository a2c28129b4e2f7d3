//! Messages to the operator, each a value of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenfour_protocol::limits::{CONTACTS, CONTACTS_PER_USER};
use tenfour_protocol::{ContactText, Handle, UserId};

use super::{JetStream, TRIES, damaged, key_of};
use crate::nats::NatsError;
use crate::store::{Left, Minute, StoreError, StoredMessage};

/// What a message is, beside its key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    handle: Handle,
    text: ContactText,
}

/// What a key says.
struct Place {
    key: String,
    user: UserId,
    id: u32,
    sent: Minute,
}

impl Place {
    fn of(key: String) -> Option<Self> {
        let mut words = key.strip_prefix("message.")?.split('.');
        let (user, id, sent) =
            (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { user, id, sent: Minute(sent), key })
    }
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
        let own = places.iter().filter(|place| place.user == *id).count();
        if own >= CONTACTS_PER_USER {
            return Ok(Left::TooMany);
        }
        if places.len() >= CONTACTS && (own > 0 || !self.make_room(&places)?) {
            return Ok(Left::Full);
        }
        let Some(user) = self.page(&key_of(id))?.1.user(id) else { return Ok(Left::Unknown) };
        let key = format!("message.{id}.{}.{}", self.next_number()?, sent.0);
        let body = Body { handle: user.handle, text: text.clone() };
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
        let mut of_each: BTreeMap<&UserId, (usize, u32)> = BTreeMap::new();
        for place in places {
            let (count, oldest) = of_each.entry(&place.user).or_insert((0, place.id));
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
    fn next_number(&mut self) -> Result<u32, StoreError> {
        for _ in 0..TRIES {
            let (revision, last) = match self.users.get("messages")? {
                None => (0, 0),
                Some(held) => {
                    let last = serde_json::from_slice::<u32>(&held.bytes);
                    (held.revision, last.map_err(|error| damaged("messages", &error))?)
                }
            };
            let next = last.saturating_add(1);
            if self.users.set("messages", next.to_string().as_bytes(), revision)?.is_some() {
                self.replaced.extend((revision > 0).then_some(revision));
                return Ok(next);
            }
        }
        Err(NatsError::Silent.into())
    }

    /// The oldest first.
    pub(super) fn read_messages(&mut self, of: Option<&UserId>) -> Result<Vec<StoredMessage>, StoreError> {
        let pattern = of.map_or_else(|| "message.>".to_owned(), |user| format!("message.{user}.>"));
        let mut messages = Vec::new();
        for Place { key, user, id, sent } in self.places(&pattern)? {
            // One that was removed in the meantime is none.
            let Some(held) = self.users.get(&key)? else { continue };
            let Body { handle, text } =
                serde_json::from_slice(&held.bytes).map_err(|error| damaged("message", &error))?;
            messages.push(StoredMessage { id, user, handle, sent, text });
        }
        messages.sort_unstable_by_key(|message| message.id);
        Ok(messages)
    }

    pub(super) fn erase_messages(&mut self, id: &UserId) -> Result<(), StoreError> {
        let places = self.places(&format!("message.{id}.>"))?;
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

    fn places(&mut self, pattern: &str) -> Result<Vec<Place>, StoreError> {
        Ok(self.users.keys(pattern)?.into_iter().filter_map(Place::of).collect())
    }
}
