//! What a node remembers of the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;

use super::page::Page;
use super::vault::Vault;
use super::{first_of, parse};
use crate::lock::lock;
use crate::store::{Change, Revision};

/// Pages that are remembered, for when JetStream does not answer.
const MAX_PAGES: usize = 65_536;

/// Pages of people who are here, as they were last seen, with their revisions; and a little of all others.
#[derive(Debug, Default)]
pub(super) struct Pages {
    remembered: HashMap<String, (u64, Page)>,
    /// Of each tag, which has 20 bits: the newest version that was seen, and how many users it has. Kept when it
    /// has none: somebody could put an earlier page back.
    tags: HashMap<String, (u64, usize)>,
    users: usize,
}

impl Pages {
    /// The page of a key, with its revision, if it is remembered.
    pub(super) fn known(&self, key: &str) -> Option<(u64, Page)> {
        self.remembered.get(key).cloned()
    }

    /// The newest version of the page of a key that was seen.
    pub(super) fn version(&self, key: &str) -> u64 {
        self.tags.get(key).map_or(0, |(version, _)| *version)
    }

    /// Users there are.
    pub(super) fn users(&self) -> usize {
        self.users
    }

    pub(super) fn remember(&mut self, key: &str, revision: u64, page: &Page) {
        if !self.count(key, page) {
            return;
        }
        let remembered = &mut self.remembered;
        if remembered.get(key).is_some_and(|(known, _)| *known >= revision) {
            return;
        }
        if remembered.len() >= MAX_PAGES
            && !remembered.contains_key(key)
            && let Some(any) = remembered.keys().next().cloned()
        {
            remembered.remove(&any);
        }
        remembered.insert(key.to_owned(), (revision, page.clone()));
    }

    /// Notes a change of another node, and keeps the page if it is one of ours. False when a later one was seen.
    pub(super) fn refresh(&mut self, key: &str, revision: u64, page: &Page) -> bool {
        if self.remembered.contains_key(key) {
            self.remember(key, revision, page);
        }
        self.count(key, page)
    }

    /// False when a later one was seen.
    fn count(&mut self, key: &str, page: &Page) -> bool {
        let (version, count) = (page.version(), page.count());
        let (seen, before) = self.tags.get(key).copied().unwrap_or_default();
        if version < seen {
            return false;
        }
        self.tags.insert(key.to_owned(), (version, count));
        self.users = (self.users + count).saturating_sub(before);
        true
    }
}

/// Remembers what comes, and passes it on.
pub(super) fn teller(
    vault: Vault,
    pages: Arc<Mutex<Pages>>,
    sink: UnboundedSender<Change>,
) -> impl FnMut(&str, u64, &[u8]) + Send {
    move |key, revision, sealed| {
        let Some(first) = first_of(key) else { return vault.refuse() };
        let page = vault.open(key, sealed).and_then(|bytes| parse(key, &bytes).ok());
        // One that is not ours means nothing: what was told before stands.
        let Some(page) = page else { return };
        if !lock(&pages).refresh(key, revision, &page) {
            // An earlier one that somebody has put back.
            return vault.refuse();
        }
        let (first, last) = first.of_same_tag();
        let change = Change {
            revision: Revision(revision),
            first,
            last,
            users: page.users(),
            sessions: page.sessions(),
        };
        // After the stop nobody receives it.
        sink.send(change).ok();
    }
}
