//! The bus of one process: for a server that is the only node there is nobody in it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Bus, Event, Hearer, Lane};

use crate::lock::lock;

/// A room that nodes of this process are in.
#[derive(Clone, Default)]
pub struct Room(Arc<Mutex<People>>);

#[derive(Default)]
struct People {
    last: u64,
    nodes: BTreeMap<u64, Arc<Node>>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("nodes", &lock(&self.0).nodes.len()).finish()
    }
}

struct Node {
    control: Mutex<End>,
    voice: Mutex<End>,
}

struct End {
    subjects: HashSet<String>,
    hearer: Option<Hearer>,
    said: u64,
}

impl End {
    fn hears(&self, subject: &str) -> bool {
        let any = |pattern: &String| {
            let root = pattern.strip_suffix(".*");
            root.is_some_and(|root| subject.rsplit_once('.').is_some_and(|(words, _)| words == root))
        };
        self.subjects.contains(subject) || self.subjects.iter().any(any)
    }

    fn new(mut hearer: Hearer) -> Mutex<Self> {
        hearer(Event::Up);
        Mutex::new(Self { subjects: HashSet::new(), hearer: Some(hearer), said: 0 })
    }
}

impl Node {
    fn end(&self, lane: Lane) -> MutexGuard<'_, End> {
        match lane {
            Lane::Control => lock(&self.control),
            Lane::Voice => lock(&self.voice),
        }
    }
}

/// A node in a room.
#[derive(Debug)]
pub struct Local {
    room: Room,
    number: u64,
}

impl Room {
    /// Comes in.
    pub fn enter(&self, control: Hearer, voice: Hearer) -> Local {
        let node = Arc::new(Node { control: End::new(control), voice: End::new(voice) });
        let mut people = lock(&self.0);
        people.last += 1;
        let number = people.last;
        people.nodes.insert(number, node);
        Local { room: self.clone(), number }
    }
}

impl Local {
    fn me(&self) -> Option<Arc<Node>> {
        lock(&self.room.0).nodes.get(&self.number).cloned()
    }
}

impl Bus for Local {
    fn publish(&self, lane: Lane, subject: &str, parts: &[&[u8]]) -> bool {
        let Some(me) = self.me() else { return false };
        me.end(lane).said += 1;
        let others: Vec<_> = {
            let people = lock(&self.room.0);
            people
                .nodes
                .iter()
                .filter(|(number, _)| **number != self.number)
                .map(|(_, node)| node.clone())
                .collect()
        };
        let mut payload = None;
        for other in others {
            let mut end = other.end(lane);
            if end.hears(subject)
                && let Some(hearer) = &mut end.hearer
            {
                let payload = payload.get_or_insert_with(|| zeroize::Zeroizing::new(parts.concat()));
                hearer(Event::Message { subject, payload });
            }
        }
        true
    }

    fn subscribe(&self, lane: Lane, subject: &str) {
        if let Some(me) = self.me() {
            me.end(lane).subjects.insert(subject.to_owned());
        }
    }

    fn unsubscribe(&self, lane: Lane, subject: &str) {
        if let Some(me) = self.me() {
            me.end(lane).subjects.remove(subject);
        }
    }

    fn counts(&self, lane: Lane) -> (u64, u64) {
        self.me().map_or((0, 0), |me| (me.end(lane).said, 0))
    }

    fn close(&self) {
        let gone = lock(&self.room.0).nodes.remove(&self.number);
        if let Some(node) = gone {
            for lane in [Lane::Control, Lane::Voice] {
                node.end(lane).hearer = None;
            }
        }
    }
}
