//! Limits how many messages of one socket wait for the hub. A socket that has used its share is not read until the
//! hub has taken something; the network holds back the rest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tenfour_protocol::limits::{HUB_QUEUE, HUB_SHARE};

use crate::lock::lock;

/// Counts the messages of all sockets that wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue(Arc<AtomicUsize>);

/// The share of one socket.
#[derive(Debug)]
pub(crate) struct Share {
    waiting: AtomicUsize,
    all: Queue,
    /// Who reads the socket, while it waits for room.
    reader: Mutex<Option<Waker>>,
}

/// A message that waits for the hub, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Share>);

impl Queue {
    /// The share of a new socket.
    pub(crate) fn share(&self) -> Arc<Share> {
        Arc::new(Share { waiting: AtomicUsize::new(0), all: self.clone(), reader: Mutex::default() })
    }
}

impl Share {
    /// Counts one more message. It never refuses: a share says when to stop reading, and what was read is not lost.
    pub(crate) fn place(self: &Arc<Self>) -> Place {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.all.0.fetch_add(1, Ordering::Relaxed);
        Place(self.clone())
    }

    /// Ready while the socket may be read. Otherwise the task is woken when that may have changed.
    pub(crate) fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        *self.reader() = Some(context.waker().clone());
        // A message that left in between has woken nobody.
        if self.has_room() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn has_room(&self) -> bool {
        let crowded = self.all.0.load(Ordering::Relaxed) >= HUB_QUEUE;
        self.waiting.load(Ordering::Acquire) < if crowded { 1 } else { HUB_SHARE }
    }

    fn reader(&self) -> MutexGuard<'_, Option<Waker>> {
        lock(&self.reader)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self(share) = self;
        share.all.0.fetch_sub(1, Ordering::Relaxed);
        share.waiting.fetch_sub(1, Ordering::Release);
        let reader = share.reader().take();
        reader.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn has_room(share: &Share, woken: &Arc<Woken>) -> bool {
        let waker = woken.clone().into();
        share.poll_room(&Context::from_waker(&waker)).is_ready()
    }

    #[test]
    fn a_socket_waits_while_its_share_is_used_and_is_woken_once() {
        let (queue, woken) = (Queue::default(), Arc::new(Woken::default()));
        let (share, other) = (queue.share(), queue.share());
        let mut places: Vec<_> = (0..HUB_SHARE).map(|_| share.place()).collect();
        assert!(!has_room(&share, &woken) && has_room(&other, &woken));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        places.truncate(HUB_SHARE - 2);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "for the first of two");
        assert!(has_room(&share, &woken));
    }

    #[test]
    fn in_a_crowd_everybody_has_a_share_of_one() {
        let (queue, woken) = (Queue::default(), Arc::new(Woken::default()));
        let places: Vec<_> = (0..HUB_QUEUE).map(|_| queue.share().place()).collect();
        let share = queue.share();
        assert!(has_room(&share, &woken), "also for who comes last");
        let place = share.place();
        assert!(!has_room(&share, &woken));
        drop(place);
        assert!(has_room(&share, &woken));
        let _place = share.place();
        drop(places);
        assert!(has_room(&share, &woken));
    }
}
