//! What the thread of the store does.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tenfour_core::reach::scrub_stack;
use tenfour_protocol::limits::CONTACT_KEPT;

use super::job::{Effect, Job, LogOut, Outcome, Reply, Trouble, told};
use super::{Minute, Store, StoreError};
use crate::calendar::this_minute;

/// Most operations that one commit makes last together. One wait for the disk serves all of them.
const MAX_BATCH: usize = 256;
/// The same on a full disk: what they write has to fit into the room that is kept.
const MAX_BATCH_WHEN_FULL: usize = 2;
/// Changes after which the thread looks whether the room that is kept is whole. A look costs as much as a commit.
const CHANGES_PER_CHECK: usize = 64;
/// How often the thread looks what the disk says.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it writes something to see whether it can.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// How often it removes messages that have waited for too long.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(3600);
/// Most log-outs that wait for a store that takes nothing. More are lost, and the operator is told.
const MAX_OWED: usize = 10_000;

/// A store, and what is to be done with it.
pub(super) struct StoreLoop {
    store: Box<dyn Store>,
    /// Set until a scrub has worked.
    unclean: bool,
    /// The disk is full: what makes files longer is refused.
    full: bool,
    /// Changes since the last look whether the room is there.
    changes: usize,
    trouble: Trouble,
    debts: Debts,
    checked: Instant,
    probed: Instant,
    expired: Option<Instant>,
}

/// Log-outs that are not stored: somebody has left, and a restart would bring the session back. They are tried
/// again until they are. Boxed, as the spare room of a vector keeps what was removed.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "the spare room of a vector keeps what was removed, too")]
struct Debts {
    owed: Vec<Box<LogOut>>,
    /// Those of the batch that is under way: they are owed if it does not last.
    under_way: Vec<Box<LogOut>>,
}

impl Debts {
    fn owe(&mut self, log_out: Box<LogOut>) {
        if self.owed.len() < MAX_OWED {
            self.owed.push(log_out);
        } else {
            tracing::error!("too many log-outs wait for the store: a restart may undo one");
        }
    }

    /// The batch is over.
    fn settle(&mut self, lasting: bool) {
        let under_way = std::mem::take(&mut self.under_way);
        if !lasting {
            under_way.into_iter().for_each(|log_out| self.owe(log_out));
        }
    }
}

impl StoreLoop {
    pub(super) fn new(store: impl Store + 'static, trouble: Trouble) -> Self {
        let now = Instant::now();
        Self {
            store: Box::new(store),
            unclean: false,
            full: false,
            changes: 0,
            trouble,
            debts: Debts::default(),
            checked: now,
            probed: now,
            expired: None,
        }
    }

    /// Serves until all handles are gone.
    pub(super) fn run(&mut self, inbox: &Receiver<Job>) {
        self.keep_room();
        loop {
            if self.expired.is_none_or(|at| at.elapsed() >= EXPIRY_INTERVAL) {
                self.expired = Some(Instant::now());
                self.expire();
            }
            let most = if self.full { MAX_BATCH_WHEN_FULL } else { MAX_BATCH };
            let batch: Vec<_> =
                match inbox.recv_timeout(CHECK_INTERVAL.saturating_sub(self.checked.elapsed())) {
                    Ok(first) => std::iter::once(first).chain(inbox.try_iter().take(most - 1)).collect(),
                    Err(RecvTimeoutError::Timeout) => Vec::new(),
                    Err(RecvTimeoutError::Disconnected) => return drop(told(self.pay())),
                };
            if self.checked.elapsed() >= CHECK_INTERVAL {
                self.check();
            }
            if !batch.is_empty() {
                self.carry_out(batch);
                scrub_stack();
            }
        }
    }

    fn check(&mut self) {
        self.checked = Instant::now();
        self.changes = 0;
        let mut found = self.store.keep_room();
        // What was wrong may not show in the room: only a write tells that it is over.
        if found.is_ok() && (self.probed.elapsed() >= PROBE_INTERVAL || self.trouble.words().is_some()) {
            self.probed = Instant::now();
            found = self.store.probe().and_then(|()| self.pay());
        }
        self.judge(found);
    }

    /// Makes the room that is kept whole again.
    fn keep_room(&mut self) {
        self.changes = 0;
        let room = self.store.keep_room();
        self.judge(room);
    }

    /// What is wrong is told when it begins and when it is over.
    fn judge(&mut self, found: Result<(), StoreError>) {
        self.full = matches!(found, Err(StoreError::Full { .. }));
        let words = found.err().map(|error| error.to_string());
        let before = self.trouble.note(words.clone());
        match (before, words) {
            (None, Some(reason)) => tracing::error!(reason, "the store takes nothing new"),
            (Some(_), None) => tracing::warn!("the store takes everything again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Removes messages that nobody has removed for too long. Failed, it is done in an hour.
    fn expire(&mut self) {
        let kept = u32::try_from(CONTACT_KEPT.as_secs() / 60).unwrap_or(u32::MAX);
        let before = Minute(this_minute().0.saturating_sub(kept));
        if let Ok(gone @ 1..) = told(self.store.expire_messages(before)) {
            tracing::info!(count = gone, "messages to the operator were removed: nobody had for 90 days");
            self.unclean = told(self.store.scrub()).is_err();
        }
    }

    /// Stores log-outs that could not be stored before.
    fn pay(&mut self) -> Result<(), StoreError> {
        if self.debts.owed.is_empty() {
            return Ok(());
        }
        self.debts.owed.iter().try_for_each(|log_out| log_out.carry_out(&mut *self.store))?;
        self.store.scrub()?;
        let count = self.debts.owed.len();
        self.debts.owed.clear();
        tracing::info!(count, "log-outs that could not be stored before are stored");
        Ok(())
    }

    fn carry_out(&mut self, mut batch: Vec<Job>) {
        let changes = batch.iter().filter(|job| job.effect.writes()).count();
        self.changes += changes;
        if changes > 0 && (self.full || self.changes >= CHANGES_PER_CHECK || self.store.is_full()) {
            self.keep_room();
        }
        if changes > 0 && self.full {
            for job in batch.extract_if(.., |job| job.effect.grows()) {
                job.refuse(StoreError::Full { path: "the store".to_owned() });
            }
            // So that the write-ahead log begins where its room does.
            self.unclean = told(self.store.scrub()).is_err();
        }
        let writes = batch.iter().any(|job| job.effect.writes());
        self.unclean |= batch.iter().any(|job| job.effect.leaves_something());
        if writes && let Err(error) = self.store.begin() {
            tracing::error!(reason = %error, "the store cannot be written");
            // The answers are dropped with the jobs: whoever asked hears `Stopped`.
            batch.into_iter().filter_map(|job| job.log_out).for_each(|log_out| self.debts.owe(log_out));
            return self.judge(Err(error));
        }
        let replies: Vec<_> = batch.into_iter().filter_map(|job| self.carry_out_one(job)).collect();
        let lasting = !writes || self.commit();
        self.debts.settle(lasting);
        if self.unclean && writes {
            self.unclean = told(self.store.scrub()).is_err();
        }
        for (must_be_clean, reply) in replies {
            reply(lasting && !(must_be_clean && self.unclean));
        }
    }

    /// Reads are answered at once. The answer to a change waits until it lasts, and says whether nothing may be
    /// left of what was before.
    fn carry_out_one(&mut self, mut job: Job) -> Option<(bool, Reply)> {
        let (effect, log_out) = (job.effect, job.log_out.take());
        let Outcome { is_taken, reply } = job.run(&mut *self.store);
        match log_out {
            Some(log_out) if is_taken => self.debts.under_way.push(log_out),
            Some(log_out) => self.debts.owe(log_out),
            None => {}
        }
        if effect.writes() {
            return Some((effect == Effect::Remove, reply));
        }
        reply(true);
        None
    }

    fn commit(&mut self) -> bool {
        match self.store.commit() {
            Ok(()) => true,
            Err(error) => {
                self.store.roll_back();
                tracing::error!(reason = %error, "the store cannot be written");
                self.judge(Err(error));
                false
            }
        }
    }
}
