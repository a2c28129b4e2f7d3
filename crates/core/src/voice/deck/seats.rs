//! The members of bursts: who hears them, and who is only tuned.

use smallvec::SmallVec;
use tenfour_protocol::BurstNo;

use super::Deck;
use super::listener::{Entry, Listener, State};
use crate::hub::{StartAt, Tuned};
use crate::{ConnId, Time, mutant};

impl<A: Clone> Deck<A> {
    /// Adds a member. One who hears the burst already starts again at `from`. One who no longer hears it stays where
    /// they were, as somebody who is only tuned; in a large channel they are no longer a member.
    pub fn join(&mut self, number: BurstNo, who: Tuned, from: StartAt, now: Time) {
        let before = self.take(number, who.conn());
        let Some(&slot) = self.numbers.get(&number) else { return };
        if let Some(index) = self.enter(slot, who, from, before) {
            self.listeners[index].wake_if(index, slot, &self.bursts[slot], &mut self.ready, now);
            self.schedule(slot, now);
        }
    }

    /// Removes a member who is no longer tuned, and tells them nothing.
    pub fn leave(&mut self, number: BurstNo, conn: ConnId) {
        self.take(number, conn);
    }

    /// A connection ended, or will be closed. In small channels its turns go on, since its owner is tuned.
    pub fn remove(&mut self, conn: ConnId) {
        let Some(index) = self.connections.remove(&conn) else { return };
        self.named.remove(conn);
        let listener = &mut self.listeners[index];
        let in_hand = std::mem::replace(&mut listener.state, State::Idle) == State::InHand;
        let mut left = SmallVec::<[Entry; 1]>::new();
        for mut entry in std::mem::take(&mut listener.entries) {
            let burst = &self.bursts[entry.burst];
            if in_hand && !entry.called {
                // Its turn has passed, and its socket will take no more.
                entry.advance(burst, usize::MAX);
            }
            if burst.small && !entry.over {
                listener.entries.push(entry.unheard());
            } else {
                left.push(entry);
            }
        }
        self.free(index);
        for entry in left {
            self.leave_members(entry.burst, entry.member);
        }
    }

    /// Makes somebody a member of a burst and returns their index. The caller wakes them. `before` is their entry
    /// from before, if any.
    pub(super) fn enter(
        &mut self,
        slot: usize,
        who: Tuned,
        from: StartAt,
        before: Option<Entry>,
    ) -> Option<usize> {
        let burst = &mut self.bursts[slot];
        let hears = who.hears();
        if hears.is_none() && !burst.small {
            return None;
        }
        mutant!(self.mutants, ServeHearersOnly => hears?);
        let turn = before.as_ref().map_or_else(|| burst.turn_of(who.conn()), |before| before.turn);
        mutant!(self.mutants, ServeHearersOnly => let turn = 0);
        let member = burst.members.len();
        let anew = || Entry::new(slot, member, turn, burst.log.cursor(from));
        let entry = match (hears, before) {
            (Some(hears), _) => anew().heard(hears.grade),
            (None, Some(before)) if before.hears || from == StartAt::Live => before.unheard().moved(member),
            (None, _) => anew(),
        };
        let index = match hears {
            Some(hears) => self.index_of(hears.conn),
            None => self.nobody(who.conn()),
        };
        self.bursts[slot].members.push(index);
        self.listeners[index].entries.push(entry);
        Some(index)
    }

    /// Takes somebody out of a burst.
    fn take(&mut self, number: BurstNo, conn: ConnId) -> Option<Entry> {
        let slot = *self.numbers.get(&number)?;
        let entry = self.connections.get(&conn).and_then(|&index| self.listeners[index].take_entry(slot));
        let entry = entry.or_else(|| self.take_unheard(slot, conn))?;
        self.leave_members(slot, entry.member);
        Some(entry)
    }

    /// The same for somebody who does not hear it.
    fn take_unheard(&mut self, slot: usize, conn: ConnId) -> Option<Entry> {
        let burst = self.bursts.get(slot).filter(|burst| burst.small)?;
        let index = *burst.members.iter().find(|&&index| self.listeners[index].conn == conn)?;
        let entry = self.listeners[index].take_entry(slot);
        self.free(index);
        entry
    }

    /// Forgets a listener that no connection has, when it has nothing to hear.
    pub(super) fn free(&mut self, index: usize) {
        if self.listeners[index].entries.is_empty() {
            self.listeners.remove(index);
        }
    }

    /// Takes one out of a burst's members; the last one gets its index.
    pub(super) fn leave_members(&mut self, slot: usize, member: usize) {
        let burst = &mut self.bursts[slot];
        burst.members.swap_remove(member);
        if let Some(&moved) = burst.members.get(member) {
            self.listeners[moved].move_member(slot, member);
        }
        if burst.members.is_empty() && burst.forget.is_some() && burst.deadline.is_none() {
            // Its time was over, and it was kept only for this listener.
            self.forget(slot);
        }
    }

    /// The index of `conn`, if it hears something.
    pub(super) fn find(&self, conn: ConnId) -> Option<usize> {
        self.named.index_of(conn).or_else(|| self.connections.get(&conn).copied())
    }

    pub(super) fn index_of(&mut self, conn: ConnId) -> usize {
        *self.connections.entry(conn).or_insert_with(|| self.listeners.insert(Listener::new(conn)))
    }

    /// A listener for somebody who does not hear one burst. It bundles frames as that person's connection would.
    fn nobody(&mut self, conn: ConnId) -> usize {
        let bundle = self.connections.get(&conn).map_or(1, |&index| self.listeners[index].bundle);
        self.listeners.insert(Listener { bundle, ..Listener::new(conn) })
    }
}
