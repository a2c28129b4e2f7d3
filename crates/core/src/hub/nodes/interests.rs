//! What this node subscribes to: the regions whose talkers its own listeners could hear. Listeners are counted, and a
//! subscription is kept for a while after the last of them has gone.

use std::collections::{BTreeMap, BTreeSet};

use tenfour_protocol::limits::NODE_LINGER;
use tenfour_protocol::node::{Region, Subject};
use tenfour_protocol::{ChannelId, Range};

use crate::Time;

type Lane = (ChannelId, Range);

/// Subscriptions to voice.
#[derive(Debug, Default)]
pub(super) struct Interests {
    lanes: BTreeMap<Lane, BTreeMap<Region, Held>>,
    /// Subscriptions without a listener, and when they end.
    lingering: BTreeSet<(Time, Lane, Region)>,
    subscribed: usize,
}

/// One region that has listeners, or had some a moment ago.
#[derive(Debug, Default)]
struct Held {
    listeners: u32,
    subscribed: bool,
    until: Option<Time>,
}

/// A change of subscriptions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Subscribe(Subject),
    Unsubscribe(Subject),
}

impl Interests {
    /// One more listener who may hear talkers there.
    pub(super) fn add(
        &mut self,
        channel: &ChannelId,
        range: Range,
        region: Region,
        changes: &mut Vec<Change>,
    ) {
        let lane = (channel.clone(), range);
        let regions = self.lanes.entry(lane.clone()).or_default();
        let everywhere = regions.contains_key(&Region::Any);
        let held = regions.entry(region).or_default();
        held.listeners += 1;
        if let Some(until) = held.until.take() {
            self.lingering.remove(&(until, lane, region));
            return;
        }
        if held.listeners > 1 || everywhere {
            return;
        }
        held.subscribed = true;
        self.subscribed += 1;
        changes.push(Change::Subscribe(subject(channel, range, region)));
        if region == Region::Any {
            // A listener who hears everywhere must not get the same frames from two subscriptions.
            for (&part, held) in regions.iter_mut().filter(|(part, held)| **part != region && held.subscribed)
            {
                held.subscribed = false;
                self.subscribed -= 1;
                changes.push(Change::Unsubscribe(subject(channel, range, part)));
            }
        }
    }

    /// One listener less. If it was the last, returns when the subscription may end.
    pub(super) fn remove(
        &mut self,
        channel: &ChannelId,
        range: Range,
        region: Region,
        now: Time,
    ) -> Option<Time> {
        let lane = (channel.clone(), range);
        let held = self.lanes.get_mut(&lane)?.get_mut(&region)?;
        held.listeners = held.listeners.saturating_sub(1);
        if held.listeners > 0 || held.until.is_some() {
            return None;
        }
        let until = now + NODE_LINGER;
        held.until = Some(until);
        self.lingering.insert((until, lane, region));
        Some(until)
    }

    /// Ends subscriptions that have had no listener for a while.
    pub(super) fn expire(&mut self, now: Time, changes: &mut Vec<Change>) {
        while let Some((until, _, _)) = self.lingering.first()
            && *until <= now
            && let Some((_, lane, region)) = self.lingering.pop_first()
        {
            self.let_go(&lane, region, changes);
        }
    }

    /// Subscriptions there are.
    pub(super) fn subscribed(&self) -> usize {
        self.subscribed
    }

    fn let_go(&mut self, lane: &Lane, region: Region, changes: &mut Vec<Change>) {
        let Some(regions) = self.lanes.get_mut(lane) else { return };
        let Some(gone) = regions.remove(&region) else { return };
        if region == Region::Any {
            for (&part, held) in regions.iter_mut() {
                held.subscribed = true;
                self.subscribed += 1;
                changes.push(Change::Subscribe(subject(&lane.0, lane.1, part)));
            }
        }
        if gone.subscribed {
            self.subscribed -= 1;
            changes.push(Change::Unsubscribe(subject(&lane.0, lane.1, region)));
        }
        if regions.is_empty() {
            self.lanes.remove(lane);
        }
    }
}

fn subject(channel: &ChannelId, range: Range, region: Region) -> Subject {
    Subject::Voice { channel: channel.clone(), range, region }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_subject_is_kept_while_somebody_listens_and_half_a_minute_longer() {
        let (mut interests, mut changes) = (Interests::default(), Vec::new());
        let (channel, region) = ("19".parse().unwrap(), Region::Cell(7));
        let subject = subject(&channel, Range::Km25, region);
        for _ in 0..2 {
            interests.add(&channel, Range::Km25, region, &mut changes);
        }
        assert_eq!(std::mem::take(&mut changes), [Change::Subscribe(subject.clone())]);
        assert_eq!(interests.remove(&channel, Range::Km25, region, Time::ZERO), None);
        let until = interests.remove(&channel, Range::Km25, region, Time::ZERO).unwrap();
        // Somebody comes back in time, and leaves again.
        interests.add(&channel, Range::Km25, region, &mut changes);
        interests.expire(until, &mut changes);
        assert_eq!(changes, []);
        let later = interests.remove(&channel, Range::Km25, region, until).unwrap();
        interests.expire(until + Duration::from_secs(29), &mut changes);
        assert_eq!((changes.len(), interests.subscribed()), (0, 1));
        interests.expire(later, &mut changes);
        assert_eq!((changes.as_slice(), interests.subscribed()), (&[Change::Unsubscribe(subject)][..], 0));
    }

    #[test]
    fn whoever_takes_everything_does_not_take_a_part_of_it_too() {
        let (mut interests, mut changes) = (Interests::default(), Vec::new());
        let channel: ChannelId = "19".parse().unwrap();
        let (any, part) = (Region::Any, Region::Cell(7));
        interests.add(&channel, Range::Unlimited, part, &mut changes);
        interests.add(&channel, Range::Unlimited, any, &mut changes);
        let of = |region| subject(&channel, Range::Unlimited, region);
        assert_eq!(changes[1..], [Change::Subscribe(of(any)), Change::Unsubscribe(of(part))]);
        changes.clear();
        let until = interests.remove(&channel, Range::Unlimited, any, Time::ZERO).unwrap();
        interests.expire(until, &mut changes);
        assert_eq!(changes, [Change::Subscribe(of(part)), Change::Unsubscribe(of(any))]);
        assert_eq!(interests.subscribed(), 1);
    }
}
