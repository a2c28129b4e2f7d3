//! How long each user talked lately, and whether they have to rest. Users are keyed by a hash with the hub's secret.
//! So erasing an account does not give a new budget, and nothing here identifies an erased user.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tenfour_protocol::limits::{REST, SPEECH, SPEECH_WAITING, SPEECH_WINDOW};
use tenfour_protocol::{ChannelId, Code, Refusal};

use super::millis;
use crate::Time;

/// A user, hashed with the hub's secret.
pub(super) type UserKey = [u8; 16];

/// Speech is summed in slots of this length, so a user has at most 61 of them.
const SLOT: Duration = Duration::from_secs(10);

/// Everybody who talked in the last [`SPEECH_WINDOW`].
#[derive(Debug, Default)]
pub(super) struct Airtime {
    entries: BTreeMap<UserKey, Entry>,
    swept: Time,
}

#[derive(Debug, Default)]
struct Entry {
    /// Slots with speech and how much of it, the oldest first.
    speech: VecDeque<(u64, Duration)>,
    /// Until when the user rests on a channel.
    rests: BTreeMap<ChannelId, Time>,
    /// When somebody in the user's hearing last began to talk.
    waited: BTreeMap<ChannelId, Time>,
    /// Until when the next burst on a channel counts as a continuation of the one before, and when that one had to
    /// end.
    owed: BTreeMap<ChannelId, (Time, Time)>,
}

impl Airtime {
    /// A burst ended that began at `from`.
    pub(super) fn talked(&mut self, user: UserKey, from: Time, now: Time) {
        let entry = self.entry(user, now);
        let mut begin = from;
        while begin < now {
            let slot = slot_of(begin);
            let end = now.min(end_of(slot));
            // When two bursts overlap, the one that ends last may have begun first.
            let at = entry.speech.partition_point(|&(known, _)| known < slot);
            match entry.speech.get_mut(at) {
                Some((known, spent)) if *known == slot => *spent += end - begin,
                _ => entry.speech.insert(at, (slot, end - begin)),
            }
            begin = end;
        }
    }

    /// A limit ended a burst on `channel`.
    pub(super) fn rests(&mut self, user: UserKey, channel: &ChannelId, now: Time) {
        let entry = self.entry(user, now);
        entry.rests.retain(|_, until| *until > now);
        entry.rests.insert(channel.clone(), now + REST);
    }

    /// A burst ended for which others waited, and which could have lasted until `limit`. Pressing again right after
    /// it gains no time.
    pub(super) fn let_go(&mut self, user: UserKey, channel: &ChannelId, limit: Time, now: Time) {
        let entry = self.entry(user, now);
        entry.owed.retain(|_, (until, _)| *until > now);
        entry.owed.insert(channel.clone(), (now + REST, limit));
    }

    /// When a burst that begins now has to end, if it continues one for which others waited.
    pub(super) fn owed(&self, user: UserKey, channel: &ChannelId, now: Time) -> Option<Time> {
        let &(until, limit) = self.entries.get(&user)?.owed.get(channel)?;
        (until > now).then_some(limit)
    }

    /// Somebody in the user's hearing began to talk.
    pub(super) fn others_began(&mut self, user: UserKey, channel: &ChannelId, now: Time) {
        let entry = self.entry(user, now);
        entry.waited.retain(|_, began| *began + SPEECH_WAITING > now);
        entry.waited.insert(channel.clone(), now);
    }

    /// Whether the user may soon have talked too much. Then it matters who else begins to talk.
    pub(super) fn talks_much(&self, user: UserKey, now: Time) -> bool {
        self.entries.get(&user).is_some_and(|entry| entry.spent(now) >= SPEECH / 2)
    }

    /// Whether the user may talk on `channel` now.
    pub(super) fn may_talk(&self, user: UserKey, channel: &ChannelId, now: Time) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&user) else { return Ok(()) };
        let spent = entry.owed.get(channel).filter(|(_, limit)| *limit <= now).map(|(until, _)| until);
        if let Some(&until) = entry.rests.get(channel).max(spent).filter(|until| **until > now) {
            return Err(Refusal::from(Code::Resting).retry_after(millis(until - now)));
        }
        let waits = entry.waited.get(channel).map_or(now, |&began| began + SPEECH_WAITING);
        let leaves = entry.leaves(now);
        if waits <= now || leaves <= now {
            return Ok(());
        }
        Err(Refusal::from(Code::SpeechSpent).retry_after(millis(leaves.min(waits) - now)))
    }

    /// When [`Airtime::forget`] is due, if there is anything to forget.
    pub(super) fn due(&self) -> Option<Time> {
        (!self.entries.is_empty()).then_some(self.swept + SPEECH_WAITING)
    }

    /// Forgets what no longer counts, at most a minute late, whether anybody talks or not.
    pub(super) fn forget(&mut self, now: Time) {
        if self.due().is_some_and(|due| due <= now) {
            self.swept = now;
            self.entries.retain(|_, entry| !entry.is_over(now));
        }
    }

    fn entry(&mut self, user: UserKey, now: Time) -> &mut Entry {
        if self.entries.is_empty() {
            self.swept = now;
        }
        let entry = self.entries.entry(user).or_default();
        while entry.speech.front().is_some_and(|&(slot, _)| end_of(slot) + SPEECH_WINDOW <= now) {
            entry.speech.pop_front();
        }
        entry
    }
}

impl Entry {
    fn counted(&self, now: Time) -> impl Iterator<Item = &(u64, Duration)> {
        self.speech.iter().filter(move |&&(slot, _)| end_of(slot) + SPEECH_WINDOW > now)
    }

    fn spent(&self, now: Time) -> Duration {
        self.counted(now).map(|(_, spent)| *spent).sum()
    }

    /// When less than the budget will be spent if nothing is added; `now` if it is less already.
    fn leaves(&self, now: Time) -> Time {
        let mut spent = self.spent(now);
        let mut at = now;
        for &(slot, length) in self.counted(now) {
            if spent < SPEECH {
                break;
            }
            spent -= length;
            at = end_of(slot) + SPEECH_WINDOW;
        }
        at
    }

    fn is_over(&self, now: Time) -> bool {
        self.counted(now).next().is_none()
            && self.rests.values().all(|until| *until <= now)
            && self.owed.values().all(|(until, _)| *until <= now)
            && self.waited.values().all(|began| *began + SPEECH_WAITING <= now)
    }
}

fn slot_of(at: Time) -> u64 {
    at.as_micros() / SLOT.as_micros() as u64
}

fn end_of(slot: u64) -> Time {
    Time::from_micros((slot + 1) * SLOT.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserKey = [7; 16];

    fn seconds(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn refused(airtime: &Airtime, channel: &ChannelId, now: Time) -> Option<(Code, u32)> {
        let refusal = airtime.may_talk(USER, channel, now).err()?;
        Some((refusal.code, refusal.retry_after_ms.unwrap()))
    }

    #[test]
    fn five_minutes_of_ten_are_spent_only_while_others_wait() {
        let (mut airtime, channel) = (Airtime::default(), ChannelId::numbered(19).unwrap());
        for minute in 0..5 {
            airtime.talked(USER, seconds(minute * 60), seconds(minute * 60 + 60));
        }
        let now = seconds(310);
        assert_eq!(refused(&airtime, &channel, now), None, "nobody waits");
        airtime.others_began(USER, &channel, now);
        assert_eq!(refused(&airtime, &channel, now), Some((Code::SpeechSpent, 60_000)));
        assert_eq!(refused(&airtime, &ChannelId::numbered(20).unwrap(), now), None, "but there");
        assert_eq!(refused(&airtime, &channel, now + SPEECH_WAITING), None);
        // The first ten seconds of speech leave the window at 610 s.
        airtime.others_began(USER, &channel, seconds(600));
        assert_eq!(refused(&airtime, &channel, seconds(600)), Some((Code::SpeechSpent, 10_000)));
        assert_eq!(refused(&airtime, &channel, seconds(610)), None);
    }

    #[test]
    fn a_rest_lasts_three_seconds_on_its_channel() {
        let (mut airtime, channel) = (Airtime::default(), ChannelId::numbered(19).unwrap());
        airtime.rests(USER, &channel, seconds(100));
        assert_eq!(refused(&airtime, &channel, seconds(101)), Some((Code::Resting, 2_000)));
        assert_eq!(refused(&airtime, &ChannelId::numbered(20).unwrap(), seconds(101)), None);
        assert_eq!(refused(&airtime, &channel, seconds(103)), None);
    }

    #[test]
    fn whoever_was_silent_for_long_is_forgotten() {
        let mut airtime = Airtime::default();
        airtime.talked(USER, seconds(0), seconds(60));
        airtime.talked(USER, seconds(0), seconds(30));
        assert_eq!(airtime.entries[&USER].speech.len(), 6);
        airtime.talked([8; 16], seconds(700), seconds(701));
        airtime.forget(seconds(701));
        assert_eq!(airtime.entries.keys().collect::<Vec<_>>(), [&[8; 16]]);
        airtime.forget(seconds(2_000));
        assert_eq!((airtime.entries.len(), airtime.due()), (0, None));
    }
}
