//! The bus over NATS, with two connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::name::Name;
use super::{Bus, BusError, Event, Hearer, Lane};
use crate::lock::lock;
use crate::nats::wire::{Message, Said};
use crate::nats::{Link, Nats, NatsError, Sid};

/// Subscriptions have numbers from here on.
const FIRST: Sid = 16;

/// A node on NATS.
pub struct OverNats {
    control: End,
    voice: End,
}

struct End {
    /// What subjects of this lane begin with.
    prefix: String,
    link: Link,
    subjects: Arc<Mutex<Subjects>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Subjects {
    last: Sid,
    by_subject: HashMap<String, Sid>,
    /// How many of them have a star.
    stars: usize,
}

impl Subjects {
    fn insert(&mut self, subject: &str) -> Option<Sid> {
        if self.by_subject.contains_key(subject) {
            return None;
        }
        self.last += 1;
        self.by_subject.insert(subject.to_owned(), self.last);
        self.stars += usize::from(has_star(subject));
        Some(self.last)
    }

    fn remove(&mut self, subject: &str) -> Option<Sid> {
        let sid = self.by_subject.remove(subject)?;
        self.stars -= usize::from(has_star(subject));
        Some(sid)
    }

    /// False when this came by a subscription with a star and also comes by one of its own.
    fn is_first(&self, sid: Sid, subject: &str) -> bool {
        self.stars == 0 || self.by_subject.get(subject).is_none_or(|own| *own == sid)
    }
}

fn has_star(subject: &str) -> bool {
    subject.ends_with(".*")
}

impl std::fmt::Debug for OverNats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OverNats")
            .field("control", &self.control.link)
            .field("voice", &self.voice.link)
            .finish()
    }
}

impl OverNats {
    /// Connects, and makes sure that nobody else has our name. `start` tells this run of the node from any
    /// other.
    pub fn open(nats: &Nats, start: u64, control: Hearer, voice: Hearer) -> Result<Self, BusError> {
        let name = Name::of(nats, start)?;
        let control = End::open(nats, "control", control, Some(name.clone()))?;
        // Both are closed if this function fails.
        let control = Closing(Some(control));
        name.claim(&control.0.as_ref().expect("just made").link, nats)?;
        let voice = End::open(nats, "voice", voice, None)?;
        let control = control.keep();
        Ok(Self { control, voice })
    }

    fn end(&self, lane: Lane) -> &End {
        match lane {
            Lane::Control => &self.control,
            Lane::Voice => &self.voice,
        }
    }
}

/// A connection that is closed unless it is kept.
struct Closing(Option<End>);

impl Closing {
    fn keep(mut self) -> End {
        self.0.take().expect("kept once")
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(end) = &self.0 {
            end.close();
        }
    }
}

impl End {
    fn open(nats: &Nats, purpose: &str, mut hearer: Hearer, name: Option<Name>) -> Result<Self, NatsError> {
        let prefix = format!("{}.{purpose}.", nats.prefix);
        let own = prefix.clone();
        let subjects = Arc::new(Mutex::new(Subjects { last: FIRST, by_subject: HashMap::new(), stars: 0 }));
        let heard = subjects.clone();
        let hear = move |link: &Link, event: crate::nats::Event<'_>| match event {
            crate::nats::Event::Up(_) => {
                if let Some(name) = &name {
                    name.look(link);
                }
                hearer(Event::Up);
            }
            crate::nats::Event::Down => hearer(Event::Down),
            crate::nats::Event::Tick => hearer(Event::Tick),
            crate::nats::Event::Message(message) if message.sid < FIRST => {
                name.iter().for_each(|name| name.hear(link, &message));
            }
            crate::nats::Event::Message(Message { sid, subject, payload, .. }) => {
                let subject = subject.strip_prefix(own.as_str());
                // What two subscriptions take comes twice.
                if let Some(subject) = subject.filter(|subject| lock(&heard).is_first(sid, subject)) {
                    hearer(Event::Message { subject, payload });
                }
            }
        };
        let (link, thread) = Link::start(nats, purpose, Box::new(hear))?;
        Ok(Self { prefix, link, subjects, thread: Mutex::new(Some(thread)) })
    }

    fn close(&self) {
        self.link.close();
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of a connection to NATS had panicked");
        }
    }
}

impl Bus for OverNats {
    fn publish(&self, lane: Lane, subject: &str, parts: &[&[u8]]) -> bool {
        let end = self.end(lane);
        end.link.say(Said::publish(&[end.prefix.as_str(), subject], None, parts))
    }

    fn subscribe(&self, lane: Lane, subject: &str) {
        let end = self.end(lane);
        let mut subjects = lock(&end.subjects);
        if let Some(sid) = subjects.insert(subject) {
            end.link.subscribe(sid, &format!("{}{subject}", end.prefix));
        }
    }

    fn unsubscribe(&self, lane: Lane, subject: &str) {
        let end = self.end(lane);
        if let Some(sid) = lock(&end.subjects).remove(subject) {
            end.link.unsubscribe(sid);
        }
    }

    fn counts(&self, lane: Lane) -> (u64, u64) {
        self.end(lane).link.counts()
    }

    fn close(&self) {
        self.control.close();
        self.voice.close();
    }
}

impl Drop for OverNats {
    fn drop(&mut self) {
        self.close();
    }
}
